// Moves traffic from one pool of the app to another, watches how that goes, and takes it back where the new one is worse. One switch at a time;
// whoever asks for another one meanwhile is refused. Main thread.
#pragma once

#include "admin/metrics_page.hpp"
#include "admin/switch_order.hpp"
#include "admin/switch_report.hpp"
#include "app/switch_judge.hpp"
#include "net/task_group.hpp"
#include "observe/logging.hpp"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse {

// What a switch works on: the pools of the configuration in force, and how the requests are shared out among them.
class Traffic {
 public:
  virtual ~Traffic() = default;
  virtual std::vector<std::string> pools() const = 0;
  virtual admin::TrafficShares shares() const = 0;
  // The next request of any worker goes by it.
  virtual void set(const admin::TrafficShares& shares) = 0;
  virtual PoolCounts counts(const std::string& pool) const = 0;
  // Asks all addresses of the pool now. Empty when each is well, else what is wrong with one of them.
  virtual boost::asio::awaitable<std::string> check(std::string pool) = 0;
  // What the health checks that run anyhow last said: some address is well.
  virtual bool is_well(const std::string& pool) const = 0;
};

// What an order leads to, before anything is done about it.
struct SwitchPlan {
  enum class Kind : std::uint8_t { kRefuse, kNothing, kMove };
  Kind kind = Kind::kRefuse;
  std::string message;         // why not
  admin::TrafficShares next;   // kMove: while it is watched
};
SwitchPlan plan_switch(const admin::SwitchOrder& order, const admin::TrafficShares& now, const std::vector<std::string>& pools);

class SwitchOver {
 public:
  using Done = std::function<void(const admin::SwitchReport&)>;
  // How often a watched pool is judged, how long the other one is looked back on, and how long it is waited for until it has answered what it had.
  struct Pace {
    std::chrono::milliseconds tick{1000};
    std::chrono::milliseconds look_back{60000};
    std::chrono::milliseconds settle{10000};
  };
  // All must outlive it, and `tasks` runs on `io`. `told` is called with every change of the shares.
  SwitchOver(boost::asio::io_context& io, net::TaskGroup& tasks, Traffic& traffic, std::shared_ptr<Logger> log,
             std::function<void(const admin::TrafficShares&)> told, Pace pace);
  ~SwitchOver();

  // Begins to look at how the pools do.
  void start();
  // Does what the order says; `done` is called when it is over, or at once.
  void order(const admin::SwitchOrder& order, Done done);
  admin::SwitchState state() const;
  bool running() const noexcept { return running_ != nullptr; }

  // These pools are about to be all there are; `active` is the one where nothing else is said. Traffic of a pool that goes is moved away first.
  void keep_to(const std::vector<std::string>& pools, const std::string& active);
  // What another process had; false where a pool of it is not there.
  bool restore(const admin::TrafficShares& shares);
  // The process ends: whoever waits for a switch is told so.
  void stop();

  // For the metrics page.
  std::vector<admin::Family> families() const;

 private:
  struct Running;
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> watch();
  boost::asio::awaitable<void> settle();
  void stay(const std::string& problem);
  std::optional<std::string> judge();
  static const char* step_of(const Running& run) noexcept;
  void go_back(Done done);
  void interrupt(admin::SwitchResult result, std::string message);
  void finish(admin::SwitchResult result, std::string message);
  enum class Began : bool { kNo, kYes };
  void answer(admin::SwitchReport report, const std::vector<Done>& waiting, Began began);
  std::vector<admin::WatchedPool> watched() const;
  void move(const admin::TrafficShares& shares);
  void look_back();
  PoolCounts counts_of_base() const;

  boost::asio::io_context& io_;
  net::TaskGroup& tasks_;
  Traffic& traffic_;
  std::shared_ptr<Logger> log_;
  std::function<void(const admin::TrafficShares&)> told_;
  Pace pace_;
  std::unique_ptr<Running> running_;
  bool stopped_ = false;
  std::optional<admin::SwitchReport> last_;
  std::array<std::uint64_t, 6> results_{};
  // States of the counters of the pool that serves, oldest first.
  boost::asio::steady_timer look_;
  std::deque<PoolCounts> past_;
};

// One line of text for the process that takes over, and back; nothing where it is no such line.
std::string to_line(const admin::TrafficShares& shares);
std::optional<admin::TrafficShares> shares_of_line(const std::string& line);

}  // namespace gatehouse
