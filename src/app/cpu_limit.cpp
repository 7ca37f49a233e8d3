#include "app/cpu_limit.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <thread>

namespace gatehouse {
namespace {

std::optional<std::int64_t> number(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<unsigned> rounded_up(std::optional<std::int64_t> quota, std::optional<std::int64_t> period) noexcept {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<unsigned>(std::clamp<std::int64_t>((*quota + *period - 1) / *period, 1, 1024));
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The process' own cgroup in the v2 hierarchy, "0::/a/b" in /proc/self/cgroup.
std::string own_cgroup() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with("0::")) return line.substr(3);
  return "/";
}

}  // namespace

std::optional<unsigned> cpus_of_cpu_max(std::string_view content) noexcept {
  const std::size_t space = content.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  return rounded_up(number(content.substr(0, space)), number(content.substr(space + 1)));
}

std::optional<unsigned> cpus_of_cfs(std::string_view quota, std::string_view period) noexcept {
  return rounded_up(number(quota), number(period));
}

unsigned usable_cpus() {
  unsigned cpus = std::max(1U, std::thread::hardware_concurrency());
  cpu_set_t affinity;
  CPU_ZERO(&affinity);
  if (sched_getaffinity(0, sizeof affinity, &affinity) == 0) cpus = std::max(1U, static_cast<unsigned>(CPU_COUNT(&affinity)));
  const std::string root = "/sys/fs/cgroup";
  const std::string own = own_cgroup();
  for (const std::string& path : {root + "/cpu.max", root + own + "/cpu.max"})
    if (const auto quota = cpus_of_cpu_max(content_of(path))) cpus = std::min(cpus, *quota);
  for (const std::string& path : {root + "/cpu", root + "/cpu,cpuacct"})
    if (const auto quota = cpus_of_cfs(content_of(path + "/cpu.cfs_quota_us"), content_of(path + "/cpu.cfs_period_us")))
      cpus = std::min(cpus, *quota);
  return cpus;
}

}  // namespace gatehouse
