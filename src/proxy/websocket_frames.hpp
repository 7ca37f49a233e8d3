// Where the frames of one direction of a WebSocket begin and end (RFC 6455 5.2): only there may something be said in between. The
// payload is not looked at. Thread: the worker's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::proxy {

class WebSocketFrames {
 public:
  // How many of these bytes belong to the frame that is under way, or to the one that begins with them: all, or up to its end.
  std::size_t take(std::string_view bytes) noexcept;
  // Between two frames.
  bool between() const noexcept { return header_size_ == 0 && payload_left_ == 0; }

 private:
  static constexpr std::size_t kLongestHeader = 14;
  std::array<unsigned char, kLongestHeader> header_{};
  std::size_t header_size_ = 0;  // bytes of a header that is not complete
  std::uint64_t payload_left_ = 0;
};

// A Close frame with status 1001, "going away" (RFC 6455 7.4.1): as a server sends it, or masked as a client must.
struct GoodbyeFrame {
  explicit GoodbyeFrame(bool masked);
  std::string_view bytes() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 8> text_;
  std::size_t size_ = 0;
};

}  // namespace gatehouse::proxy
