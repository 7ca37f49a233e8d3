// What became of reloads: for the answer to whoever asked for one, for the metrics and for /health. Main thread.
#pragma once

#include "admin/metrics_page.hpp"
#include "observe/health_board.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace gatehouse {

class ReloadRecord {
 public:
  // The board gets a check called "configuration", which warns while the file holds something that cannot be used.
  explicit ReloadRecord(observe::HealthBoard& board);

  void succeeded();
  // What is wrong, a sentence each.
  void failed(const std::vector<std::string>& mistakes);
  void certificates(bool good) { (good ? certificates_good_ : certificates_bad_) += 1; }

  std::vector<admin::Family> families() const;

 private:
  observe::HealthBoard& board_;
  std::size_t check_;
  std::chrono::system_clock::time_point loaded_at_ = std::chrono::system_clock::now();
  bool last_good_ = true;
  double good_ = 0;
  double bad_ = 0;
  double certificates_good_ = 0;
  double certificates_bad_ = 0;
};

}  // namespace gatehouse
