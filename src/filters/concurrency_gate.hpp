// A number of places that requests of all workers share, and a waiting room before them. The gate counts, by atomics;
// each worker comes in through a door of its own, where its requests wait in order. Whoever leaves hands his place to
// the next one at his door, or by turns to another worker's, so that no worker starves. A place is never lost between
// workers: either the one who leaves sees that somebody waits, or the one who begins to wait sees that a place is free.
#pragma once

#include <gatehouse/filter.hpp>

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace gatehouse {

class ConcurrencyDoor;

// Any thread.
class ConcurrencyGate {
 public:
  // At least one place. `room`: how many may wait.
  ConcurrencyGate(std::int64_t places, std::int64_t room) noexcept : places_(places), room_(room) {}

  std::int64_t places() const noexcept { return places_; }
  std::int64_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }
  std::int64_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  friend class ConcurrencyDoor;
  bool try_take() noexcept;
  bool try_wait() noexcept;
  // Somebody else's door where somebody waits, or null.
  std::shared_ptr<ConcurrencyDoor> next_door(const ConcurrencyDoor& but);

  const std::int64_t places_;
  const std::int64_t room_;
  std::atomic<std::int64_t> in_use_{0};
  std::atomic<std::int64_t> waiting_{0};
  std::mutex mutex_;  // of the doors; taken only while somebody waits
  std::vector<std::weak_ptr<ConcurrencyDoor>> doors_;
  std::size_t turn_ = 0;
};

// The worker's thread, unless said otherwise.
class ConcurrencyDoor {
 public:
  enum class Entry : std::uint8_t { kIn, kRoomFull, kWaitedTooLong, kAbandoned };

  // A door of that gate, for one worker. Other workers may hold on to it for a moment.
  static std::shared_ptr<ConcurrencyDoor> make(std::shared_ptr<ConcurrencyGate> gate);

  // A place without waiting, where one is free and nobody here waits for it.
  bool enter_at_once() noexcept { return waiters_.empty() && gate_->try_take(); }
  // Waits for a place, at most so long, and no longer than somebody wants the answer. Whoever is in leaves by leave().
  // The wait keeps the door: when a worker goes, its filters may go before its coroutines.
  static awaitable<Entry> enter(std::shared_ptr<ConcurrencyDoor> door, std::chrono::milliseconds patience,
                                Exchange& exchange);
  void leave();

 private:
  friend class ConcurrencyGate;
  struct Waiter;
  explicit ConcurrencyDoor(std::shared_ptr<ConcurrencyGate> gate) : gate_(std::move(gate)) {}
  void admit();
  void receive_place();
  static void hand_over(const std::shared_ptr<ConcurrencyDoor>& to);

  std::shared_ptr<ConcurrencyGate> gate_;
  std::list<Waiter*> waiters_;             // the first one came first
  std::atomic<std::int64_t> waiting_{0};   // read by other workers
  boost::asio::any_io_executor executor_;  // set before anybody waits
  bool turn_of_others_ = false;
};

}  // namespace gatehouse
