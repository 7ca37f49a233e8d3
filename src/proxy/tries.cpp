#include "proxy/tries.hpp"

#include "proxy/proxy_exchange.hpp"
#include "proxy/worker_state.hpp"

namespace gatehouse::proxy {
namespace {

// Of one request. Where there are several addresses the budget bounds them too; an app with only one may fall over this very request, and
// again each time it is back.
constexpr int kMostRetries = 3;
constexpr int kMostRetriesAtOneAddress = 2;

upstream::Pools::Choice choose_pool(ProxyExchange& exchange) {
  upstream::Pools& pools = *exchange.snapshot->pools;
  if (!pools.has_several()) return {&pools.first(), false};
  return pools.choose(pools.cookie().empty() ? std::string_view{} : exchange.request().headers.joined(FieldId::cookie, "; "));
}

UpstreamFailure connect_failure(const error_code& error) noexcept {
  if (error == errc::timeout) return UpstreamFailure::kConnectTimeout;
  if (error == errc::unresolved) return UpstreamFailure::kUnresolved;
  if (error == errc::exhausted) return UpstreamFailure::kNoDescriptors;
  if (error == errc::too_large) return UpstreamFailure::kQueueFull;
  return UpstreamFailure::kUnreachable;
}

}  // namespace

Tries::Tries(ProxyExchange& exchange) : Tries(exchange, choose_pool(exchange)) {}

Tries::Tries(ProxyExchange& exchange, upstream::Pools::Choice choice)
    : exchange_(exchange), pool_(*choice.pool), member_(&pool_.first()), tell_client_(choice.tell_client) {
  exchange.pool = &pool_;
}

Tries::~Tries() {
  if (waiting_) pool_.stats()->waiting.subtract();
}

bool Tries::begin(net::Clock::time_point now) {
  if (pool_.has_several()) {
    pool_.budget().count(now);
    if (upstream::Member* const picked = pool_.pick(now)) member_ = picked;
  }
  use(*member_, now);
  if (pool_.stats() != nullptr) {
    waiting_ = true;
    pool_.stats()->waiting.add();
  }
  return pass_->admitted();
}

void Tries::use(upstream::Member& member, net::Clock::time_point now) {
  member_ = &member;
  exchange_.place = upstream::MemberUse(member, pool_.stats());
  pass_.emplace(member.cluster().circuit(), now);
}

void Tries::take_idle(upstream::Cluster::Repeat repeat) {
  repeat_ = repeat;
  exchange_.connection = cluster().take_idle(repeat);
}

awaitable<std::optional<UpstreamFailure>> Tries::connect() {
  const auto patience = pool_.has_several() ? upstream::Cluster::Patience::kNone : upstream::Cluster::Patience::kAsConfigured;
  while (!exchange_.connection) {
    auto connection = co_await cluster().connect(patience);
    if (connection) {
      member_->accepted();
      exchange_.connection = std::move(*connection);
      break;
    }
    const UpstreamFailure failure = connect_failure(connection.error());
    if (!pool_.has_several()) co_return failure;
    if (app_is_to_blame(failure)) member_->failed(net::Clock::now());
    if (go_on(failure)) continue;
    if (!app_is_to_blame(failure) || cluster().settings().wait_for_app.count() == 0) co_return failure;
    auto reached = co_await pool_.wait_for_any(exchange_.worker.io, exchange_.worker.metrics);
    if (!reached) co_return connect_failure(reached.error());
    use(*reached->member, net::Clock::now());
    exchange_.connection = std::move(reached->connection);
  }
  co_return std::nullopt;
}

void Tries::lost(UpstreamFailure failure) {
  const bool broke = failure == UpstreamFailure::kClosedBeforeResponse || failure == UpstreamFailure::kResetBeforeResponse;
  const bool by_client = exchange_.abandon_watch.abandoned() || (exchange_.upload && exchange_.upload->client_failed);
  if (pool_.has_several() && broke && !by_client && !exchange_.connection->reused) member_->failed(net::Clock::now());
}

bool Tries::go_on(UpstreamFailure failure) {
  if (!pool_.may_retry() || !app_is_to_blame(failure)) return false;
  const auto now = net::Clock::now();
  upstream::Member* next = member_;
  if (pool_.has_several()) {
    tried_ |= pool_.bit(*member_);
    next = pool_.pick(now, tried_);
  }
  if (next == nullptr || retries_ >= (pool_.has_several() ? kMostRetries : kMostRetriesAtOneAddress)) return false;
  if (pool_.has_several() && !pool_.budget().take(now)) {
    exchange_.worker.metrics.upstream_retries_refused.add();
    return false;
  }
  exchange_.worker.metrics.upstream_retries.add();
  ++retries_;
  ++exchange_.measures.attempts;
  pass_->failed(now);
  cluster().discard(std::move(exchange_.connection));
  exchange_.upstream_bytes.release();
  use(*next, now);
  take_idle(repeat_);
  return true;
}

void Tries::answered(Response& response) {
  pass_->answered(net::Clock::now());
  count(response.status >= 500);
  if (!tell_client_) return;
  const std::string_view secure = exchange_.client_scheme == Scheme::kHttps ? "; Secure" : "";
  response.headers.add_view("set-cookie", exchange_.arena().join({exchange_.snapshot->pools->cookie(), "=", pool_.name(),
                                                                  "; Path=/; HttpOnly; SameSite=Lax", secure}));
}

void Tries::failed(UpstreamFailure failure) {
  if (app_is_to_blame(failure)) pass_->failed(net::Clock::now());
  count(true);
}

void Tries::count(bool failed) {
  observe::PoolStats* const stats = pool_.stats();
  if (stats == nullptr) return;
  exchange_.went_well = !failed;
  stats->requests.add();
  if (failed) stats->failures.add();
  stats->duration.observe(net::Clock::now() - exchange_.measures.upstream_began);
}

}  // namespace gatehouse::proxy
