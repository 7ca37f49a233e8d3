// Tells when files hold something else than before: whatever way it came about (written in place, renamed over, a symbolic link that
// leads elsewhere, as ConfigMaps and Secrets change in Kubernetes). Folders are watched, contents are compared; and because not every file
// system reports what happens to it, all are looked at now and then as well. Thread: the io_context's.
#pragma once

#include "net/descriptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gatehouse {

class FileWatch {
 public:
  // Called with the files whose content changed, once the writing has paused.
  using OnChange = std::function<void(const std::set<std::string>& files)>;
  FileWatch(boost::asio::io_context& io, OnChange on_change);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Watches these files and no others. What a file held when it was first named is what it is compared with.
  void watch(const std::vector<std::string>& files);
  void stop();

 private:
  void watch_folders();
  void await_event();
  void look_after(std::chrono::milliseconds pause);
  void look();

  OnChange on_change_;
  boost::asio::posix::stream_descriptor events_;
  boost::asio::steady_timer timer_;
  std::map<std::string, std::string> digests_;  // by file
  std::map<std::string, int> folders_;          // inotify's number of each
  bool stopped_ = false;
};

}  // namespace gatehouse
