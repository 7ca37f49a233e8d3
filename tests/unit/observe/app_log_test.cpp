#include "observe/app_log.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

std::string through(std::string_view text, AppLogForm form, std::size_t piece = SIZE_MAX) {
  AppLog log(Redactor::standard(), form, [] { return std::chrono::system_clock::time_point(1782909296789ms); });
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += std::min(piece, text.size() - i)) log.feed(text.substr(i, piece), out);
  log.finish(out);
  return out;
}

std::string wrapped(std::string_view text) { return through(text, AppLogForm::kJsonLines); }

std::vector<boost::json::object> events(std::string_view text, std::size_t piece = SIZE_MAX) {
  std::vector<boost::json::object> all;
  const std::string out = through(text, AppLogForm::kJsonLines, piece);
  for (std::size_t begin = 0; begin < out.size();) {
    const std::size_t end = out.find('\n', begin);
    EXPECT_NE(end, std::string::npos);
    all.push_back(boost::json::parse(std::string_view(out).substr(begin, end - begin)).as_object());
    begin = end + 1;
  }
  return all;
}

}  // namespace

TEST(AppLog, LeavesEverythingButSecretsAsWritten) {
  EXPECT_EQ(through("a\r\n\n  b password=hunter2\n{\"x\":1}\nlast", AppLogForm::kAsWritten),
            "a\r\n\n  b password=REDACTED\n{\"x\":1}\nlast");
}

TEST(AppLog, WrapsTextInJsonLines) {
  EXPECT_EQ(wrapped("hello \"you\"\n"),
            R"({"timestamp":"2026-07-01T12:34:56.789Z","level":"info","logger":"app","message":"hello \"you\""})"
            "\n");
}

TEST(AppLog, PassesJsonObjectsOnAsTheyAre) {
  EXPECT_EQ(wrapped(" {\"msg\":\"x\",\"token\":\"abc\"} \r\n"), "{\"msg\":\"x\",\"token\":\"REDACTED\"}\n");
}

TEST(AppLog, WrapsWhatOnlyLooksLikeJson) {
  for (const auto* line :
       {"{not json}", "{\"a\":1}{\"b\":2}", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", "[1,2]", "{\"a\":1", "{}}"}) {
    const auto all = events(std::string(line) + "\n");
    ASSERT_EQ(all.size(), 1u) << line;
    EXPECT_TRUE(all[0].contains("message")) << line;
  }
}

TEST(AppLog, KeepsATracebackTogether) {
  const std::string_view text =
      "2026-07-01 12:00:00 ERROR app: request failed\n"
      "Traceback (most recent call last):\n"
      "  File \"/app/main.py\", line 12, in login\n"
      "    check(password='hunter2')\n"
      "ValueError: bad\n"
      "\n"
      "During handling of the above exception, another exception occurred:\n"
      "\n"
      "Traceback (most recent call last):\n"
      "  File \"/app/main.py\", line 20, in handler\n"
      "KeyError: 'x'\n"
      "next event\n";
  for (std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
    const auto all = events(text, piece);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].at("level"), "error");
    const std::string message(all[0].at("message").as_string());
    EXPECT_NE(message.find("KeyError"), std::string::npos);
    EXPECT_EQ(message.find("hunter2"), std::string::npos);
    EXPECT_EQ(all[1].at("message"), "next event");
  }
}

TEST(AppLog, KeepsStacksOfOtherLanguagesTogether) {
  for (const auto* text :
       {"java.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)\nCaused by: y\n\t... 3 more\n",
        "Error: x\n    at f (/app/a.js:1:2)\n    at g (/app/a.js:3:4)\n",
        "app.rb:1:in `x': bad (RuntimeError)\n\tfrom app.rb:2:in `y'\n",
        "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:3 +0x1\nexit status 2\n"}) {
    EXPECT_EQ(events(text).size(), 1u) << text;
  }
}

TEST(AppLog, SeparatesEventsOfOneLineEach) { EXPECT_EQ(events("one\ntwo\n\nthree").size(), 3u); }

TEST(AppLog, TellsAnEventWhenNothingMoreComes) {
  AppLog log(Redactor::standard(), AppLogForm::kJsonLines);
  std::string out;
  log.feed("one line\n", out);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(log.waiting());
  log.pause(out);
  EXPECT_NE(out.find("one line"), std::string::npos);
  EXPECT_FALSE(log.waiting());
}

TEST(AppLog, TellsAnEndlessLineInParts) {
  std::string out;
  AppLog log(Redactor::standard(), AppLogForm::kJsonLines);
  const std::string piece(10000, 'x');
  std::size_t longest = 0;
  for (int i = 0; i < 500; ++i) {
    log.feed(piece, out);
    longest = std::max(longest, out.size());
    out.clear();
  }
  EXPECT_LT(longest, 4 * AppLog::kLongestEvent);
  const auto all = events(std::string(3 * AppLog::kLongestEvent, 'x') + "\nnext\n");
  std::size_t told = 0;
  for (const auto& event : all)
    if (event.at("message").as_string().starts_with("x")) told += event.at("message").as_string().size();
  EXPECT_EQ(told, 3 * AppLog::kLongestEvent);
  EXPECT_TRUE(all[1].contains("continued"));
  EXPECT_EQ(all.back().at("message"), "next");
}

TEST(AppLog, ReadsTheLevelThatALoggerTells) {
  EXPECT_EQ(told_level("2026-07-01 WARNING app: x"), "warn");
  EXPECT_EQ(told_level("[error] x"), "error");
  EXPECT_EQ(told_level("level=debug msg=x"), "debug");
  EXPECT_EQ(told_level("ERROR:root:x"), "error");
  EXPECT_EQ(told_level("error: x"), "error");
  EXPECT_EQ(told_level("FATAL x"), "critical");
  EXPECT_EQ(told_level("npm WARN x"), "warn");
  EXPECT_EQ(told_level("the error is gone"), "info");
  EXPECT_EQ(told_level(""), "info");
}
