#include "net/readiness.hpp"

#include "net/stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace gatehouse::net {
namespace {

// Two connected sockets; one of them a stream of `io`.
struct Pair {
  explicit Pair(boost::asio::io_context& io) : wheel(io) {
    std::array<int, 2> both{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both.data()), 0);
    stream = std::make_unique<Stream>(io, wheel, both[0]);
    peer.reset(both[1]);
  }
  void send(std::string_view bytes) const { EXPECT_EQ(::send(peer.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size())); }
  std::string read(std::size_t most = 4096) const {
    std::string into(most, '\0');
    const IoResult got = stream->try_read(into);
    return got.status == IoStatus::kDone ? into.substr(0, got.bytes) : std::string();
  }

  TimerWheel wheel;
  std::unique_ptr<Stream> stream;
  Descriptor peer;
};

awaitable<void> wait_once(Stream& stream, Direction direction, std::optional<error_code>& ended) { ended = (co_await stream.wait(direction)).error; }

std::optional<error_code> start_wait(boost::asio::io_context& io, Stream& stream, Direction direction = Direction::kRead) {
  std::optional<error_code> ended;
  boost::asio::co_spawn(io, wait_once(stream, direction, ended), boost::asio::detached);
  io.restart();
  io.run();
  return ended;
}

TEST(Readiness, AWaitEndsWhenBytesCome) {
  boost::asio::io_context io{1};
  const Pair pair(io);
  std::optional<error_code> ended;
  boost::asio::co_spawn(io, wait_once(*pair.stream, Direction::kRead, ended), boost::asio::detached);
  io.poll();
  EXPECT_FALSE(ended);
  pair.send("hello");
  io.run();
  EXPECT_EQ(ended, error_code{});
  EXPECT_EQ(pair.read(), "hello");
}

TEST(Readiness, AFreshSocketThatCanBeWrittenIsReadyToBeWritten) {
  boost::asio::io_context io{1};
  const Pair pair(io);
  EXPECT_EQ(start_wait(io, *pair.stream, Direction::kWrite), error_code{});
}

TEST(Readiness, AWaitAfterAReadThatFilledItsBufferEndsAtOnce) {
  boost::asio::io_context io{1};
  const Pair pair(io);
  pair.send("0123456789");
  EXPECT_EQ(start_wait(io, *pair.stream), error_code{});
  EXPECT_EQ(pair.read(4), "0123");
  EXPECT_EQ(start_wait(io, *pair.stream), error_code{});
  EXPECT_EQ(pair.read(4), "4567");
  EXPECT_EQ(start_wait(io, *pair.stream), error_code{});
  EXPECT_EQ(pair.read(4), "89");
}

TEST(Readiness, AWaitAfterAReadThatFoundLessWaitsForMore) {
  boost::asio::io_context io{1};
  const Pair pair(io);
  pair.send("first");
  EXPECT_EQ(start_wait(io, *pair.stream), error_code{});
  EXPECT_EQ(pair.read(), "first");
  std::optional<error_code> ended;
  boost::asio::co_spawn(io, wait_once(*pair.stream, Direction::kRead, ended), boost::asio::detached);
  io.restart();
  io.poll();
  EXPECT_FALSE(ended);
  pair.send("second");
  io.run();
  EXPECT_EQ(ended, error_code{});
  EXPECT_EQ(pair.read(), "second");
}

TEST(Readiness, AnEndBehindBytesThatWereReadIsNotMissed) {
  boost::asio::io_context io{1};
  const Pair pair(io);
  pair.send("last words");
  ::shutdown(pair.peer.get(), SHUT_WR);
  EXPECT_EQ(start_wait(io, *pair.stream), error_code{});
  EXPECT_EQ(pair.read(), "last words");
  EXPECT_EQ(start_wait(io, *pair.stream), error_code{});
  std::array<char, 8> more{};
  EXPECT_EQ(pair.stream->try_read(more).status, IoStatus::kClosed);
}

