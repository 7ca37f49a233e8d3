// Asks a Prober again and again and keeps the health board up to date. It alone decides when anything is asked: reading
// /health asks nobody. Owner: the application, longer than the io_context runs. Thread: the io_context's.
#pragma once

#include "config/config.hpp"
#include "health/prober.hpp"
#include "observe/health_board.hpp"
#include "observe/verdict.hpp"

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

namespace gatehouse::health {

class CheckLoop {
 public:
  using OnChange = std::function<void(bool healthy, const std::string& error)>;
  // Reports to `check` of `board`; `on_change` is told when the verdict changes, and once of the first.
  CheckLoop(boost::asio::io_context& io, std::unique_ptr<Prober> prober, const gatehouse::Probe& times,
            observe::HealthBoard& board, std::size_t check, OnChange on_change);

  // Asks until stop(). Faster (once a fifth of the interval) until all was well once.
  awaitable<void> run();
  void stop();

 private:
  awaitable<std::string> ask();
  std::chrono::milliseconds pause();

  std::unique_ptr<Prober> prober_;
  gatehouse::Probe times_;
  observe::HealthBoard& board_;
  std::size_t check_;
  OnChange on_change_;
  boost::asio::steady_timer timer_;
  observe::Verdict verdict_;
  bool stopped_ = false;
};

}  // namespace gatehouse::health
