// Names to addresses, off the worker's thread (Asio asks getaddrinfo on a thread of its own).
#pragma once

#include "net/endpoint.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

namespace gatehouse::net {

// The addresses of `host` in the system's order of preference; errc::unresolved when there is none. A literal address
// resolves at once.
boost::asio::awaitable<result<std::vector<Endpoint>>> resolve(boost::asio::io_context& io, std::string host,
                                                              std::uint16_t port);

}  // namespace gatehouse::net
