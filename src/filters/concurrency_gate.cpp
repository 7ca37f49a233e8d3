#include "filters/concurrency_gate.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);

using Clock = std::chrono::steady_clock;

// How soon it is noticed that a client who waits has left.
constexpr std::chrono::milliseconds kLookAfterClient{500};

bool add_below(std::atomic<std::int64_t>& number, std::int64_t most) noexcept {
  auto seen = number.load();
  while (seen < most)
    if (number.compare_exchange_weak(seen, seen + 1)) return true;
  return false;
}

}  // namespace

bool ConcurrencyGate::try_take() noexcept { return add_below(in_use_, places_); }
bool ConcurrencyGate::try_wait() noexcept { return add_below(waiting_, room_); }

std::shared_ptr<ConcurrencyDoor> ConcurrencyGate::next_door(const ConcurrencyDoor& but) {
  const std::lock_guard lock(mutex_);
  std::erase_if(doors_, [](const auto& door) { return door.expired(); });
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    auto door = doors_[++turn_ % doors_.size()].lock();
    if (door != nullptr && door.get() != &but && door->waiting_.load() > 0) return door;
  }
  return nullptr;
}

std::shared_ptr<ConcurrencyDoor> ConcurrencyDoor::make(std::shared_ptr<ConcurrencyGate> gate) {
  const std::shared_ptr<ConcurrencyDoor> door(new ConcurrencyDoor(std::move(gate)));
  const std::lock_guard lock(door->gate_->mutex_);
  door->gate_->doors_.push_back(door);
  return door;
}

// In its coroutine's frame; ends with it, however that ends.
struct ConcurrencyDoor::Waiter {
  explicit Waiter(ConcurrencyDoor& at)
      : door(at), timer(at.executor_), position(at.waiters_.insert(at.waiters_.end(), this)) {
    door.waiting_.fetch_add(1);
  }
  ~Waiter() {
    if (!admitted) withdraw();
    // Given a place that it never went to.
    if (admitted && !gone_in) door.leave();
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void withdraw() noexcept {
    door.waiters_.erase(position);
    door.waiting_.fetch_sub(1);
    door.gate_->waiting_.fetch_sub(1);
  }

  ConcurrencyDoor& door;
  boost::asio::steady_timer timer;
  std::list<Waiter*>::iterator position;
  bool admitted = false;
  bool gone_in = false;
};

awaitable<ConcurrencyDoor::Entry> ConcurrencyDoor::enter(std::shared_ptr<ConcurrencyDoor> door,
                                                         std::chrono::milliseconds patience, Exchange& exchange) {
  if (door->enter_at_once()) co_return Entry::kIn;
  const auto until = Clock::now() + patience;
  // Set once and before anybody can be seen waiting: other workers read it then.
  if (!door->executor_) door->executor_ = co_await boost::asio::this_coro::executor;
  if (!door->gate_->try_wait()) co_return Entry::kRoomFull;
  Waiter waiter(*door);
  // Who left before we could be seen waiting has told nobody.
  door->admit();
  while (!waiter.admitted) {
    const auto now = Clock::now();
    if (now >= until) co_return Entry::kWaitedTooLong;
    waiter.timer.expires_at(std::min(until, now + kLookAfterClient));
    co_await waiter.timer.async_wait(use_result);
    // Also with a place: the next one has use for it.
    if (exchange.abandoned()) co_return Entry::kAbandoned;
  }
  waiter.gone_in = true;
  co_return Entry::kIn;
}

void ConcurrencyDoor::admit() {
  while (!waiters_.empty() && gate_->try_take()) receive_place();
}

// A place is ours to give.
void ConcurrencyDoor::receive_place() {
  if (waiters_.empty()) return leave();
  Waiter& next = *waiters_.front();
  next.withdraw();
  next.admitted = true;
  next.timer.cancel();
}

void ConcurrencyDoor::leave() {
  const bool others_wait = gate_->waiting_.load() > waiting_.load();
  turn_of_others_ = others_wait && !turn_of_others_;
  if (!waiters_.empty() && !turn_of_others_) return receive_place();
  if (others_wait)
    if (const auto door = gate_->next_door(*this)) return hand_over(door);
  if (!waiters_.empty()) return receive_place();
  gate_->in_use_.fetch_sub(1);
  // Who began to wait meanwhile found no place and could not be seen. Who cannot be seen yet is going to find this one.
  if (gate_->waiting_.load() == 0) return;
  const auto door = gate_->next_door(*this);
  if (door != nullptr && gate_->try_take()) hand_over(door);
}

// Nobody may be waiting there any more when this arrives: then the place goes on.
void ConcurrencyDoor::hand_over(const std::shared_ptr<ConcurrencyDoor>& to) {
  boost::asio::post(to->executor_, [to] { to->receive_place(); });
}

}  // namespace gatehouse
