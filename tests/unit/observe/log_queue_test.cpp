#include "observe/log_queue.hpp"

#include <gtest/gtest.h>

#include <thread>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

// Everything that waits, as one text.
std::string drain(LogQueue& queue) {
  std::string all;
  std::vector<LogChunk> chunks = queue.take(0ms);
  for (const LogChunk& chunk : chunks) all += chunk.lines;
  queue.give_back(std::move(chunks));
  return all;
}

std::string lines(std::size_t size) { return std::string(size - 1, 'x') + "\n"; }

}  // namespace

TEST(LogQueue, GivesLinesBackInOrder) {
  LogQueue queue;
  std::string a = "a\n", b = lines(40000);
  EXPECT_TRUE(queue.push(a, 1));
  EXPECT_TRUE(queue.push(b, 1));
  EXPECT_TRUE(queue.push_line("c\n"));
  EXPECT_TRUE(a.empty());
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(drain(queue), "a\n" + lines(40000) + "c\n");
  EXPECT_EQ(queue.waiting_bytes(), 0u);
  EXPECT_EQ(queue.dropped_lines(), 0u);
}

TEST(LogQueue, DropsAndCountsWhatFindsNoRoom) {
  LogQueue queue(100);
  EXPECT_TRUE(queue.push_line(lines(60)));
  std::string more = lines(30) + lines(30);
  EXPECT_FALSE(queue.push(more, 2));
  EXPECT_TRUE(more.empty());
  EXPECT_FALSE(queue.push_line(lines(41)));
  EXPECT_TRUE(queue.push_line(lines(40)));
  EXPECT_EQ(queue.dropped_lines(), 3u);
  EXPECT_EQ(drain(queue), lines(60) + lines(40));
}

TEST(LogQueue, CountsWhatTheWriterHoldsAsWaiting) {
  LogQueue queue(100);
  queue.push_line(lines(100));
  std::vector<LogChunk> held = queue.take(0ms);
  EXPECT_FALSE(queue.push_line("x\n"));
  queue.give_back(std::move(held));
  EXPECT_TRUE(queue.push_line("x\n"));
}

TEST(LogQueue, JoinsSmallHandOversSoThatMemoryStaysNearTheBound) {
  LogQueue queue;
  for (int i = 0; i < 1000; ++i) {
    std::string few = "a line\n";
    few.reserve(LogBuffer::kHandOver);
    queue.push(few, 1);
  }
  EXPECT_EQ(queue.take(0ms).size(), 1u);
}

TEST(LogQueue, RecyclesBuffers) {
  LogQueue queue;
  std::string first = lines(40000);
  const char* memory = first.data();
  queue.push(first, 1);
  drain(queue);
  std::string second = lines(20000);
  queue.push(second, 1);
  EXPECT_EQ(second.data(), memory);
}

TEST(LogQueue, RefusesLinesAfterClose) {
  LogQueue queue;
  queue.push_line("a\n");
  queue.close();
  EXPECT_FALSE(queue.push_line("b\n"));
  EXPECT_EQ(queue.dropped_lines(), 1u);
  EXPECT_EQ(drain(queue), "a\n");
}

TEST(LogQueue, TakeEndsWhenWoken) {
  LogQueue queue;
  queue.wake();
  EXPECT_TRUE(queue.take(1h).empty());
  queue.close();
  EXPECT_TRUE(queue.take(1h).empty());
}

TEST(LogQueue, BlocksUntilThereIsRoomWhenAskedTo) {
  LogQueue queue(100, LogOverflow::kBlock);
  queue.push_line(lines(100));
  std::thread worker([&] { EXPECT_TRUE(queue.push_line("late\n")); });
  std::string all = drain(queue);
  worker.join();
  all += drain(queue);
  EXPECT_EQ(all, lines(100) + "late\n");
}

