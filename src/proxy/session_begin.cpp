#include "proxy/session.hpp"

#include "http/proxy_protocol.hpp"
#include "proxy/worker_state.hpp"

#include <array>
#include <sys/socket.h>

// What a connection goes through before its first request: the PROXY header, the limit on addresses, the handshake.

namespace gatehouse::proxy {
namespace {

// Where the client spoke HTTP or nothing OpenSSL knows, its words have blanks: labels read better without.
std::string_view handshake_failure(const error_code& error, std::string_view tls_failure) noexcept {
  if (error == errc::timeout) return "timeout";
  if (error == errc::cancelled) return "draining";
  return tls_failure.empty() ? "connection broken" : tls_failure;
}

}  // namespace

// The balancer's word on whom it speaks for. Read exactly, not a byte more: what follows is TLS's or HTTP's.
awaitable<bool> Session::read_proxy_header() {
  std::array<char, kMaxProxyHeader> header;
  std::size_t have = 0;
  stream_.set_deadline(net::Clock::now() + deadlines().request_head);
  for (;;) {
    const auto step = parse_proxy_header({header.data(), have});
    if (!step || step->length > header.size()) {
      worker_.metrics.rejected.add("malformed_proxy_header");
      co_return false;
    }
    if (step->header) {
      if (step->header->endpoints) address_ = step->header->endpoints->source;
      if (step->header->client_tls) told_scheme_ = *step->header->client_tls ? Scheme::kHttps : Scheme::kHttp;
      co_return true;
    }
    const net::IoResult got = stream_.try_read({header.data() + have, step->length - have});
    if (got.status == net::IoStatus::kDone) {
      have += got.bytes;
      continue;
    }
    if (got.status != net::IoStatus::kWouldBlock) co_return false;
    const error_code error = co_await stream_.wait(got.want, net::Turn::kAfterOthers);
    if (error) co_return false;
  }
}

// Many clients stand behind a trusted proxy: its address says nothing about one of them.
void Session::limit_address() {
  AddressLimit& addresses = worker_.shared.addresses;
  if (!addresses.enabled() || !listener_->counts || over_unix_ || worker_.snapshot->settings.forwarded.trusted.contains(address_)) return;
  counted_address_ = true;
  over_limit_ = !addresses.enter(address_) || over_limit_;
}

awaitable<bool> Session::handshake() {
  // A certificate that is replaced meanwhile must not be taken from under this handshake.
  const std::shared_ptr<const net::TlsContext> tls = listener_->tls;
  if (!stream_.start_tls(*tls)) co_return false;
  stream_.set_deadline(net::Clock::now() + deadlines().tls_handshake);
  // Its steps are long: not even the first one is done before work of others that has begun.
  net::IoResult step{0, net::IoStatus::kWouldBlock, net::Direction::kRead};
  error_code error;
  while (step.status != net::IoStatus::kDone && !error) {
    error = errc::tls;
    if (step.status == net::IoStatus::kWouldBlock) error = co_await stream_.wait(step.want, net::Turn::kAfterOthers);
    if (!error) step = stream_.try_handshake();
  }
  if (error) {
    worker_.metrics.tls_handshake_failures.add(handshake_failure(error, stream_.tls_failure()));
    // Somebody spoke HTTP to a port that speaks TLS: say so in a language they understand.
    if (stream_.tls_failure() == "http request") {
      constexpr std::string_view kAnswer =
          "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: 106\r\nconnection: close\r\n\r\n"
          "{\"type\":\"about:blank\",\"title\":\"This port speaks HTTPS; use https://\",\"status\":400,\"reason\":\"http_on_tls_port\"}";
      [[maybe_unused]] const auto sent = ::send(stream_.native_handle(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      ::shutdown(stream_.native_handle(), SHUT_WR);
      worker_.metrics.rejected.add("http_on_tls_port");
    }
    co_return false;
  }
  worker_.metrics.tls_handshakes.add(net::tls_version(stream_.ssl()));
  co_return true;
}

}  // namespace gatehouse::proxy
