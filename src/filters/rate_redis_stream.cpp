#include "filters/rate_redis_stream.hpp"

#include <sys/un.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
// Asio's TLS is compiled here, where alone it is used.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#pragma GCC diagnostic pop

namespace gatehouse {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

template <class Stream>
class StreamOf final : public RedisStream {
 public:
  explicit StreamOf(Stream stream) : stream_(std::move(stream)) {}

  awaitable<result<std::size_t>> read_some(asio::mutable_buffer into) override {
    const auto [error, size] = co_await stream_.async_read_some(into, use_result);
    if (error) co_return error;
    co_return size;
  }
  awaitable<error_code> write(asio::const_buffer bytes) override {
    const auto [error, size] = co_await asio::async_write(stream_, bytes, use_result);
    co_return error;
  }
  void close() noexcept override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  Stream stream_;
};

using Connected = result<std::unique_ptr<RedisStream>>;

awaitable<Connected> connect_unix(std::string path) {
  stream_protocol::socket socket(co_await asio::this_coro::executor);
  error_code error;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) co_return make_error_code(errc::invalid_argument);
  const stream_protocol::endpoint endpoint(path);
  co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return error;
  co_return std::make_unique<StreamOf<stream_protocol::socket>>(std::move(socket));
}

awaitable<Connected> secure(tcp::socket socket, std::string host, std::string ca_file) {
  error_code error;
  asio::ssl::context context(asio::ssl::context::tls_client);
  if (ca_file.empty())
    context.set_default_verify_paths(error);
  else
    context.load_verify_file(ca_file, error);
  if (error) co_return error;
  ::SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  asio::ssl::stream<tcp::socket> stream(std::move(socket), context);
  stream.set_verify_mode(asio::ssl::verify_peer, error);
  stream.set_verify_callback(asio::ssl::host_name_verification(host), error);
  error_code is_name;
  asio::ip::make_address(host, is_name);
  // Names only: an address is no server name (RFC 6066 section 3).
  if (is_name && ::SSL_set_tlsext_host_name(stream.native_handle(), host.c_str()) != 1)
    co_return make_error_code(errc::tls);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return error;
  co_return std::make_unique<StreamOf<asio::ssl::stream<tcp::socket>>>(std::move(stream));
}

}  // namespace

awaitable<Connected> connect_redis(RedisAddress address, std::string ca_file) {
  if (!address.unix_path.empty()) co_return co_await connect_unix(address.unix_path);
  const auto executor = co_await asio::this_coro::executor;
  error_code error;
  tcp::resolver resolver(executor);
  const auto port = std::to_string(address.port);
  const auto found = co_await resolver.async_resolve(address.host, port, asio::ip::resolver_base::numeric_service,
                                                     asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return make_error_code(errc::unresolved);
  tcp::socket socket(executor);
  co_await asio::async_connect(socket, found, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return error;
  // Questions are small and each waits for its answer.
  socket.set_option(tcp::no_delay(true), error);
  socket.set_option(asio::socket_base::keep_alive(true), error);
  if (!address.tls) co_return std::make_unique<StreamOf<tcp::socket>>(std::move(socket));
  co_return co_await secure(std::move(socket), address.host, std::move(ca_file));
}

}  // namespace gatehouse
