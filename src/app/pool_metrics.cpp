#include "app/pool_metrics.hpp"

#include "app/settings.hpp"

namespace gatehouse {

bool counts_pools(const Upstream& upstream) { return upstream.named || upstream.pools.front().addresses.size() > 1; }

std::vector<admin::Family> pool_families(const Upstream& upstream, const upstream::TrafficSplit& split, const upstream::PoolNames& names,
                                         const upstream::AddressHealths& healths) {
  if (!counts_pools(upstream)) return {};
  const upstream::Shares shares = split.load();
  admin::Family share{"gatehouse_upstream_pool_share_ratio", "Part of the requests that goes to the pool.", false, {}};
  admin::Family healthy{"gatehouse_upstream_address_healthy", "1 while the address passes its checks.", false, {}};
  for (const UpstreamPool& pool : upstream.pools) {
    unsigned percent = 0;
    if (pool.name == names.name(shares.base)) percent += 100 - shares.percent;
    if (pool.name == names.name(shares.target)) percent += shares.percent;
    share.samples.push_back({{{"pool", pool.name}}, static_cast<double>(percent) / 100});
    for (const Address& address : pool.addresses) {
      const auto known = healths.find(to_string(address));
      healthy.samples.push_back({{{"pool", pool.name}, {"address", to_string(address)}}, known && known->healthy.load(std::memory_order_relaxed) ? 1.0 : 0.0});
    }
  }
  return {share, healthy};
}

}  // namespace gatehouse
