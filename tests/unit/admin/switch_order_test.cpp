#include "admin/switch_order.hpp"

#include <gtest/gtest.h>

namespace gatehouse::admin {
namespace {

using namespace std::chrono_literals;

TEST(SwitchOrder, NeedsNothingButTheNameOfAPool) {
  const SwitchOrderRead read = read_switch_order(R"({"to": "green"})");
  EXPECT_EQ(read.problem, "");
  SwitchOrder wanted;
  wanted.to = "green";
  EXPECT_EQ(read.order, wanted);
  EXPECT_EQ(wanted.percent, 100U);
  EXPECT_EQ(wanted.watch, 0ms);
}

TEST(SwitchOrder, TakesEverythingThatMayBeSaid) {
  const SwitchOrderRead read =
      read_switch_order(R"({"to":"green","percent":10,"watch":"2m","max_error_ratio":"1%","max_p95":"300ms","min_requests":50})");
  EXPECT_EQ(read.problem, "");
  EXPECT_EQ(read.order, (SwitchOrder{false, "green", 10, 2min, 0.01, 300ms, 50}));
}

TEST(SwitchOrder, TakesARatioAsANumberToo) {
  for (const char* const ratio : {"0.01", "\"0.01\"", "\"1%\"", "\"1.0%\""})
    EXPECT_EQ(read_switch_order(std::string(R"({"to":"b","watch":"1s","max_error_ratio":)") + ratio + "}").order.max_error_ratio, 0.01) << ratio;
  EXPECT_EQ(read_switch_order(R"({"to":"b","watch":"1s","max_error_ratio":0})").order.max_error_ratio, 0);
  EXPECT_EQ(read_switch_order(R"({"to":"b","watch":"1s","max_error_ratio":1})").order.max_error_ratio, 1);
}

TEST(SwitchOrder, TakesAnAbortAlone) {
  EXPECT_TRUE(read_switch_order(R"({"abort": true})").order.abort);
  EXPECT_EQ(read_switch_order(R"({"abort": true})").problem, "");
  EXPECT_NE(read_switch_order(R"({"abort": true, "to": "green"})").problem, "");
  EXPECT_NE(read_switch_order(R"({"abort": false})").problem, "");
  EXPECT_NE(read_switch_order(R"({"abort": 1})").problem, "");
}

TEST(SwitchOrder, SaysWhatIsWrong) {
  const auto problem = [](const std::string& text) { return read_switch_order(text).problem; };
  EXPECT_NE(problem("").find("JSON object"), std::string::npos);
  EXPECT_NE(problem("[]").find("JSON object"), std::string::npos);
  EXPECT_NE(problem(R"({"to": "green"} x)").find("JSON object"), std::string::npos);
  EXPECT_NE(problem(std::string(5000, ' ')).find("too large"), std::string::npos);
  EXPECT_NE(problem(std::string(3000, '[')).find("JSON object"), std::string::npos);
  EXPECT_NE(problem("{}").find("to is missing"), std::string::npos);
  EXPECT_NE(problem(R"({"to": 1})").find("to must be"), std::string::npos);
  EXPECT_NE(problem(R"({"to": ""})").find("to must be"), std::string::npos);
  EXPECT_NE(problem(R"({"to": ")" + std::string(65, 'a') + "\"}").find("to must be"), std::string::npos);
  for (const char* const percent : {"0", "101", "-1", "1.5", "\"10\"", "null", "1e2", "99999999999999999999"})
    EXPECT_NE(problem(std::string(R"({"to":"b","percent":)") + percent + "}").find("percent must be"), std::string::npos) << percent;
  for (const char* const watch : {"120", "\"120\"", "\"0s\"", "\"999ms\"", "\"25h\"", "\"-1s\"", "\"\"", "true"})
    EXPECT_NE(problem(std::string(R"({"to":"b","watch":)") + watch + "}").find("watch must be"), std::string::npos) << watch;
  for (const char* const ratio : {"2", "-0.1", "\"101%\"", "\"1 %\"", "\"%\"", "\"\"", "\"nan\"", "\"1e-2\"", "\"0x1p-3\"", "[]", "1e400"})
    EXPECT_NE(problem(std::string(R"({"to":"b","watch":"1s","max_error_ratio":)") + ratio + "}"), "") << ratio;
  EXPECT_NE(problem(R"({"to":"b","watch":"1s","max_p95":"10s"})").find("max_p95 must be"), std::string::npos);
  EXPECT_NE(problem(R"({"to":"b","watch":"1s","min_requests":0})").find("min_requests must be"), std::string::npos);
  EXPECT_NE(problem(R"({"to":"b","percentage":10})").find("the keys are"), std::string::npos);
}

TEST(SwitchOrder, KeepsNoLimitThatNobodyWouldLookAt) {
  EXPECT_EQ(read_switch_order(R"({"to":"b","max_p95":"300ms"})").problem, "max_p95 says nothing without watch");
  EXPECT_EQ(read_switch_order(R"({"to":"b","max_error_ratio":0.01})").problem, "max_error_ratio says nothing without watch");
}

}  // namespace
}  // namespace gatehouse::admin
