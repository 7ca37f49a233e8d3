#include "net/readiness.hpp"

#include "net/poller.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

namespace gatehouse::net {

boost::asio::awaitable<WaitEnd> Readiness::wait(Direction direction, Turn turn) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(WaitEnd)>(
      [this, direction, turn](Waiter waiter) { begin(direction, turn, std::move(waiter)); }, boost::asio::use_awaitable);
}

boost::asio::awaitable<WaitEnd> Readiness::ended(error_code why) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(WaitEnd)>(
      [this, why](Waiter waiter) { post(std::move(waiter), why); }, boost::asio::use_awaitable);
}

void Readiness::begin(Direction direction, Turn turn, Waiter waiter) {
  const bool ready = ready_[index(direction)] || (direction == Direction::kRead && peer_left_);
  const bool stands_in_line = ready && direction == Direction::kRead && turn == Turn::kAfterOthers;
  if (ready && !stands_in_line) return post(std::move(waiter), {});
  if (!find_poller() || (!ready && !registered_ && !register_socket())) return post(std::move(waiter), errc::exhausted);
  if (direction == Direction::kRead) turn_ = turn;
  waiters_[index(direction)].emplace(std::move(waiter));
  if (stands_in_line) poller_->line_up(*this);
  poller_->wait_begins();
}

// False: there is no descriptor for it. Whoever waits next asks again.
bool Readiness::find_poller() {
  if (poller_ == nullptr) try {
      poller_ = &Poller::of(io_);
    } catch (const boost::system::system_error&) {
      return false;
    }
  return true;
}

bool Readiness::register_socket() {
  registered_ = poller_->add(*this);
  return registered_;
}

void Readiness::on_events(std::uint32_t events) {
  constexpr std::uint32_t kBroken = EPOLLHUP | EPOLLERR;
  const bool readable = (events & (EPOLLIN | EPOLLRDHUP | kBroken)) != 0;
  const bool writable = (events & (EPOLLOUT | kBroken)) != 0;
  if ((events & (EPOLLRDHUP | kBroken)) != 0) peer_left_ = true;
  ready_[index(Direction::kRead)] |= readable;
  ready_[index(Direction::kWrite)] |= writable;
  const bool stands_in_line = readable && turn_ == Turn::kAfterOthers && waiters_[index(Direction::kRead)];
  if (stands_in_line) poller_->line_up(*this);
  std::optional<Waiter> reader = readable && !stands_in_line ? take(Direction::kRead) : std::nullopt;
  std::optional<Waiter> writer = writable ? take(Direction::kWrite) : std::nullopt;
  // Whoever goes on may be the end of this object: nothing of it is touched any more.
  if (reader) (*reader)(WaitEnd{});
  if (writer) (*writer)(WaitEnd{});
}

void Readiness::on_turn() {
  if (std::optional<Waiter> reader = take(Direction::kRead)) (*reader)(WaitEnd{});
}

std::optional<Readiness::Waiter> Readiness::take(Direction direction) noexcept {
  auto& waiting = waiters_[index(direction)];
  if (!waiting) return std::nullopt;
  std::optional<Waiter> waiter(std::move(*waiting));
  waiting.reset();
  if (direction == Direction::kRead) in_line_.unlink();
  poller_->wait_ends();
  return waiter;
}

void Readiness::end(error_code why) {
  for (const Direction direction : {Direction::kRead, Direction::kWrite})
    if (auto waiter = take(direction)) post(std::move(*waiter), why);
}

void Readiness::post(Waiter waiter, error_code why) {
  boost::asio::post(io_, [waiter = std::move(waiter), why]() mutable { waiter(WaitEnd{why}); });
}

void Readiness::forget() noexcept {
  end(errc::cancelled);
  if (!registered_) return;
  poller_->remove(*this);
  registered_ = false;
}

}  // namespace gatehouse::net
