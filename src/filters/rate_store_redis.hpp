// Rate limits whose counts are shared by all replicas, in Redis: one question for all policies of a request.
//
// This process counts too, and mirrors what Redis says. What its own count alone refuses never reaches Redis, so that a
// flood stops here; and when Redis does not answer in time, each policy's `on_error` decides. Redis sees hashes, never
// what a client showed. What Redis has counted stays counted when a limit further in refuses.
//
// Trusts Redis to count and nobody else. One instance for each worker, whose filters share their links.
#pragma once

#include "filters/rate_policy_set.hpp"
#include "filters/rate_redis_link.hpp"

namespace gatehouse {

// The links of one worker: one for each Redis. The worker's thread only.
class RedisLinks {
 public:
  // `on_event` is told when a Redis goes away and comes back.
  explicit RedisLinks(RedisLink::OnEvent on_event = {}) : on_event_(std::move(on_event)) {}
  void set_on_event(RedisLink::OnEvent on_event) { on_event_ = std::move(on_event); }

  // The same one for equal addresses, as long as somebody holds it.
  std::shared_ptr<RedisLink> obtain(const RateStore& store);

 private:
  struct Entry {
    RedisAddress address;
    std::string ca_file;
    std::weak_ptr<RedisLink> link;
  };
  RedisLink::OnEvent on_event_;
  std::vector<Entry> entries_;
};

class RateStoreRedis final : public Filter {
 public:
  using Clock = RateTime (*)();

  // All policies have one and the same store. `tables` must outlive the filter.
  RateStoreRedis(const std::vector<RatePolicy>& policies, RateTables& tables, std::shared_ptr<RedisLink> link,
                 Clock clock = &std::chrono::steady_clock::now);

  awaitable<Response> handle(Exchange& exchange, Next next) const override;

 private:
  bool count_here(const RatePolicySet::Asked& asked, RateTime now) const;
  bool believe(Exchange& exchange, const RatePolicySet::Asked& asked, std::span<const RateRedisAnswer> answers,
               RateTime now) const;
  Response deny(Exchange& exchange) const;

  RateStore store_;
  RatePolicySet policies_;
  std::shared_ptr<RedisLink> link_;
  Clock clock_;
};

}  // namespace gatehouse
