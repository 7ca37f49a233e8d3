// One question to the admin address of a running Gatehouse, for the verbs that need an answer.
#pragma once

#include "config/config.hpp"

#include <gatehouse/result.hpp>

#include <chrono>
#include <string>

namespace gatehouse {

struct AdminAnswer {
  int status = 0;
  std::string body;
};

// Sends `method path` with `body`, which is JSON where it is not empty, and waits at most `timeout` for the whole answer. errc::unreachable, timeout, closed or malformed. Blocks.
result<AdminAnswer> ask_admin(const Address& admin, const std::string& method, const std::string& path, std::chrono::milliseconds timeout,
                              const std::string& body = {});
// Why there is no answer, for a person.
std::string explain_no_answer(const error_code& error);

}  // namespace gatehouse
