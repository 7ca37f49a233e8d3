#include "net/resolver.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gatehouse::net {

boost::asio::awaitable<result<std::vector<Endpoint>>> resolve(boost::asio::io_context& io, std::string host,
                                                              std::uint16_t port) {
  std::vector<Endpoint> endpoints;
  const auto literal = Endpoint::ip(host, port);
  if (literal) {
    endpoints.push_back(*literal);
    co_return endpoints;
  }
  boost::asio::ip::tcp::resolver resolver(io);
  error_code error;
  const std::string service = std::to_string(port);
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
  const auto results = co_await resolver.async_resolve(host, service, token);
  if (!error)
    for (const auto& entry : results) {
      const auto address = entry.endpoint();
      endpoints.emplace_back(address.data(), static_cast<socklen_t>(address.size()));
    }
  if (endpoints.empty()) co_return make_error_code(errc::unresolved);
  co_return endpoints;
}

}  // namespace gatehouse::net