TEST(Readiness, BothDirectionsAreWaitedForAtOnce) {
  boost::asio::io_context io{1};
  const Pair pair(io);
  std::optional<error_code> reading;
  std::optional<error_code> writing;
  boost::asio::co_spawn(io, wait_once(*pair.stream, Direction::kRead, reading), boost::asio::detached);
  boost::asio::co_spawn(io, wait_once(*pair.stream, Direction::kWrite, writing), boost::asio::detached);
  io.poll();
  EXPECT_FALSE(reading);
  EXPECT_EQ(writing, error_code{});
  pair.send("x");
  io.run();
  EXPECT_EQ(reading, error_code{});
}

awaitable<void> wait_for_turn(Stream& stream, Turn turn, int name, std::vector<int>& order) {
  const error_code error = co_await stream.wait(Direction::kRead, turn);
  order.push_back(error ? -name : name);
}

TEST(Readiness, WorkThatGoesOnHasItsTurnBeforeWorkThatBegins) {
  boost::asio::io_context io{1};
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) {
    pairs.push_back(std::make_unique<Pair>(io));
    boost::asio::co_spawn(io, wait_for_turn(*pairs.back()->stream, i < 98 ? Turn::kAfterOthers : Turn::kAtOnce, i + 1, order), boost::asio::detached);
  }
  io.poll();
  // More than the kernel tells at once: those that go on are in the second batch.
  for (const auto& pair : pairs) pair->send("x");
  io.run();
  ASSERT_EQ(order.size(), 100U);
  const auto place = [&order](int name) { return std::find(order.begin(), order.end(), name) - order.begin(); };
  EXPECT_LT(place(99), 20);
  EXPECT_LT(place(100), 20);
  // The others in the order in which they became ready.
  std::erase_if(order, [](int name) { return name > 98; });
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Readiness, AStreamThatExpectsBytesHasItsTurnWithoutWaitingForTheKernel) {
  boost::asio::io_context io{1};
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    pairs.push_back(std::make_unique<Pair>(io));
    if (i < 2) pairs.back()->stream->expect_bytes();
    boost::asio::co_spawn(io, wait_for_turn(*pairs.back()->stream, i < 2 ? Turn::kAfterOthers : Turn::kAtOnce, i + 1, order), boost::asio::detached);
  }
  pairs[2]->send("an answer that somebody waits for");
  io.run();
  EXPECT_EQ(order, (std::vector<int>{3, 1, 2}));
  // Where nothing has come, the next wait waits.
  EXPECT_EQ(pairs[0]->read(), "");
  boost::asio::co_spawn(io, wait_for_turn(*pairs[0]->stream, Turn::kAfterOthers, 4, order), boost::asio::detached);
  io.restart();
  io.poll();
  EXPECT_EQ(order.size(), 3U);
  pairs[0]->send("x");
  io.run();
  EXPECT_EQ(order.back(), 4);
}

TEST(Readiness, WhoeverExpectsBytesMayBeCancelledOrGo) {
  boost::asio::io_context io{1};
  std::vector<int> order;
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 2; ++i) {
    pairs.push_back(std::make_unique<Pair>(io));
    pairs.back()->stream->expect_bytes();
    boost::asio::co_spawn(io, wait_for_turn(*pairs.back()->stream, Turn::kAfterOthers, i + 1, order), boost::asio::detached);
  }
  // Their coroutines begin here, and stand in line.
  io.poll_one();
  io.poll_one();
  pairs[0]->stream->cancel();
  pairs[1].reset();
  io.run();
  EXPECT_EQ(order, (std::vector<int>{-1, -2}));
}

awaitable<void> wait_and_end_others(std::vector<std::unique_ptr<Pair>>& pairs, std::vector<int>& order) {
  co_await pairs[0]->stream->wait(Direction::kRead, Turn::kAfterOthers);
  order.push_back(1);
  EXPECT_FALSE(pairs[1]->stream->quiet()) << "what it waits for has come";
  pairs[1]->stream->interrupt();
  pairs[2].reset();
}

