// A call that may block for as long as it likes (getaddrinfo, stat on a network disk), made on a thread of its own and
// waited for with a deadline. At most one runs: while it hangs, later runs wait for that one, so a hanging disk costs
// one thread. Owner: a prober. Thread: the io_context's.
#pragma once

#include "health/waiter.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace gatehouse::health {

template <class T>
class BlockingCall {
 public:
  BlockingCall(boost::asio::io_context& io, net::TimerWheel& wheel) : io_(io), wheel_(wheel) {}

  // What `work` returned; nothing when it has not by `until`. `work` may outlive this object: it must own all that it
  // uses.
  net::awaitable<std::optional<T>> run(std::function<T()> work, net::Clock::time_point until) {
    if (!pending_ && !start(std::move(work))) co_return std::nullopt;
    const std::shared_ptr<Call> call = pending_;
    Waiter waiter(io_, wheel_);
    const error_code error = co_await waiter.wait(call->done, net::Direction::kRead, until);
    if (error) co_return std::nullopt;
    pending_.reset();
    const std::lock_guard lock(call->mutex);
    co_return std::move(call->value);
  }

 private:
  struct Call {
    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
      if (done >= 0) ::close(done);
    }
    const int done = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    std::mutex mutex;
    std::optional<T> value;
  };

  bool start(std::function<T()> work) {
    auto call = std::make_shared<Call>();
    if (call->done < 0) return false;
    try {
      // Detached, because a call that hangs in the kernel must not keep the process from ending.
      std::thread([call, work = std::move(work)] { make(*call, work); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    pending_ = std::move(call);
    return true;
  }

  static void make(Call& call, const std::function<T()>& work) {
    {
      const std::lock_guard lock(call.mutex);
      try {
        call.value = work();
      } catch (const std::exception&) {
        call.value.reset();
      }
    }
    ::eventfd_write(call.done, 1);
  }

  boost::asio::io_context& io_;
  net::TimerWheel& wheel_;
  std::shared_ptr<Call> pending_;
};

}  // namespace gatehouse::health
