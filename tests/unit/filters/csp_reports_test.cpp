#include "filters/csp_reports.hpp"

#include "filters/chain.hpp"
#include "filters/security_headers.hpp"
#include "support/filter_probe.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace gatehouse {
namespace {

using test::FilterProbe;
using test::one;

constexpr std::string_view kLegacy = R"({"csp-report":{"document-uri":"https://app.example/page?token=secret#x",
  "referrer":"https://other.example/","violated-directive":"script-src-elem 'self'","effective-directive":"script-src-elem",
  "original-policy":"default-src 'self'","disposition":"enforce","blocked-uri":"https://evil.example/a.js?q=1","line-number":7,
  "source-file":"https://app.example/page?token=secret","status-code":200,"script-sample":"secret"
}
})";

constexpr std::string_view kModern = R"([{"type":"csp-violation","age":3,"url":"https://app.example/","user_agent":"x",
  "body":{"documentURL":"https://app.example/page?token=secret","blockedURL":"inline","effectiveDirective":"style-src-attr",
  "disposition":"report","sourceFile":"https://app.example/app.js","lineNumber":12,"sample":"secret"}},
  {"type":"deprecation","body":{"id":"x"}},{"type":"csp-violation","body":{}}])";

TEST(CspReport, IsReadFromTheFormOfReportUri) {
  const auto reports = parse_csp_reports(kLegacy);
  ASSERT_TRUE(reports);
  ASSERT_EQ(reports->size(), 1u);
  const CspReport& report = reports->front();
  EXPECT_EQ(report.document, "https://app.example/page");
  EXPECT_EQ(report.directive, "script-src-elem");
  EXPECT_EQ(report.blocked, "https://evil.example/a.js");
  EXPECT_EQ(report.disposition, "enforce");
  EXPECT_EQ(report.source_file, "https://app.example/page");
  EXPECT_EQ(report.line, 7);
}

TEST(CspReport, IsReadFromTheFormOfTheReportingApi) {
  const auto reports = parse_csp_reports(kModern);
  ASSERT_TRUE(reports);
  ASSERT_EQ(reports->size(), 2u);
  EXPECT_EQ(reports->front().document, "https://app.example/page");
  EXPECT_EQ(reports->front().directive, "style-src-attr");
  EXPECT_EQ(reports->front().blocked, "inline");
  EXPECT_EQ(reports->front().line, 12);
  EXPECT_EQ(reports->back().document, "");
}

TEST(CspReport, NamesTheDirectiveOfCsp2WithoutItsValue) {
  const auto reports = parse_csp_reports(R"({"csp-report":{"violated-directive":"img-src https://a.example"}})");
  ASSERT_TRUE(reports);
  EXPECT_EQ(reports->front().directive, "img-src");
}

TEST(CspReport, IsBoundedInEveryPart) {
  const std::string url = "https://app.example/" + std::string(5000, 'a');
  const auto reports =
      parse_csp_reports(R"({"csp-report":{"document-uri":")" + url + R"(","effective-directive":")" + url + R"("}})");
  ASSERT_TRUE(reports);
  EXPECT_LE(reports->front().document.size(), 512u);
  EXPECT_LE(reports->front().directive.size(), 64u);
  std::string many = "[";
  for (int i = 0; i < 1000; ++i) many += std::string(i == 0 ? "" : ",") + R"({"type":"csp-violation","body":{}})";
  const auto kept = parse_csp_reports(many + "]");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size(), kMostCspReports);
}

