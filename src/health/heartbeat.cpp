#include "health/heartbeat.hpp"

#include "config/service_url.hpp"
#include "health/http_fetch.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse::health {
namespace {

constexpr auto use_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::chrono::milliseconds kLook{500};  // how often readiness is looked at between two calls

ServiceUrl parse(const std::string& url) {
  ServiceUrl parsed;
  parse_service_url(url, parsed);  // the loader has judged it
  return parsed;
}

Place place_of(const ServiceUrl& url) {
  const std::uint16_t usual = url.scheme == "https" ? 443 : 80;
  return {url.host, url.port == 0 ? usual : url.port, {}};
}

}  // namespace

Heartbeat::Target::Target(boost::asio::io_context& io, net::TimerWheel& wheel, const std::string& url)
    : dialer(io, wheel, place_of(parse(url))) {
  const ServiceUrl parsed = parse(url);
  host = parsed.host;
  authority = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (parsed.port != 0) authority += ":" + std::to_string(parsed.port);
  path = parsed.target;
  tls = parsed.scheme == "https";
}

Heartbeat::Heartbeat(boost::asio::io_context& io, net::TimerWheel& wheel, const HeartbeatSettings& settings, std::function<bool()> ready,
                     OnChange on_change)
    : tls_(net::TlsClient::make()),
      success_(io, wheel, settings.url),
      interval_(settings.interval),
      timeout_(settings.timeout),
      ready_(std::move(ready)),
      on_change_(std::move(on_change)),
      timer_(io) {
  if (!settings.fail_url.empty()) fail_.emplace(io, wheel, settings.fail_url);
}

net::awaitable<void> Heartbeat::run() {
  // Before the first checks have answered nobody is ready, which is no failure to tell anybody of.
  bool was_ready = false;
  while (!stopped_) {
    const bool ready = ready_();
    was_ready = was_ready || ready;
    Target* const target = ready ? &success_ : fail_ && was_ready ? &*fail_ : nullptr;
    if (target != nullptr) {
      const std::string error = co_await call(*target);
      if (stopped_) co_return;
      judge(error);
    }
    co_await pause(ready);
  }
}

void Heartbeat::stop() {
  stopped_ = true;
  timer_.cancel();
}

net::awaitable<void> Heartbeat::pause(bool ready) {
  const auto until = net::Clock::now() + interval_;
  while (!stopped_ && ready_() == ready && net::Clock::now() < until) {
    timer_.expires_at(std::min(until, net::Clock::now() + kLook));
    co_await timer_.async_wait(use_result);
  }
}

net::awaitable<std::string> Heartbeat::call(Target& target) {
  const auto until = net::Clock::now() + timeout_;
  const auto stream = co_await target.dialer.connect(until);
  if (!stream) co_return explain(stream.error());
  if (target.tls) {
    const error_code error = co_await shake_hands(**stream, target.host, until);
    if (error) co_return explain(error);
  }
  const auto answer = co_await http_get(**stream, target.path, target.authority, 0, until);
  if (!answer) co_return explain(answer.error());
  const bool good = answer->status >= 200 && answer->status < 300;
  co_return good ? std::string() : "answered " + std::to_string(answer->status);
}

net::awaitable<error_code> Heartbeat::shake_hands(net::Stream& stream, const std::string& host, net::Clock::time_point until) {
  auto ssl = tls_ ? tls_->connect(host) : nullptr;
  if (!ssl) co_return errc::tls;
  stream.start_tls(std::move(ssl));
  if (!stream.is_tls()) co_return errc::tls;
  for (;;) {
    const net::IoResult step = stream.try_handshake();
    if (step.status == net::IoStatus::kDone) co_return error_code{};
    if (step.status != net::IoStatus::kWouldBlock) co_return errc::tls;
    stream.set_deadline(until);
    const error_code error = co_await stream.wait(step.want);
    if (error) co_return error;
  }
}

void Heartbeat::judge(const std::string& error) {
  const bool taken = error.empty();
  (taken ? counters_.delivered : counters_.failed).add();
  const bool changed = taken_ != taken;
  taken_ = taken;
  if (changed) on_change_(taken, error);
}

}  // namespace gatehouse::health
