// How many CPUs this process may use: what `workers: auto` means.
#pragma once

#include <optional>
#include <string_view>

namespace gatehouse {

// CPUs by affinity and by the cgroup's quota (v2 or v1), whichever is less; a part of a CPU counts as one. At least 1.
unsigned usable_cpus();

// The quota in a cgroup v2 `cpu.max` ("max 100000" or "150000 100000") as CPUs rounded up; nothing when there is none.
std::optional<unsigned> cpus_of_cpu_max(std::string_view content) noexcept;
// The same from v1's cfs_quota_us and cfs_period_us.
std::optional<unsigned> cpus_of_cfs(std::string_view quota, std::string_view period) noexcept;

}  // namespace gatehouse
