// What the endpoints that do something have in common: who may ask, and how an answer is waited for that somebody else will give. Thread: the
// admin worker's.
#pragma once

#include <gatehouse/filter.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace gatehouse::admin {

// A page that somebody opened beside Gatehouse can send a POST here as well, but not without the fields that this looks for.
bool from_browser(const Exchange& exchange);
// The answer to whoever may not ask: a browser, or another method than POST.
std::optional<Response> refuse_verb(Exchange& exchange);
Response not_allowed(Exchange& exchange, std::string_view title, std::string_view allowed);
// An answer that no cache keeps.
Response uncached(Exchange& exchange, int status, std::string_view type, std::string_view body, std::string_view reason);

// What somebody else will say, at most so late. Both sides hold it: the one that asked may be gone when the answer comes.
template <class T>
struct Expected {
  explicit Expected(const boost::asio::any_io_executor& executor, std::chrono::steady_clock::duration patience = std::chrono::minutes(10))
      : timer(executor, patience) {}
  void set(T value) {
    answer = std::move(value);
    timer.cancel();
  }
  awaitable<void> wait() {
    if (!answer) co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  boost::asio::steady_timer timer;
  std::optional<T> answer;
};

}  // namespace gatehouse::admin
