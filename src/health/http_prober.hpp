// Well when a GET is answered with an expected status. The connection is new each time; the body is not read. Thread:
// the io_context's.
#pragma once

#include "health/dialer.hpp"
#include "health/prober.hpp"

#include <utility>
#include <vector>

namespace gatehouse::health {

struct HttpQuestion {
  std::string target = "/";
  std::string authority;  // what Host says
  std::vector<std::pair<int, int>> expected{{200, 399}};
};

class HttpProber final : public Prober {
 public:
  HttpProber(boost::asio::io_context& io, net::TimerWheel& wheel, Place place, HttpQuestion question);
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  Dialer dialer_;
  HttpQuestion question_;
};

// What is wrong with a status, or an empty text.
std::string judge_status(int status, const std::vector<std::pair<int, int>>& expected);

}  // namespace gatehouse::health
