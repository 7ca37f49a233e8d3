#include "filters/chain.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using Log = std::vector<std::string>;

class Noting final : public HeaderFilter {
 public:
  Noting(std::string name, Log& log, bool answers = false) : name_(std::move(name)), log_(log), answers_(answers) {}
  std::optional<Response> on_request(Exchange& exchange) const override {
    log_.push_back(name_ + " in");
    if (answers_) return exchange.refuse(403, "No", "refused_here", ResponseFlag::kLocal);
    return std::nullopt;
  }
  void on_response(Exchange&, Response& response) const override {
    log_.push_back(name_ + " out " + std::to_string(response.status));
  }

 private:
  std::string name_;
  Log& log_;
  bool answers_;
};

// A filter that really waits, as one that asks another service does.
class Waiting final : public Filter {
 public:
  Waiting(std::string name, Log& log) : name_(std::move(name)), log_(log) {}
  awaitable<Response> handle(Exchange& exchange, Next next) const override {
    log_.push_back(name_ + " in");
    const auto executor = co_await boost::asio::this_coro::executor;
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
    Response response = co_await next(exchange);
    log_.push_back(name_ + " out " + std::to_string(response.status));
    co_return response;
  }

 private:
  std::string name_;
  Log& log_;
};

class Origin final : public Terminal {
 public:
  explicit Origin(Log& log) : log_(log) {}
  awaitable<Response> handle(Exchange& exchange) override {
    log_.push_back("origin");
    Response response(exchange.arena());
    response.status = 204;
    co_return response;
  }

 private:
  Log& log_;
};

struct ChainRun {
  Log log;
  Origin origin{log};
  std::vector<std::unique_ptr<Filter>> filters;
  int status = 0;

  template <class F, class... Args>
  void add(Args&&... args) {
    filters.push_back(std::make_unique<F>(std::forward<Args>(args)...));
  }
  static awaitable<void> serve(const Chain& chain, Exchange& exchange, int& status) {
    const Response response = co_await chain.run(exchange);
    status = response.status;
  }
  void run() {
    const Chain chain(std::move(filters), origin);
    Arena arena;
    Exchange exchange(arena);
    boost::asio::io_context io;
    boost::asio::co_spawn(io, serve(chain, exchange, status), [](std::exception_ptr failure) { EXPECT_FALSE(failure); });
    io.run();
  }
};

TEST(Chain, RunsFiltersOutermostFirstAndBack) {
  ChainRun chain;
  chain.add<Noting>("a", chain.log);
  chain.add<Noting>("b", chain.log);
  chain.run();
  EXPECT_EQ(chain.log, (Log{"a in", "b in", "origin", "b out 204", "a out 204"}));
}

TEST(Chain, StopsAtTheFilterThatAnswersAndDecoratesWithThoseOutside) {
  ChainRun chain;
  chain.add<Noting>("a", chain.log);
  chain.add<Noting>("b", chain.log, true);
  chain.add<Noting>("c", chain.log);
  chain.run();
  EXPECT_EQ(chain.log, (Log{"a in", "b in", "a out 403"}));
  EXPECT_EQ(chain.status, 403);
}

TEST(Chain, MixesFiltersThatWaitWithFiltersThatDoNot) {
  ChainRun chain;
  chain.add<Noting>("a", chain.log);
  chain.add<Waiting>("w", chain.log);
  chain.add<Noting>("b", chain.log);
  chain.add<Waiting>("x", chain.log);
  chain.run();
  EXPECT_EQ(chain.log, (Log{"a in", "w in", "b in", "x in", "origin", "x out 204", "b out 204", "w out 204", "a out 204"}));
}

TEST(Chain, WithoutFiltersIsItsTerminal) {
  ChainRun chain;
  chain.run();
  EXPECT_EQ(chain.log, (Log{"origin"}));
}

TEST(Exchange, RefusesWithAProblemDocumentThatCarriesTheRequestId) {
  Arena arena;
  Exchange exchange(arena);
  exchange.request_id = "abc";
  const Response response = exchange.refuse(429, "Too many", "rate_limited", ResponseFlag::kRateLimited);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.value(FieldId::content_type), "application/problem+json");
  EXPECT_NE(response.body.ready.find(R"("request_id":"abc")"), std::string_view::npos);
  EXPECT_NE(response.body.ready.find(R"("status":429)"), std::string_view::npos);
  EXPECT_TRUE(exchange.outcome().sidecar);
  EXPECT_EQ(exchange.outcome().reason, "rate_limited");
}

}  // namespace
}  // namespace gatehouse