TEST(LogQueue, CloseLetsABlockedThreadGo) {
  LogQueue queue(100, LogOverflow::kBlock);
  queue.push_line(lines(100));
  std::thread worker([&] { EXPECT_FALSE(queue.push_line("late\n")); });
  queue.close();
  worker.join();
}

TEST(LogQueue, NeverBlocksForALineThatCannotFit) {
  LogQueue queue(100, LogOverflow::kBlock);
  EXPECT_FALSE(queue.push_line(lines(101)));
}

TEST(LogQueue, LosesNothingBetweenManyThreads) {
  constexpr int kThreads = 4, kLines = 5000;
  LogQueue queue(std::size_t{1} << 30);
  std::vector<std::thread> workers;
  for (int t = 0; t < kThreads; ++t)
    workers.emplace_back([&queue] {
      LogBuffer buffer(queue);
      for (int i = 0; i < kLines; ++i) {
        buffer.text() += "some line of text\n";
        buffer.line_added();
        if (i % 97 == 0) buffer.flush();
      }
    });
  std::size_t taken = 0;
  while (taken < kThreads * kLines) {
    std::vector<LogChunk> chunks = queue.take(10s);
    for (const LogChunk& chunk : chunks) {
      EXPECT_EQ(chunk.lines.size(), chunk.count * 18);
      taken += chunk.count;
    }
    queue.give_back(std::move(chunks));
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(taken, std::size_t{kThreads * kLines});
  EXPECT_EQ(queue.waiting_bytes(), 0u);
}

TEST(LogBuffer, HandsOverWhenFullWhenFlushedAndWhenItEnds) {
  LogQueue queue;
  {
    LogBuffer buffer(queue);
    buffer.text() += "a\n";
    buffer.line_added();
    EXPECT_FALSE(buffer.empty());
    EXPECT_EQ(queue.waiting_bytes(), 0u);
    buffer.flush();
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(queue.waiting_bytes(), 2u);
    buffer.text() += lines(LogBuffer::kHandOver);
    buffer.line_added();
    EXPECT_EQ(queue.waiting_bytes(), 2u + LogBuffer::kHandOver);
    buffer.text() += "b\n";
    buffer.line_added();
  }
  EXPECT_EQ(drain(queue), "a\n" + lines(LogBuffer::kHandOver) + "b\n");
}

TEST(LogQueue, LeavesHalfOfItsRoomToTheRecordsOfRequests) {
  LogQueue queue(100);
  EXPECT_TRUE(queue.push_line_patiently(std::string(50, 'a'), std::chrono::milliseconds(0)));
  EXPECT_FALSE(queue.push_line_patiently(std::string(10, 'b'), std::chrono::milliseconds(0)));
  EXPECT_TRUE(queue.push_line(std::string(50, 'c')));
  EXPECT_EQ(queue.dropped_lines(), 1u);
}

TEST(LogQueue, HoldsTheApplicationUpUntilTheWriterHasMadeRoom) {
  LogQueue queue(100);
  ASSERT_TRUE(queue.push_line(std::string(80, 'a')));
  std::thread writer([&] {
    while (queue.waiting_bytes() == 0) std::this_thread::yield();
    queue.give_back(queue.take(std::chrono::milliseconds(0)));
  });
  EXPECT_TRUE(queue.push_line_patiently(std::string(40, 'b'), std::chrono::hours(1)));
  writer.join();
  EXPECT_EQ(queue.dropped_lines(), 0u);
}

TEST(LogQueue, LetsTheApplicationGoWhenItCloses) {
  for (const auto overflow : {LogOverflow::kDrop, LogOverflow::kBlock}) {
    LogQueue queue(100, overflow);
    ASSERT_TRUE(queue.push_line(std::string(80, 'a')));
    std::thread closer([&] { queue.close(); });
    EXPECT_FALSE(queue.push_line_patiently(std::string(40, 'b'), std::chrono::hours(1)));
    closer.join();
  }
}