TEST(Readiness, WhoeverStandsInLineMayBeEndedOrGo) {
  boost::asio::io_context io{1};
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) pairs.push_back(std::make_unique<Pair>(io));
  boost::asio::co_spawn(io, wait_and_end_others(pairs, order), boost::asio::detached);
  for (const int i : {1, 2})
    boost::asio::co_spawn(io, wait_for_turn(*pairs[static_cast<std::size_t>(i)]->stream, Turn::kAfterOthers, i + 1, order), boost::asio::detached);
  io.poll();
  for (const auto& pair : pairs) pair->send("x");
  io.run();
  EXPECT_EQ(order, (std::vector<int>{1, -2, -3}));
}

TEST(Readiness, AConnectionIsQuietUntilItsPeerSpeaksOrLeaves) {
  boost::asio::io_context io{1};
  const Pair speaks(io);
  const Pair leaves(io);
  for (const Pair* pair : {&speaks, &leaves}) {
    EXPECT_FALSE(pair->stream->quiet());  // nothing is known yet
    pair->send("answer");
    EXPECT_EQ(start_wait(io, *pair->stream), error_code{});
    EXPECT_EQ(pair->read(), "answer");
    EXPECT_TRUE(pair->stream->quiet());
  }
  speaks.send("unasked");
  ::shutdown(leaves.peer.get(), SHUT_WR);
  // Somebody else's wait is what makes the thread look.
  const Pair other(io);
  other.send("x");
  EXPECT_EQ(start_wait(io, *other.stream), error_code{});
  EXPECT_FALSE(speaks.stream->quiet());
  EXPECT_FALSE(leaves.stream->quiet());
}

TEST(Readiness, AWaitEndsWithItsDeadlineAndWithACancellation) {
  boost::asio::io_context io{1};
  const Pair late(io);
  late.stream->set_deadline(Clock::now() + std::chrono::milliseconds(1));
  EXPECT_EQ(start_wait(io, *late.stream), error_code(errc::timeout));
  const Pair cancelled(io);
  std::optional<error_code> ended;
  boost::asio::co_spawn(io, wait_once(*cancelled.stream, Direction::kRead, ended), boost::asio::detached);
  io.restart();
  io.poll();
  cancelled.stream->cancel();
  io.run();
  EXPECT_EQ(ended, error_code(errc::cancelled));
  EXPECT_EQ(start_wait(io, *cancelled.stream), error_code(errc::cancelled));
}

awaitable<void> wait_and_destroy(std::vector<std::unique_ptr<Pair>>& pairs, std::size_t mine, int& awake) {
  co_await pairs[mine]->stream->wait(Direction::kRead);
  ++awake;
  // The others of this batch are woken too; the sockets that nobody waits for go now.
  pairs.back().reset();
}

TEST(Readiness, AStreamMayGoWhileItsEventIsStillInTheBatch) {
  boost::asio::io_context io{1};
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 3; ++i) pairs.push_back(std::make_unique<Pair>(io));
  int awake = 0;
  pairs[2]->send("x");
  EXPECT_EQ(start_wait(io, *pairs[2]->stream), error_code{});
  EXPECT_EQ(pairs[2]->read(), "x");
  for (const std::size_t mine : {0U, 1U}) boost::asio::co_spawn(io, wait_and_destroy(pairs, mine, awake), boost::asio::detached);
  io.restart();
  io.poll();
  for (const auto& pair : pairs) pair->send("y");
  io.run();
  EXPECT_EQ(awake, 2);
}

awaitable<void> wait_in_own_frame(boost::asio::io_context& io, std::shared_ptr<int> alive, Turn turn) {
  const Pair pair(io);
  if (turn == Turn::kAfterOthers) pair.stream->expect_bytes();
  co_await pair.stream->wait(Direction::kRead, turn);
  *alive = 1;
}

TEST(Readiness, CoroutinesThatStillWaitOrStandInLineAreTakenApartWithTheIoContext) {
  for (const Turn turn : {Turn::kAtOnce, Turn::kAfterOthers}) {
    auto alive = std::make_shared<int>(0);
    {
      boost::asio::io_context io{1};
      boost::asio::co_spawn(io, wait_in_own_frame(io, alive, turn), boost::asio::detached);
      io.poll_one();
      EXPECT_EQ(alive.use_count(), 2);
    }
    EXPECT_EQ(alive.use_count(), 1);
    EXPECT_EQ(*alive, 0);
  }
}

}  // namespace
}  // namespace gatehouse::net
