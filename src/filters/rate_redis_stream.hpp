// A byte stream to Redis over TCP, TLS or a Unix socket, behind one interface. The name is resolved on another thread,
// so that a slow resolver never holds up a worker. Owned by one link; the link's thread only.
#pragma once

#include "filters/rate_redis_url.hpp"

#include <gatehouse/message.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <memory>

namespace gatehouse {

class RedisStream {
 public:
  virtual ~RedisStream() = default;
  // At least one byte; an error at the end of the stream.
  virtual awaitable<result<std::size_t>> read_some(boost::asio::mutable_buffer into) = 0;
  // All of them.
  virtual awaitable<error_code> write(boost::asio::const_buffer bytes) = 0;
  // Ends what is going on with an error; at once.
  virtual void close() noexcept = 0;
};

// Connects, and verifies the server's certificate for its name where TLS is asked for, against `ca_file` or the
// system's certificates. Takes as long as the network does: the caller sets the deadline.
awaitable<result<std::unique_ptr<RedisStream>>> connect_redis(RedisAddress address, std::string ca_file);

}  // namespace gatehouse
