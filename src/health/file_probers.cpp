#include "health/file_probers.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <cerrno>

namespace gatehouse::health {
namespace {

std::string explain_errno(int failure) {
  switch (failure) {
    case ENOENT:
    case ENOTDIR:
      return "does not exist";
    case EACCES:
      return "may not be looked at by this user";
    default:
      return "cannot be looked at (error " + std::to_string(failure) + ")";
  }
}

constexpr const char* kSilent = "the file system did not answer in time";

}  // namespace

FileAgeProber::FileAgeProber(boost::asio::io_context& io, net::TimerWheel& wheel, std::string path,
                             std::chrono::milliseconds maximum_age)
    : path_(std::move(path)), maximum_age_(maximum_age), call_(io, wheel) {}

awaitable<std::string> FileAgeProber::probe(net::Clock::time_point deadline) {
  std::function<Found()> look = [path = path_] {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return Found{errno, {}};
    const auto written = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
    return Found{0, std::chrono::system_clock::time_point(
                        std::chrono::duration_cast<std::chrono::system_clock::duration>(written))};
  };
  const auto found = co_await call_.run(std::move(look), deadline);
  if (!found) co_return kSilent;
  if (found->failure != 0) co_return explain_errno(found->failure);
  const auto age = std::chrono::system_clock::now() - found->written;
  if (age <= maximum_age_) co_return std::string();
  co_return "was written " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) + " s ago";
}

DiskProber::DiskProber(boost::asio::io_context& io, net::TimerWheel& wheel, std::string path,
                       std::uint64_t minimum_free)
    : path_(std::move(path)), minimum_free_(minimum_free), call_(io, wheel) {}

awaitable<std::string> DiskProber::probe(net::Clock::time_point deadline) {
  std::function<Found()> look = [path = path_] {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0) return Found{errno, 0};
    return Found{0, static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize};
  };
  const auto found = co_await call_.run(std::move(look), deadline);
  if (!found) co_return kSilent;
  if (found->failure != 0) co_return explain_errno(found->failure);
  if (found->free >= minimum_free_) co_return std::string();
  constexpr std::uint64_t kMebi = 1024 * 1024;
  co_return "has " + std::to_string(found->free / kMebi) + " MiB free; wanted are " +
      std::to_string(minimum_free_ / kMebi);
}

}  // namespace gatehouse::health
