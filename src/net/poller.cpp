#include "net/poller.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>

namespace gatehouse::net {
namespace {

int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
  return set;
}

}  // namespace

Poller::Poller(boost::asio::io_context& io) : service(io), set_(io, make_set()) {}

Poller& Poller::of(boost::asio::io_context& io) { return boost::asio::use_service<Poller>(io); }

// Nobody runs the io_context any more: the coroutines that still wait are taken apart with it.
void Poller::shutdown() {
  shut_ = true;
  for (Readiness* each = first_; each != nullptr; each = each->next_)
    for (auto& waiter : each->waiters_) waiter.reset();
  for (Readiness& each : line_)
    for (auto& waiter : each.waiters_) waiter.reset();
}

bool Poller::add(Readiness& readiness) noexcept {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &readiness;
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, readiness.socket_, &event) != 0) return false;
  readiness.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &readiness;
  first_ = &readiness;
  return true;
}

void Poller::remove(Readiness& readiness) noexcept {
  // Not left to close(): a copy of the descriptor in a child process that has not run exec yet would keep it in the set.
  epoll_event ignored{};
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, readiness.socket_, &ignored);
  (readiness.previous_ != nullptr ? readiness.previous_->next_ : first_) = readiness.next_;
  if (readiness.next_ != nullptr) readiness.next_->previous_ = readiness.previous_;
  readiness.previous_ = readiness.next_ = nullptr;
  // Events of this batch that have not been handed out yet.
  for (std::size_t i = 0; i < batch_size_; ++i)
    if (batch_[i].data.ptr == &readiness) batch_[i].data.ptr = nullptr;
}

void Poller::wait_begins() {
  ++waits_;
  if (!dispatching_) go_on();
}

void Poller::wait_ends() noexcept {
  if (--waits_ != 0 || !armed_ || shut_) return;
  boost::system::error_code ignored;
  set_.cancel(ignored);
}

void Poller::line_up(Readiness& readiness) noexcept {
  if (!readiness.in_line_.is_linked()) line_.push_back(readiness);
  if (!dispatching_) go_on();
}

// Arranges the next round: when the kernel has news, or soon where somebody is in line already.
void Poller::go_on() {
  if (shut_) return;
  if (!line_.empty()) {
    if (std::exchange(called_, true)) return;
    boost::asio::post(set_.get_executor(), [this] {
      called_ = false;
      dispatch();
    });
  } else if (waits_ != 0 && !std::exchange(armed_, true)) {
    set_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& error) {
      armed_ = false;
      if (error) return go_on();
      dispatch();
    });
  }
}

void Poller::dispatch() {
  dispatching_ = true;
  int round = 0;
  do {
    hand_out();
    for (std::size_t turn = 0; turn < kTurns && !line_.empty(); ++turn) {
      Readiness& next = line_.front();
      line_.pop_front();
      next.on_turn();
    }
  } while (!line_.empty() && ++round < kRounds);
  dispatching_ = false;
  go_on();
}

void Poller::hand_out() {
  const int count = ::epoll_wait(set_.native_handle(), batch_.data(), static_cast<int>(batch_.size()), 0);
  if (count <= 0) return;
  batch_size_ = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < batch_size_; ++i)
    if (auto* const readiness = static_cast<Readiness*>(batch_[i].data.ptr)) readiness->on_events(batch_[i].events);
  batch_size_ = 0;
}

}  // namespace gatehouse::net
