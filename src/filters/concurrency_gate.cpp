#include "filters/concurrency_gate.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);

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
  explicit Waiter(ConcurrencyDoor& at) : door(at), timer(at.executor_) {
    door.waiters_.push_back(this);
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
    std::erase(door.waiters_, this);
    door.waiting_.fetch_sub(1);
    door.gate_->waiting_.fetch_sub(1);
  }

  ConcurrencyDoor& door;
  boost::asio::steady_timer timer;
  bool admitted = false;
  bool gone_in = false;
};

awaitable<ConcurrencyDoor::Entry> ConcurrencyDoor::enter(std::shared_ptr<ConcurrencyDoor> door,
                                                         std::chrono::milliseconds patience) {
  if (door->waiters_.empty() && door->gate_->try_take()) co_return Entry::kIn;
  if (!door->gate_->try_wait()) co_return Entry::kRoomFull;
  if (!door->executor_) door->executor_ = co_await boost::asio::this_coro::executor;
  Waiter waiter(*door);
  waiter.timer.expires_after(patience);
  // Who left before we could be seen waiting has told nobody.
  door->admit();
  if (!waiter.admitted) co_await waiter.timer.async_wait(use_result);
  waiter.gone_in = waiter.admitted;
  co_return waiter.admitted ? Entry::kIn : Entry::kWaitedTooLong;
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
  if (others_wait) {
    if (const auto door = gate_->next_door(*this)) {
      boost::asio::post(door->executor_, [door] { door->receive_place(); });
      return;
    }
  }
  if (!waiters_.empty()) return receive_place();
  gate_->in_use_.fetch_sub(1);
  // Who began to wait meanwhile could not know yet.
  if (gate_->waiting_.load() == 0) return;
  if (const auto door = gate_->next_door(*this)) boost::asio::post(door->executor_, [door] { door->admit(); });
}

}  // namespace gatehouse
