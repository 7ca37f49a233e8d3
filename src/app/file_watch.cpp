#include "app/file_watch.hpp"

#include "app/file_digest.hpp"

#include <array>
#include <climits>
#include <cstdlib>
#include <sys/inotify.h>

namespace gatehouse {
namespace {

// Editors and kubelets need several steps: look when they have paused.
constexpr std::chrono::milliseconds kPause{200};
constexpr std::chrono::seconds kNowAndThen{10};

std::string folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

// Where the file itself lies when `path` leads there through symbolic links; empty: nowhere.
std::string folder_behind(const std::string& path) {
  std::array<char, PATH_MAX> resolved;
  return ::realpath(path.c_str(), resolved.data()) != nullptr ? folder_of(resolved.data()) : std::string();
}

}  // namespace

FileWatch::FileWatch(boost::asio::io_context& io, OnChange on_change) : on_change_(std::move(on_change)), events_(io), timer_(io) {
  // Without inotify (a limit of the machine is reached) files are looked at now and then all the same.
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor >= 0) {
    events_.assign(descriptor);
    await_event();
  }
}

void FileWatch::watch(const std::vector<std::string>& files) {
  std::map<std::string, std::string> digests;
  for (const std::string& file : files) {
    const auto known = digests_.find(file);
    digests[file] = known != digests_.end() ? known->second : file_digest(file);
  }
  digests_ = std::move(digests);
  watch_folders();
  look_after(kNowAndThen);
}

void FileWatch::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  events_.close(ignored);
  timer_.cancel();
}

void FileWatch::watch_folders() {
  if (!events_.is_open()) return;
  std::set<std::string> wanted;
  for (const auto& [file, digest] : digests_)
    for (const std::string& folder : {folder_of(file), folder_behind(file)})
      if (!folder.empty()) wanted.insert(folder);
  std::erase_if(folders_, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    ::inotify_rm_watch(events_.native_handle(), entry.second);
    return true;
  });
  for (const std::string& folder : wanted) {
    // Again for a known one: another folder may have taken its name.
    const int number = ::inotify_add_watch(events_.native_handle(), folder.c_str(),
                                           IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB | IN_ONLYDIR);
    if (number >= 0) folders_[folder] = number;
  }
}

void FileWatch::await_event() {
  events_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& error) {
    if (error || stopped_) return;
    std::array<char, 4096> thrown_away;
    while (::read(events_.native_handle(), thrown_away.data(), thrown_away.size()) > 0) {}
    look_after(kPause);
    await_event();
  });
}

void FileWatch::look_after(std::chrono::milliseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) look();
  });
}

void FileWatch::look() {
  std::set<std::string> changed;
  for (auto& [file, known] : digests_) {
    std::string now = file_digest(file);
    // A file that is gone is about to come back, or an operator's mistake that must not take the service down.
    if (now.empty() || now == known) continue;
    known = std::move(now);
    changed.insert(file);
  }
  watch_folders();
  look_after(kNowAndThen);
  if (!changed.empty()) on_change_(changed);
}

}  // namespace gatehouse
