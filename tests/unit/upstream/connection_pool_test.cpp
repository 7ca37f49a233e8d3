#include "upstream/cluster.hpp"

#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gatehouse::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A connection whose other end the test holds.
struct Pair {
  explicit Pair(boost::asio::io_context& io, net::TimerWheel& wheel) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    connection = std::make_unique<Connection>(io, wheel, ends[0]);
    app = ends[1];
  }
  ~Pair() { ::close(app); }
  std::unique_ptr<Connection> connection;
  int app;
};

class ConnectionPoolTest : public ::testing::Test {
 protected:
  boost::asio::io_context io_;
  net::TimerWheel wheel_{io_};
  observe::SeriesBudget budget_;
  observe::WorkerMetrics metrics_{budget_};
  ConnectionPool pool_{2, seconds(4), metrics_};
};

TEST_F(ConnectionPoolTest, GivesTheConnectionBackThatWasUsedLast) {
  Pair first(io_, wheel_);
  Pair second(io_, wheel_);
  const Connection* last = second.connection.get();
  pool_.give_back(std::move(first.connection), seconds(4));
  pool_.give_back(std::move(second.connection), seconds(4));
  const auto taken = pool_.take();
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken.get(), last);
  EXPECT_TRUE(taken->reused);
}

TEST_F(ConnectionPoolTest, DropsAConnectionThatTheAppHasClosed) {
  Pair pair(io_, wheel_);
  pool_.give_back(std::move(pair.connection), seconds(4));
  ::shutdown(pair.app, SHUT_RDWR);
  EXPECT_EQ(pool_.take(), nullptr);
  EXPECT_EQ(metrics_.upstream_reuse_failures.get(), 1U);
}

TEST_F(ConnectionPoolTest, DropsAConnectionOnWhichTheAppSpokeUnasked) {
  Pair pair(io_, wheel_);
  pool_.give_back(std::move(pair.connection), seconds(4));
  ASSERT_EQ(::send(pair.app, "HTTP", 4, 0), 4);
  EXPECT_EQ(pool_.take(), nullptr);
}

TEST_F(ConnectionPoolTest, KeepsAConnectionThatHasRestedForTooLongForOthers) {
  Pair pair(io_, wheel_);
  pool_.give_back(std::move(pair.connection), seconds(4));
  EXPECT_EQ(pool_.take(milliseconds(-1)), nullptr);
  EXPECT_EQ(pool_.size(), 1U);
  EXPECT_NE(pool_.take(seconds(100)), nullptr);
}

TEST_F(ConnectionPoolTest, KeepsNoMoreThanItMay) {
  for (int i = 0; i < 4; ++i) {
    Pair pair(io_, wheel_);
    pool_.give_back(std::move(pair.connection), seconds(4));
  }
  EXPECT_EQ(pool_.size(), 2U);
}

TEST_F(ConnectionPoolTest, EndsIdleConnectionsWithFinWhenTheirTimeIsOver) {
  Pair pair(io_, wheel_);
  pool_.give_back(std::move(pair.connection), seconds(1));
  wheel_.advance(net::Clock::now() + milliseconds(900));
  EXPECT_EQ(pool_.size(), 1U);
  wheel_.advance(net::Clock::now() + milliseconds(1200));
  EXPECT_EQ(pool_.size(), 0U);
  char byte;
  EXPECT_EQ(::recv(pair.app, &byte, 1, 0), 0);  // an orderly end: ECONNRESET would be -1
}

TEST_F(ConnectionPoolTest, DoesNotKeepAConnectionThatTheAppEndsAtOnce) {
  Pair pair(io_, wheel_);
  pool_.give_back(std::move(pair.connection), seconds(0));
  EXPECT_EQ(pool_.size(), 0U);
}

TEST(LearnedIdle, IsASecondLessThanTheAppKeepsItsSide) {
  EXPECT_EQ(learned_idle("timeout=3", seconds(4)), seconds(2));
  EXPECT_EQ(learned_idle("max=100, timeout = 2", seconds(4)), seconds(1));
}

TEST(LearnedIdle, NeverExceedsTheConfiguredBound) { EXPECT_EQ(learned_idle("timeout=600", seconds(4)), seconds(4)); }

TEST(LearnedIdle, IgnoresWhatIsNoNumber) {
  EXPECT_EQ(learned_idle("timeout=soon", seconds(4)), seconds(4));
  EXPECT_EQ(learned_idle("", seconds(4)), seconds(4));
  EXPECT_EQ(learned_idle("timeout=99999999999999999999", seconds(4)), seconds(4));
}

}  // namespace
}  // namespace gatehouse::upstream
