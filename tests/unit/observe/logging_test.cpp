#include "observe/logging.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <boost/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

// A log that goes to a file of its own, and what was written there.
class LoggingToFile : public testing::Test {
 protected:
  ~LoggingToFile() override {
    logging_.reset();
    std::filesystem::remove(options_.output);
  }
  Logging& start() {
    options_.output =
        (std::filesystem::path(testing::TempDir()) / ("gatehouse_log_" + std::to_string(::getpid()) + "_" +
                                                      testing::UnitTest::GetInstance()->current_test_info()->name()))
            .string();
    auto started = Logging::start(options_, redactor_);
    EXPECT_TRUE(started);
    logging_ = std::move(*started);
    return *logging_;
  }
  std::string written() {
    logging_->stop(10s);
    std::ostringstream text;
    text << std::ifstream(options_.output).rdbuf();
    return text.str();
  }
  boost::json::object line() {
    const std::string text = written();
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    return boost::json::parse(std::string_view(text).substr(0, text.size() - 1)).as_object();
  }

  LoggingOptions options_;
  std::shared_ptr<const Redactor> redactor_ = Redactor::standard();
  std::unique_ptr<Logging> logging_;
};

std::string text_line(const LogLine& line, LogFormat format = LogFormat::kText) {
  std::string out;
  write_log_line(line, format, *Redactor::standard(), out);
  return out;
}

}  // namespace

TEST_F(LoggingToFile, WritesSentencesAsJson) {
  start().logger("net")->warn("listening on {}", 8080);
  const auto object = line();
  EXPECT_EQ(object.at("level"), "warn");
  EXPECT_EQ(object.at("logger"), "net");
  EXPECT_EQ(object.at("message"), "listening on 8080");
  EXPECT_EQ(object.at("timestamp").as_string().size(), 24u);
}

TEST_F(LoggingToFile, WritesFieldsWithTheirTypes) {
  start().logger("tls")->event(spdlog::level::err, "certificate expires",
                               {{"path", "/tls/a.crt"},
                                {"days", 3},
                                {"bytes", std::size_t{7}},
                                {"ratio", 0.5},
                                {"renewed", false},
                                {"left", 90s},
                                {"api_key", "not-a-key"},
                                {"pin", 1234},
                                {"level", "fake"}});
  const auto object = line();
  EXPECT_EQ(object.at("level"), "error");
  EXPECT_EQ(object.at("path"), "/tls/a.crt");
  EXPECT_EQ(object.at("days"), 3);
  EXPECT_EQ(object.at("bytes"), 7u);
  EXPECT_EQ(object.at("ratio"), 0.5);
  EXPECT_EQ(object.at("renewed"), false);
  EXPECT_EQ(object.at("left"), 90.0);
  EXPECT_EQ(object.at("api_key"), "REDACTED");
  EXPECT_EQ(object.at("pin"), "REDACTED");
  EXPECT_EQ(object.at("field.level"), "fake");
}

TEST_F(LoggingToFile, KeepsALevelForEachComponent) {
  options_.levels = {{"net", spdlog::level::debug}};
  Logging& logging = start();
  logging.logger("net")->debug("1");
  logging.logger("proxy")->debug("hidden");
  logging.set_level("proxy", spdlog::level::debug);
  logging.logger("proxy")->debug("2");
  logging.set_level(spdlog::level::err);
  logging.logger("admin")->warn("hidden");
  logging.logger("proxy")->debug("3");
  logging.set_level("later", spdlog::level::trace);
  logging.logger("later")->trace("4");
  logging.logger("admin")->event(spdlog::level::info, "hidden", {});
  const std::string text = written();
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  for (const auto* message : {"\"1\"", "\"2\"", "\"3\"", "\"4\""}) EXPECT_NE(text.find(message), std::string::npos);
}

TEST_F(LoggingToFile, GivesTheSameLoggerForTheSameComponent) {
  Logging& logging = start();
  EXPECT_EQ(logging.logger("net"), logging.logger("net"));
}

