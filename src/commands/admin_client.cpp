#include "commands/admin_client.hpp"

#include "app/settings.hpp"
#include "http/h1_parser.hpp"
#include "net/stream.hpp"
#include "upstream/cluster.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace gatehouse {
namespace {

constexpr std::size_t kLargestAnswer = std::size_t{1} << 20;

upstream::ClusterSettings cluster_of(const Address& admin, std::chrono::milliseconds timeout) {
  upstream::ClusterSettings cluster;
  // What it listens on everywhere is reached here.
  cluster.host = admin.host == "0.0.0.0" ? "127.0.0.1" : admin.host == "::" ? "::1" : admin.host;
  cluster.port = admin.port;
  cluster.unix_path = admin.unix_path;
  cluster.authority = "localhost";
  cluster.connect_timeout = timeout;
  return cluster;
}

// Everything until the other side closes, as `connection: close` asks it to.
boost::asio::awaitable<result<std::string>> read_all(net::Stream& stream) {
  std::string text;
  for (;;) {
    char bytes[4096];
    const net::IoResult got = stream.try_read(bytes);
    if (got.status == net::IoStatus::kDone) {
      text.append(bytes, got.bytes);
      if (text.size() > kLargestAnswer) co_return make_error_code(errc::too_large);
    } else if (got.status == net::IoStatus::kWouldBlock) {
      const error_code error = co_await stream.wait(got.want);
      if (error) co_return error;
    } else {
      co_return text;
    }
  }
}

result<AdminAnswer> parse(const std::string& text) {
  const http::HeadLimits limits{8192, 49152, 500};
  http::HeadScanner scanner(http::Side::kResponse);
  const auto found = scanner.scan(text, limits);
  if (text.empty()) return make_error_code(errc::closed);
  if (found.error || !found.complete) return make_error_code(errc::malformed);
  Arena arena(4096);
  Response response(arena);
  http::ResponseHead head;
  const auto whole = std::string_view(text);
  if (http::parse_response_head(whole.substr(0, found.end), limits, Method::kPost, response, head)) return make_error_code(errc::malformed);
  return AdminAnswer{response.status, text.substr(found.end)};
}

}  // namespace

result<AdminAnswer> ask_admin(const Address& admin, const std::string& method, const std::string& path, std::chrono::milliseconds timeout,
                              const std::string& body) {
  boost::asio::io_context io{1};
  net::TimerWheel wheel(io);
  observe::SeriesBudget budget;
  observe::WorkerMetrics metrics{budget};
  upstream::SharedConnections connections;
  upstream::Cluster cluster(io, wheel, cluster_of(admin, timeout), metrics, connections);
  result<AdminAnswer> answer = make_error_code(errc::closed);
  const auto ask = [&]() -> boost::asio::awaitable<void> {
    const auto until = net::Clock::now() + timeout;
    auto connection = co_await cluster.connect();
    if (!connection) {
      answer = connection.error();
      co_return;
    }
    net::Stream& stream = (*connection)->stream;
    std::string request = method + " " + path + " HTTP/1.1\r\nhost: localhost\r\nuser-agent: gatehouse\r\nconnection: close\r\ncontent-length: " +
                          std::to_string(body.size()) + (body.empty() ? "" : "\r\ncontent-type: application/json") + "\r\n\r\n" + body;
    iovec part{request.data(), request.size()};
    error_code error = co_await stream.write_all({&part, 1}, timeout);
    if (!error) {
      stream.set_deadline(until);
      auto text = co_await read_all(stream);
      if (text)
        answer = parse(*text);
      else
        error = text.error();
    }
    if (error) answer = error;
    cluster.discard(std::move(*connection));
  };
  boost::asio::co_spawn(io, ask(), [&io](const std::exception_ptr&) { io.stop(); });
  io.run();
  return answer;
}

std::string explain_no_answer(const error_code& error) {
  if (error == errc::unreachable) return "nobody listens there; is Gatehouse running with this configuration?";
  if (error == errc::timeout) return "it did not answer in time";
  if (error == errc::malformed) return "what listens there is no Gatehouse";
  return "it gave no answer: " + error.message();
}

}  // namespace gatehouse
