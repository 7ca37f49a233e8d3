#include "net/deadline.hpp"

#include <gtest/gtest.h>
#include <memory>

namespace gatehouse::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class CountingDeadline final : public Deadline {
 public:
  int expired = 0;

 private:
  void on_expired() override { ++expired; }
};

struct Wheel {
  boost::asio::io_context io;
  TimerWheel wheel{io};
  Clock::time_point start = Clock::now();
};

TEST(Deadline, ExpiresOnceAndNotEarly) {
  Wheel w;
  CountingDeadline deadline;
  deadline.set(w.wheel, w.start + milliseconds(200));
  w.wheel.advance(w.start + milliseconds(199));
  EXPECT_EQ(deadline.expired, 0);
  w.wheel.advance(w.start + milliseconds(300));
  EXPECT_EQ(deadline.expired, 1);
  EXPECT_FALSE(deadline.armed());
  w.wheel.advance(w.start + milliseconds(900));
  EXPECT_EQ(deadline.expired, 1);
}

TEST(Deadline, MovedLaterExpiresAtTheLaterMoment) {
  Wheel w;
  CountingDeadline deadline;
  deadline.set(w.wheel, w.start + milliseconds(100));
  deadline.set(w.wheel, w.start + milliseconds(500));
  w.wheel.advance(w.start + milliseconds(400));
  EXPECT_EQ(deadline.expired, 0);
  w.wheel.advance(w.start + milliseconds(600));
  EXPECT_EQ(deadline.expired, 1);
}

TEST(Deadline, MovedEarlierExpiresAtTheEarlierMoment) {
  Wheel w;
  CountingDeadline deadline;
  deadline.set(w.wheel, w.start + milliseconds(5000));
  deadline.set(w.wheel, w.start + milliseconds(100));
  w.wheel.advance(w.start + milliseconds(200));
  EXPECT_EQ(deadline.expired, 1);
}

TEST(Deadline, ClearedNeverExpires) {
  Wheel w;
  CountingDeadline deadline;
  deadline.set(w.wheel, w.start + milliseconds(100));
  deadline.clear();
  w.wheel.advance(w.start + milliseconds(5000));
  EXPECT_EQ(deadline.expired, 0);
}

TEST(Deadline, FartherThanOneTurnOfTheWheelStillExpires) {
  Wheel w;
  CountingDeadline deadline;
  deadline.set(w.wheel, w.start + hours(1));
  for (auto at = w.start; at < w.start + hours(1); at += std::chrono::seconds(7)) w.wheel.advance(at);
  EXPECT_EQ(deadline.expired, 0);
  w.wheel.advance(w.start + hours(1) + milliseconds(100));
  EXPECT_EQ(deadline.expired, 1);
}

TEST(Deadline, DestroyedWhileArmedIsForgotten) {
  Wheel w;
  {
    CountingDeadline deadline;
    deadline.set(w.wheel, w.start + milliseconds(100));
  }
  w.wheel.advance(w.start + milliseconds(5000));
}

// What a session does: its deadline ends it, and with it the deadlines beside.
class Destroyer final : public Deadline {
 public:
  explicit Destroyer(std::unique_ptr<CountingDeadline>& other) : other_(other) {}

 private:
  void on_expired() override { other_.reset(); }
  std::unique_ptr<CountingDeadline>& other_;
};

TEST(TimerWheel, SurvivesADeadlineThatDestroysItsNeighbour) {
  Wheel w;
  auto neighbour = std::make_unique<CountingDeadline>();
  Destroyer destroyer(neighbour);
  destroyer.set(w.wheel, w.start + milliseconds(100));
  neighbour->set(w.wheel, w.start + milliseconds(100));
  w.wheel.advance(w.start + milliseconds(300));
  EXPECT_EQ(neighbour, nullptr);
}

TEST(TimerWheel, MayDieBeforeItsDeadlines) {
  CountingDeadline deadline;
  boost::asio::io_context io;
  {
    TimerWheel wheel(io);
    deadline.set(wheel, Clock::now() + milliseconds(100));
  }
  deadline.clear();
}

TEST(TimerWheel, TicksByItselfWhileSomethingIsArmed) {
  Wheel w;
  CountingDeadline deadline;
  deadline.set(w.wheel, w.start + milliseconds(50));
  w.io.run();  // returns once nothing is armed any more
  EXPECT_EQ(deadline.expired, 1);
}

}  // namespace
}  // namespace gatehouse::net