TEST_F(LoggingToFile, TakesANewRedactorWhileItRuns) {
  Logging& logging = start();
  std::string problem;
  logging.set_redactor(Redactor::make({.names = {"shoe_size"}}, problem));
  logging.logger("app")->event(spdlog::level::info, "order", {{"shoe_size", "44"}});
  EXPECT_EQ(line().at("shoe_size"), "REDACTED");
}

TEST_F(LoggingToFile, CountsWhatItLoses) {
  options_.queue_bytes = 10;
  start().logger("net")->info("longer than the queue");
  const auto object = line();
  EXPECT_EQ(object.at("message"), "log lines dropped");
  EXPECT_EQ(object.at("count"), 1);
  EXPECT_EQ(logging_->counters().dropped_lines, 1u);
}

TEST_F(LoggingToFile, LosesQuietlyWhatIsSaidAfterTheEnd) {
  const auto logger = start().logger("net");
  logging_.reset();
  logger->info("too late");
}

TEST_F(LoggingToFile, TakesLinesFromManyThreads) {
  Logging& logging = start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      LogBuffer buffer(logging.queue());
      const auto logger = logging.logger("worker");
      for (int i = 0; i < 200; ++i) {
        logger->info("spoken");
        buffer.text() += "{}\n";
        buffer.line_added();
      }
    });
  for (auto& thread : threads) thread.join();
  const std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1600);
  EXPECT_EQ(logging.counters().written_bytes, text.size());
}

TEST(Logging, SaysWhyItCannotStart) {
  const auto started = Logging::start({.output = "/nonexistent/a.log"}, Redactor::standard());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), boost::system::errc::no_such_file_or_directory);
}

TEST(LogLine, HasATextFormForPeople) {
  const LogField fields[] = {{"path", "/a b"},         {"n", 3},    {"on", true}, {"took", 1500us},
                             {"token", "not-a-token"}, {"none", ""}};
  const LogLine line{std::chrono::system_clock::time_point(1782909296789ms), "warn", "net", "it broke", fields};
  EXPECT_EQ(text_line(line),
            "2026-07-01T12:34:56.789Z WARN  net: it broke path=\"/a b\" n=3 on=true took=0.001500s token=REDACTED "
            "none=\"\"\n");
  EXPECT_EQ(text_line({line.time, "error", "net", "x", {}}, LogFormat::kColoredText),
            "2026-07-01T12:34:56.789Z \x1b[31mERROR\x1b[0m net: x\n");
}

TEST(LogLine, CannotBeForged) {
  const LogField fields[] = {{"a\nb", "c\"\nd"}};
  const std::string line = text_line({{}, "info", "net", "one\n2026 INFO two\x1b[2J", fields});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST_F(LoggingToFile, TakesTheLevelsOfANewConfigurationAndForgetsWhatWasSetByHand) {
  Logging& logging = start();
  const auto upstream = logging.logger("upstream"), proxy = logging.logger("proxy");
  logging.set_level("proxy", spdlog::level::trace);
  logging.set_levels({spdlog::level::warn, {{"upstream", spdlog::level::debug}, {"health", spdlog::level::err}}});
  EXPECT_EQ(upstream->level(), spdlog::level::debug);
  EXPECT_EQ(proxy->level(), spdlog::level::warn);
  EXPECT_EQ(logging.logger("health")->level(), spdlog::level::err);
  EXPECT_EQ(logging.levels().level, spdlog::level::warn);
  EXPECT_EQ(logging.levels().components.size(), 2u);
}

TEST_F(LoggingToFile, WritesToANewFileAfterRotation) {
  Logging& logging = start();
  const auto logger = logging.logger("x");
  logger->info("before");
  const std::string rotated = options_.output + ".1";
  const auto size = [](const std::string& path) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    return error ? 0 : bytes;
  };
  while (size(options_.output) == 0) std::this_thread::yield();
  std::filesystem::rename(options_.output, rotated);
  logging.reopen();
  while (!std::filesystem::exists(options_.output)) std::this_thread::yield();
  logger->info("behind");
  EXPECT_NE(written().find("behind"), std::string::npos);
  std::ostringstream old;
  old << std::ifstream(rotated).rdbuf();
  EXPECT_NE(old.str().find("before"), std::string::npos);
  EXPECT_EQ(old.str().find("behind"), std::string::npos);
  std::filesystem::remove(rotated);
}
