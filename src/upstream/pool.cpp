#include "upstream/pool.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse::upstream {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kFirstAside{500};
constexpr std::chrono::milliseconds kLastAside{4000};
constexpr std::chrono::milliseconds kFirstPause{25};
constexpr std::chrono::milliseconds kLastPause{250};

}  // namespace

void Member::failed(TimePoint now) noexcept {
  const net::Clock::duration longer = aside_for_ * 2;
  aside_for_ = std::clamp<net::Clock::duration>(longer, kFirstAside, kLastAside);
  aside_until_ = now + aside_for_;
}

Member* Pool::pick(net::Clock::time_point now, std::uint32_t tried) noexcept {
  Member* best = nullptr;
  bool best_is_well = false;
  const std::size_t count = members_.size();
  std::size_t best_at = turn_;
  for (std::size_t i = 1; i <= count; ++i) {
    const std::size_t at = turn_ + i < count ? turn_ + i : turn_ + i - count;
    Member& member = *members_[at];
    if ((tried >> at & 1U) != 0 || !member.cluster().circuit().would_admit(now)) continue;
    const bool well = member.is_well(now);
    if (best != nullptr && (best_is_well > well || (best_is_well == well && best->in_flight() <= member.in_flight()))) continue;
    best = &member;
    best_is_well = well;
    best_at = at;
  }
  turn_ = best_at;
  if (best != nullptr) best->chosen(now);
  return best;
}

std::shared_ptr<Member> Pool::find(const ClusterSettings& settings) const noexcept {
  for (const auto& member : members_)
    if (member->cluster().settings() == settings) return member;
  return nullptr;
}

std::uint32_t Pool::bit(const Member& member) const noexcept {
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (members_[i].get() == &member) return std::uint32_t{1} << i;
  return 0;
}

boost::asio::awaitable<result<Pool::Reached>> Pool::wait_for_any(boost::asio::io_context& io, observe::WorkerMetrics& metrics) {
  const ClusterSettings& settings = first().cluster().settings();
  if (waiting_ >= settings.wait_queue) co_return make_error_code(errc::too_large);
  ++waiting_;
  metrics.upstream_waits.add();
  const auto until = net::Clock::now() + settings.wait_for_app;
  auto pause = kFirstPause;
  boost::asio::steady_timer timer(io);
  error_code last = errc::unreachable;
  Reached reached;
  for (std::size_t at = 0; !reached.connection && net::Clock::now() < until; at = (at + 1) % members_.size()) {
    if (at == 0) {
      timer.expires_after(pause);
      pause = std::min(pause * 2, kLastPause);
      co_await timer.async_wait(use_result);
    }
    auto connection = co_await members_[at]->cluster().connect(Cluster::Patience::kNone);
    if (!connection) {
      last = connection.error();
      continue;
    }
    members_[at]->accepted();
    reached = {members_[at].get(), std::move(*connection)};
  }
  --waiting_;
  if (!reached.connection) co_return last;
  co_return reached;
}

}  // namespace gatehouse::upstream
