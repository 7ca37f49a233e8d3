#include "admin/endpoints.hpp"

#include "admin/verbs.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

// GET /switch: where the traffic goes, and what became of the last switch. POST /switch: a switch, answered when it is over.

namespace gatehouse::admin {
namespace {

constexpr std::string_view kJson = "application/json";
// Beyond the watch: until all addresses of the pool have been checked.
constexpr std::chrono::minutes kCheckPatience{10};

Response page(Exchange& exchange, int status, const boost::json::object& told, std::string_view reason) {
  return uncached(exchange, status, kJson, boost::json::serialize(told) + "\n", reason);
}

Response refuse_body(Exchange& exchange, error_code error) {
  if (error == errc::too_large) return exchange.refuse(413, "An order to switch is shorter", "switch_order_too_large", ResponseFlag::kLocal);
  if (error == errc::timeout)
    return exchange.refuse(408, "The order did not come in time", "request_body_timeout", ResponseFlag::kDownstreamTimeout);
  return exchange.refuse(400, "The order ended early", "request_body_incomplete", ResponseFlag::kDownstreamReset);
}

awaitable<result<std::string>> read_all(const Body& body) {
  std::string text(body.ready);
  while (body.rest != nullptr && text.size() <= kLargestSwitchOrder) {
    const result<std::string_view> piece = co_await body.rest->read();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    text += piece->substr(0, kLargestSwitchOrder + 1);
  }
  if (text.size() > kLargestSwitchOrder) co_return errc::too_large;
  co_return text;
}

bool is_good(SwitchResult result, const SwitchOrder& order) noexcept {
  return order.abort ? result == SwitchResult::kAborted
                     : result == SwitchResult::kMoved || result == SwitchResult::kSplit || result == SwitchResult::kUnchanged;
}

}  // namespace

awaitable<Response> Endpoints::switch_over(Exchange& exchange) {
  const Method method = exchange.request().method;
  if (method == Method::kGet || method == Method::kHead) co_return page(exchange, 200, to_json(sources_.control.switch_state()), "switch_state");
  if (auto refusal = refuse_verb(exchange)) {
    if (refusal->status == 405) refusal->headers.set_view("allow", "GET, HEAD, POST");
    co_return std::move(*refusal);
  }
  const result<std::string> body = co_await read_all(exchange.request().body);
  if (!body) co_return refuse_body(exchange, body.error());
  const SwitchOrderRead read = read_switch_order(*body);
  if (!read.problem.empty())
    co_return page(exchange, 400, {{"result", "refused"}, {"message", read.problem}}, "bad_switch_order");
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto expected = std::make_shared<Expected<SwitchReport>>(executor, read.order.watch + kCheckPatience);
  sources_.control.switch_over(read.order, [expected](const SwitchReport& report) { expected->set(report); });
  co_await expected->wait();
  if (!expected->answer) {
    SwitchReport silent;
    silent.message = "nothing was heard of it; GET /switch tells more";
    expected->answer = std::move(silent);
  }
  const SwitchReport& report = *expected->answer;
  co_return page(exchange, is_good(report.result, read.order) ? 200 : 409, to_json(report), "switch");
}

}  // namespace gatehouse::admin
