// Bytes both ways after a protocol switch (WebSocket): their frames are followed, their content is neither looked at nor held back.
#pragma once

#include "net/buffer_pool.hpp"
#include "net/stream.hpp"
#include "proxy/byte_source.hpp"
#include "proxy/websocket_frames.hpp"

#include <gatehouse/message.hpp>

#include <cstdint>

namespace gatehouse::proxy {

class ProxyExchange;

class Tunnel {
 public:
  Tunnel(ProxyExchange& exchange, ByteSource& from_client);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // Relays until both directions have ended, one breaks, or nothing moves for the tunnel's idle time. An orderly end of one
  // direction is passed on and the other goes on.
  awaitable<void> run();

  // Gatehouse is about to stop: both sides get a Close frame with 1001 at the end of the frame that is on its way to them, and a few
  // seconds to leave. What either side says to the other after that is lost. May be called again.
  void leave() noexcept;

 private:
  struct Way {
    net::Stream& from;
    net::Stream& to;
    ByteSource& bytes;
    std::uint64_t& count;
    bool masked;  // towards the app
    WebSocketFrames frames{};
    bool reading = false;
    bool writing = false;
    bool told = false;
  };
  awaitable<void> run_way(Way& way, Way& other, class Signal& ended);
  awaitable<bool> pump(Way& way, Way& other);
  awaitable<bool> write(Way& way, std::string_view bytes);
  void wake(Way& way, const Way& other) noexcept;

  ProxyExchange& exchange_;
  std::uint64_t from_client_bytes_ = 0;
  Way up_;
  Way down_;
  bool leaving_ = false;
};

}  // namespace gatehouse::proxy
