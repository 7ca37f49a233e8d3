#include "health/check_loop.hpp"

#include "net/task_group.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

namespace gatehouse::health {
namespace {

// Gives the answers of its script, one each time.
class ScriptedProber final : public Prober {
 public:
  explicit ScriptedProber(std::vector<std::string> answers) : answers_(std::move(answers)) {}
  awaitable<std::string> probe(net::Clock::time_point) override {
    std::string answer = answers_.at(next_++);
    if (answer == "throw") throw std::runtime_error("secret");
    co_return answer;
  }

 private:
  std::vector<std::string> answers_;
  std::size_t next_ = 0;
};

struct Seen {
  bool healthy;
  std::string error;
  bool operator==(const Seen&) const = default;
};

// Runs the script; every change that was told, until `last` of them.
std::vector<Seen> changes(std::vector<std::string> answers, std::size_t last, observe::HealthBoard& board, int rise = 1,
                          int fall = 2) {
  boost::asio::io_context io{1};
  const std::size_t number = board.add("database", "postgres", true);
  gatehouse::Probe times{.interval = milliseconds(1), .timeout = milliseconds(1000), .rise = rise, .fall = fall};
  std::vector<Seen> seen;
  std::unique_ptr<CheckLoop> loop;
  loop = std::make_unique<CheckLoop>(io, std::make_unique<ScriptedProber>(std::move(answers)), times, board, number,
                                     [&](bool healthy, const std::string& error) {
                                       seen.push_back({healthy, error});
                                       if (seen.size() == last) loop->stop();
                                     });
  net::TaskGroup tasks(io, [](const std::string& what) { ADD_FAILURE() << what; });
  tasks.spawn(loop->run());
  io.run();
  return seen;
}

TEST(CheckLoop, TellsTheFirstAnswerAndThenOnlyChanges) {
  observe::HealthBoard board;
  const std::vector<Seen> expected{{true, ""}, {false, "down"}, {true, ""}};
  EXPECT_EQ(changes({"", "", "down", "", "down", "down", "down", ""}, 3, board), expected);
}

TEST(CheckLoop, ReportsToTheBoard) {
  observe::HealthBoard board;
  changes({"down"}, 1, board);
  EXPECT_EQ(board.overall(), observe::Health::kFail);
  EXPECT_EQ(board.results().at(0).error, "down");
  EXPECT_EQ(board.results().at(0).kind, "postgres");
}

TEST(CheckLoop, OneBadAnswerLeavesNoErrorOnTheBoard) {
  observe::HealthBoard board;
  const std::vector<Seen> expected{{true, ""}, {false, "second"}};
  EXPECT_EQ(changes({"", "first", "second"}, 2, board), expected);
}

TEST(CheckLoop, AnExceptionOfAProberIsABadAnswerThatTellsNothing) {
  observe::HealthBoard board;
  const std::vector<Seen> expected{{false, "could not be asked"}, {true, ""}};
  EXPECT_EQ(changes({"throw", ""}, 2, board), expected);
}

}  // namespace
}  // namespace gatehouse::health
