// The addresses of one app as one worker sees them: which of them gets a request, and which one is asked where that one fails. The
// fewest requests in flight decide, among those that are well. Thread: the worker's, but for being made.
#pragma once

#include "observe/pool_stats.hpp"
#include "upstream/address_health.hpp"
#include "upstream/cluster.hpp"
#include "upstream/retry_budget.hpp"
#include "upstream/traffic_split.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gatehouse::upstream {

// One address: connections to it, and what is known about it. A reload that changes nothing about it keeps it.
class Member {
 public:
  using TimePoint = net::Clock::time_point;
  // `health` is what checks say of it, or null.
  explicit Member(std::unique_ptr<Cluster> cluster, std::shared_ptr<const AddressHealth> health = nullptr)
      : cluster_(std::move(cluster)), health_(std::move(health)) {}

  Cluster& cluster() noexcept { return *cluster_; }
  const Cluster& cluster() const noexcept { return *cluster_; }

  bool is_well(TimePoint now) const noexcept {
    return now >= aside_until_ && (health_ == nullptr || health_->healthy.load(std::memory_order_relaxed));
  }
  // It took no connection, or lost a new one before any answer: others come first for a while, longer each time.
  void failed(TimePoint now) noexcept;
  // It took a connection.
  void accepted() noexcept { aside_for_ = {}; }
  // After a failure, one request alone finds out whether it is well again.
  void chosen(TimePoint now) noexcept {
    if (aside_for_ != net::Clock::duration::zero()) aside_until_ = now + aside_for_;
  }
  unsigned in_flight() const noexcept { return in_flight_; }

 private:
  friend class MemberUse;
  std::unique_ptr<Cluster> cluster_;
  std::shared_ptr<const AddressHealth> health_;
  unsigned in_flight_ = 0;
  net::Clock::duration aside_for_{};
  TimePoint aside_until_{};
};

// Counts a request among those in flight at an address, and of its pool where that is counted, for as long as it lives.
class MemberUse {
 public:
  MemberUse() = default;
  explicit MemberUse(Member& member, observe::PoolStats* stats = nullptr) noexcept : member_(&member), stats_(stats) {
    ++member.in_flight_;
    if (stats != nullptr) stats->active.add();
  }
  MemberUse(MemberUse&& other) noexcept : member_(std::exchange(other.member_, nullptr)), stats_(std::exchange(other.stats_, nullptr)) {}
  MemberUse& operator=(MemberUse&& other) noexcept {
    std::swap(member_, other.member_);
    std::swap(stats_, other.stats_);
    return *this;
  }
  ~MemberUse() {
    if (member_ != nullptr) --member_->in_flight_;
    if (stats_ != nullptr) stats_->active.subtract();
  }
  // Null: none.
  Member* member() const noexcept { return member_; }

 private:
  Member* member_ = nullptr;
  observe::PoolStats* stats_ = nullptr;
};

class Pool {
 public:
  // At least one member, at most kMost. `stats`, where it is not null, must outlive it.
  static constexpr std::size_t kMost = 32;
  enum class Naming : std::uint8_t { kByUser, kNone };
  Pool(std::string name, PoolId id, std::vector<std::shared_ptr<Member>> members, RetryBudget budget, observe::PoolStats* stats,
       Naming naming)
      : name_(std::move(name)), label_(naming == Naming::kByUser ? name_ : std::string()), id_(id), members_(std::move(members)),
        budget_(budget), stats_(stats) {}

  const std::string& name() const noexcept { return name_; }
  // The name, where the configuration gave one, for the records of its requests; else empty.
  const std::string& label() const noexcept { return label_; }
  PoolId id() const noexcept { return id_; }
  // What Host says where a client names none.
  const std::string& authority() const noexcept { return members_.front()->cluster().settings().authority; }
  bool has_several() const noexcept { return members_.size() > 1; }
  // Null: none has these settings.
  std::shared_ptr<Member> find(const ClusterSettings& settings) const noexcept;
  Member& first() noexcept { return *members_.front(); }
  const std::vector<std::shared_ptr<Member>>& members() const noexcept { return members_; }

  // The one with the fewest requests in flight of those that are well, or, where none is, of all; taken in turn where several are alike.
  // Never one whose circuit refuses, nor one in `tried`. Null: there is none.
  Member* pick(net::Clock::time_point now, std::uint32_t tried = 0) noexcept;
  // The bit of a member in `tried`.
  std::uint32_t bit(const Member& member) const noexcept;
  RetryBudget& budget() noexcept { return budget_; }

  struct Reached {
    Member* member = nullptr;
    std::unique_ptr<Connection> connection;
  };
  // Waits until one of the addresses takes a connection, as long as is configured (wait_for_app, wait_queue). The errors of
  // Cluster::connect().
  boost::asio::awaitable<result<Reached>> wait_for_any(boost::asio::io_context& io, observe::WorkerMetrics& metrics);

  // A request may go to another address, or to the same app once more when it is back.
  bool may_retry() const noexcept { return has_several() || members_.front()->cluster().settings().wait_for_app.count() != 0; }
  // Null: this pool is not counted apart.
  observe::PoolStats* stats() const noexcept { return stats_; }

 private:
  std::string name_;
  std::string label_;
  PoolId id_;
  std::vector<std::shared_ptr<Member>> members_;
  RetryBudget budget_;
  observe::PoolStats* stats_;
  std::size_t turn_ = 0;  // chosen last
  std::size_t waiting_ = 0;
};

}  // namespace gatehouse::upstream
