// Calls an external monitor again and again while this process may get traffic, so that the monitor notices its silence; and, where there is
// one, another URL while it may not. The URLs are secrets and stand in no text made here. Owner: the application, longer than the io_context
// runs. Thread: the io_context's.
#pragma once

#include "health/dialer.hpp"
#include "net/tls_client.hpp"
#include "observe/counter.hpp"

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace gatehouse::health {

struct HeartbeatSettings {
  std::string url;
  std::string fail_url;  // empty: none
  std::chrono::milliseconds interval{60000};
  std::chrono::milliseconds timeout{10000};
};

struct HeartbeatCounters {
  observe::Counter delivered;
  observe::Counter failed;
};

class Heartbeat {
 public:
  // Told when calls begin to fail, and when they are taken again; the text is the end of a sentence about the monitor.
  using OnChange = std::function<void(bool taken, const std::string& error)>;
  Heartbeat(boost::asio::io_context& io, net::TimerWheel& wheel, const HeartbeatSettings& settings, std::function<bool()> ready,
            OnChange on_change);

  // Calls until stop(): once every interval, and within a second after readiness changed.
  net::awaitable<void> run();
  void stop();
  const HeartbeatCounters& counters() const noexcept { return counters_; }

 private:
  // One of the two monitors' URLs, ready to be called.
  struct Target {
    Target(boost::asio::io_context& io, net::TimerWheel& wheel, const std::string& url);
    Dialer dialer;
    std::string host;
    std::string authority;
    std::string path;
    bool tls = false;
  };
  net::awaitable<std::string> call(Target& target);
  net::awaitable<error_code> shake_hands(net::Stream& stream, const std::string& host, net::Clock::time_point until);
  void judge(const std::string& error);
  net::awaitable<void> pause(bool ready);

  std::unique_ptr<const net::TlsClient> tls_;
  Target success_;
  std::optional<Target> fail_;
  std::chrono::milliseconds interval_;
  std::chrono::milliseconds timeout_;
  std::function<bool()> ready_;
  OnChange on_change_;
  HeartbeatCounters counters_;
  boost::asio::steady_timer timer_;
  std::optional<bool> taken_;
  bool stopped_ = false;
};

}  // namespace gatehouse::health
