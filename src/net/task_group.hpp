// Coroutines that run beside the one that started them, on the same io_context: sessions of a worker, probes. Escaped exceptions
// are reported, not lost; the owner can wait until all have ended. Thread: the io_context's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <string>

namespace gatehouse::net {

class TaskGroup {
 public:
  using OnException = std::function<void(const std::string& what)>;
  TaskGroup(boost::asio::io_context& io, OnException on_exception) : io_(io), on_exception_(std::move(on_exception)) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task`; what it refers to must outlive it.
  void spawn(boost::asio::awaitable<void> task) {
    ++running_;
    boost::asio::co_spawn(io_, std::move(task), [this](std::exception_ptr failure) {
      --running_;
      if (failure) report(failure);
      if (running_ == 0 && on_empty_) std::exchange(on_empty_, {})();
    });
  }
  std::size_t running() const noexcept { return running_; }
  // Calls `done` once, when nothing runs any more: at once if that is so already.
  void when_empty(std::function<void()> done) {
    if (running_ == 0) return done();
    on_empty_ = std::move(done);
  }

 private:
  void report(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      on_exception_(error.what());
    } catch (...) {
      on_exception_("unknown exception");
    }
  }

  boost::asio::io_context& io_;
  OnException on_exception_;
  std::function<void()> on_empty_;
  std::size_t running_ = 0;
};

}  // namespace gatehouse::net
