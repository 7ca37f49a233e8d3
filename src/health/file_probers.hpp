// What the file system tells, asked on a thread of its own because a network disk may not answer. Thread: the
// io_context's.
#pragma once

#include "health/blocking_call.hpp"
#include "health/prober.hpp"

#include <cstdint>

namespace gatehouse::health {

// Well when the file was written not longer than `maximum_age` ago: backups, heartbeats of jobs.
class FileAgeProber final : public Prober {
 public:
  FileAgeProber(boost::asio::io_context& io, net::TimerWheel& wheel, std::string path,
                std::chrono::milliseconds maximum_age);
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  struct Found {
    int failure = 0;  // errno
    std::chrono::system_clock::time_point written;
  };
  std::string path_;
  std::chrono::milliseconds maximum_age_;
  BlockingCall<Found> call_;
};

// Well when the disk that holds `path` has `minimum_free` bytes left for ordinary users.
class DiskProber final : public Prober {
 public:
  DiskProber(boost::asio::io_context& io, net::TimerWheel& wheel, std::string path, std::uint64_t minimum_free);
  awaitable<std::string> probe(net::Clock::time_point deadline) override;

 private:
  struct Found {
    int failure = 0;  // errno
    std::uint64_t free = 0;
  };
  std::string path_;
  std::uint64_t minimum_free_;
  BlockingCall<Found> call_;
};

}  // namespace gatehouse::health
