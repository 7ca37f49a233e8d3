// Well when it lets this user log in and answers SELECT 1, over a new connection each time: what the app needs of it
// too. libpq does the protocol (TLS, SCRAM); its messages are never passed on, only the SQLSTATE in them. Thread: the
// io_context's.
#pragma once

#include "config/service_url.hpp"
#include "health/dialer.hpp"
#include "health/prober.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::health {

class PostgresProber final : public Prober {
 public:
  PostgresProber(boost::asio::io_context& io, net::TimerWheel& wheel, const ServiceUrl& url);
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  struct Answer {
    bool server_spoke = false;  // then another address of the same service would say the same
    std::string error;
  };
  awaitable<Answer> ask(Parameters parameters, net::Clock::time_point until);

  boost::asio::io_context& io_;
  net::TimerWheel& wheel_;
  Dialer dialer_;
  Parameters parameters_;
};

// The keywords and values for libpq, but for the address. Parameters that libpq does not know are other drivers' and
// left out.
std::vector<std::pair<std::string, std::string>> postgres_parameters(const ServiceUrl& url);
// The SQLSTATE at the end of a message of verbosity PQERRORS_SQLSTATE, or an empty text.
std::string_view sqlstate_in(std::string_view message) noexcept;
// What an SQLSTATE says about the server, as the end of a sentence.
std::string explain_sqlstate(std::string_view state);

}  // namespace gatehouse::health
