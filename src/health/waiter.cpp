#include "health/waiter.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse::health {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace

net::awaitable<error_code> Waiter::wait(int descriptor, net::Direction direction, net::Clock::time_point until) {
  if (net::Clock::now() >= until) co_return errc::timeout;
  error_code refused;
  descriptor_.assign(descriptor, refused);
  if (refused) co_return errc::exhausted;
  timed_out_ = false;
  Deadline::set(wheel_, until);
  const auto what = direction == net::Direction::kRead ? boost::asio::posix::descriptor_base::wait_read
                                                       : boost::asio::posix::descriptor_base::wait_write;
  const auto [error] = co_await descriptor_.async_wait(what, use_result);
  Deadline::clear();
  release();
  if (timed_out_) co_return errc::timeout;
  if (error) co_return errc::reset;
  co_return error_code{};
}

void Waiter::on_expired() {
  timed_out_ = true;
  error_code ignored;
  descriptor_.cancel(ignored);
}

// The descriptor has another owner, who closes it.
void Waiter::release() noexcept {
  if (descriptor_.is_open()) descriptor_.release();
}

}  // namespace gatehouse::health
