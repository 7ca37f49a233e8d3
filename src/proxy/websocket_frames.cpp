#include "proxy/websocket_frames.hpp"

#include <algorithm>
#include <random>

namespace gatehouse::proxy {
namespace {

constexpr unsigned kGoingAway = 1001;

// How long the header is that begins with these two bytes.
std::size_t header_length(unsigned char second) noexcept {
  const unsigned length = second & 0x7fU;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  const std::size_t mask = (second & 0x80U) != 0 ? 4 : 0;
  return 2 + extended + mask;
}

}  // namespace

std::size_t WebSocketFrames::take(std::string_view bytes) noexcept {
  std::size_t used = 0;
  if (payload_left_ == 0) {
    for (;;) {
      if (header_size_ >= 2 && header_size_ == header_length(header_[1])) break;
      if (used == bytes.size()) return used;
      header_[header_size_++] = static_cast<unsigned char>(bytes[used++]);
    }
    const unsigned length = header_[1] & 0x7fU;
    const std::size_t digits = length == 126 ? 2 : length == 127 ? 8 : 0;
    payload_left_ = digits == 0 ? length : 0;
    for (std::size_t i = 0; i < digits; ++i) payload_left_ = payload_left_ << 8 | header_[2 + i];
    header_size_ = 0;
  }
  const auto some = std::min<std::uint64_t>(payload_left_, bytes.size() - used);
  payload_left_ -= some;
  return used + static_cast<std::size_t>(some);
}

GoodbyeFrame::GoodbyeFrame(bool masked) {
  const auto add = [this](unsigned byte) { text_[size_++] = static_cast<char>(byte); };
  add(0x88U);
  add(masked ? 0x82U : 0x02U);
  std::array<unsigned, 4> mask{};
  if (masked) {
    std::random_device random;
    for (unsigned& byte : mask) {
      byte = random() & 0xffU;
      add(byte);
    }
  }
  add((kGoingAway >> 8) ^ mask[0]);
  add((kGoingAway & 0xffU) ^ mask[1]);
}

}  // namespace gatehouse::proxy