TEST(CspReport, IsRefusedWhereItIsNone) {
  for (const std::string_view body :
       {"", "x", "{}", "[1,2", "3", "\"a\"", R"({"csp-report":1})", R"({"csp-report":{"document-uri":"\xff"}})",
        "[[[[[[[[[[[[1]]]]]]]]]]]]", "{}x", "{\"csp-report\":{\"document-uri\":\"\xff\"}}"})
    EXPECT_FALSE(parse_csp_reports(body)) << body;
  for (const std::string_view body :
       {"[]", "[1,null,{}]", R"([{"type":1,"body":{}},{"type":"csp-violation","body":1}])"}) {
    const auto reports = parse_csp_reports(body);
    ASSERT_TRUE(reports) << body;
    EXPECT_TRUE(reports->empty()) << body;
  }
  const auto odd = parse_csp_reports(R"({"csp-report":{"document-uri":1,"line-number":1e300,"disposition":null}})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->front().line, 0);
}

class ScriptedBody final : public BodyReader {
 public:
  explicit ScriptedBody(std::vector<std::string> pieces, error_code end = {}) : pieces_(std::move(pieces)), end_(end) {}
  awaitable<result<std::string_view>> read() override {
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (end_) co_return end_;
    co_return std::string_view{};
  }
  std::size_t pieces_read() const { return next_; }

 private:
  std::vector<std::string> pieces_;
  error_code end_;
  std::size_t next_ = 0;
};

class App final : public Terminal {
 public:
  awaitable<Response> handle(Exchange& exchange) override {
    Response response(exchange.arena());
    response.status = 299;
    co_return response;
  }
};

awaitable<void> serve(const Chain& chain, Exchange& exchange, std::optional<Response>& out) {
  out = co_await chain.run(exchange);
}

class Endpoint {
 public:
  explicit Endpoint(unsigned per_second = 10) {
    std::vector<std::unique_ptr<Filter>> filters;
    CspReports::Options options;
    options.per_second = per_second;
    filters.push_back(std::make_unique<CspReports>(
        options, [this](const CspReport& report) { seen.push_back(report); }, counters));
    chain_.emplace(std::move(filters), app_);
  }
  Response ask(FilterProbe& probe) {
    std::optional<Response> out;
    boost::asio::io_context io;
    boost::asio::co_spawn(io, serve(*chain_, probe.exchange, out), [](std::exception_ptr) {});
    io.run();
    return out.value();
  }
  std::vector<CspReport> seen;
  CspCounters counters;

 private:
  App app_;
  std::optional<Chain> chain_;
};

struct Post : FilterProbe {
  explicit Post(std::string_view body, std::string_view type = "application/csp-report")
      : FilterProbe(Method::kPost, "/.well-known/csp-reports") {
    with("Content-Type", type);
    exchange.request().body = {body, nullptr, body.size()};
  }
};

TEST(CspReports, TakesAReportAndHandsItOn) {
  Endpoint endpoint;
  Post legacy(kLegacy);
  const Response response = endpoint.ask(legacy);
  EXPECT_EQ(response.status, 204);
  EXPECT_TRUE(legacy.exchange.outcome().sidecar);
  Post modern(kModern, "application/reports+json; charset=utf-8");
  EXPECT_EQ(endpoint.ask(modern).status, 204);
  EXPECT_EQ(endpoint.seen.size(), 3u);
  EXPECT_EQ(endpoint.counters.reported.get(), 3u);
}

TEST(CspReports, LeavesEveryOtherPathToTheApp) {
  Endpoint endpoint;
  for (const std::string_view path : {"/", "/.well-known/csp-reports/", "/.well-known/csp-report"}) {
    FilterProbe probe(Method::kPost, path);
    EXPECT_EQ(endpoint.ask(probe).status, 299) << path;
  }
}

TEST(CspReports, ReadsABodyThatComesInPieces) {
  Endpoint endpoint;
  const std::string whole(kLegacy);
  ScriptedBody rest({whole.substr(10, 50), whole.substr(60)});
  Post probe(std::string_view(whole).substr(0, 10));
  probe.exchange.request().body.rest = &rest;
  probe.exchange.request().body.length.reset();
  EXPECT_EQ(endpoint.ask(probe).status, 204);
  EXPECT_EQ(endpoint.seen.size(), 1u);
}

TEST(CspReports, StopsReadingWhatIsTooLarge) {
  Endpoint endpoint;
  Post declared("x");
  declared.exchange.request().body.length = 1 << 20;
  EXPECT_EQ(endpoint.ask(declared).status, 413);
  ScriptedBody endless(std::vector<std::string>(1000, std::string(1024, 'a')));
  Post streamed("");
  streamed.exchange.request().body = {"", &endless, std::nullopt};
  EXPECT_EQ(endpoint.ask(streamed).status, 413);
  EXPECT_LE(endless.pieces_read(), 65u);
}

TEST(CspReports, SaysWhyABodyCouldNotBeRead) {
  const struct {
    errc error;
    int status;
  } cases[] = {{errc::timeout, 408}, {errc::reset, 400}, {errc::too_large, 413}, {errc::malformed, 400}};
  for (const auto& each : cases) {
    Endpoint endpoint;
    ScriptedBody broken({"{"}, each.error);
    Post probe("");
    probe.exchange.request().body = {"", &broken, std::nullopt};
    EXPECT_EQ(endpoint.ask(probe).status, each.status);
    EXPECT_TRUE(endpoint.seen.empty());
  }
}

TEST(CspReports, TakesNothingElse) {
  Endpoint endpoint;
  FilterProbe get(Method::kGet, "/.well-known/csp-reports");
  const Response response = endpoint.ask(get);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(one(response, "allow"), "POST");
  Post form("a=b", "application/x-www-form-urlencoded");
  EXPECT_EQ(endpoint.ask(form).status, 415);
  Post nonsense("nonsense");
  EXPECT_EQ(endpoint.ask(nonsense).status, 204);
  EXPECT_EQ(endpoint.counters.malformed.get(), 1u);
  EXPECT_TRUE(endpoint.seen.empty());
}

TEST(CspReports, LogsSoManyASecondAndNoMore) {
  Endpoint endpoint(2);
  const std::chrono::steady_clock::time_point start{std::chrono::hours{1}};
  const auto post_at = [&](std::chrono::milliseconds after) {
    Post probe(kLegacy);
    probe.exchange.started_at = start + after;
    return endpoint.ask(probe).status;
  };
  EXPECT_EQ(post_at(std::chrono::milliseconds{0}), 204);
  EXPECT_EQ(post_at(std::chrono::milliseconds{0}), 204);
  EXPECT_EQ(post_at(std::chrono::milliseconds{0}), 429);
  EXPECT_EQ(post_at(std::chrono::milliseconds{499}), 429);
  EXPECT_EQ(post_at(std::chrono::milliseconds{501}), 204);
  EXPECT_EQ(endpoint.seen.size(), 3u);
  EXPECT_EQ(endpoint.counters.dropped.get(), 2u);
}

TEST(CspReports, CountsEachViolationOfABodyAgainstTheRate) {
  Endpoint endpoint(5);
  std::string many = "[";
  for (int i = 0; i < 10; ++i) many += std::string(i == 0 ? "" : ",") + R"({"type":"csp-violation","body":{}})";
  many += "]";
  Post probe(many, "application/reports+json");
  EXPECT_EQ(endpoint.ask(probe).status, 204);
  EXPECT_EQ(endpoint.seen.size(), 5u);
  EXPECT_EQ(endpoint.counters.dropped.get(), 5u);
}

TEST(CspReports, AreAskedForOnlyWhereTheConfigurationSaysSo) {
  CspCounters counters;
  const auto made = [&](std::string_view yaml) {
    return test::read_section(yaml, SecurityHeaders::section(), [&](OptionsReader& reader) {
      return CspReports::make(
                 reader, [](const CspReport&) {}, counters) != nullptr;
    });
  };
  EXPECT_FALSE(made("security_headers: api"));
  EXPECT_TRUE(made("security_headers: { preset: api, reports: {} }"));
  EXPECT_TRUE(made("security_headers: { preset: api, reports: /csp }"));
}

}  // namespace
}  // namespace gatehouse
