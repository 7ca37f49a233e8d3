// The beginnings of the two bodies of one exchange, kept for the log where a route asks for it. Lives in the exchange.
#pragma once

#include "proxy/settings.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::proxy {

class CapturedBody {
 public:
  explicit CapturedBody(std::size_t most) noexcept : most_(most) {}
  void add(std::string_view piece) {
    text_.append(piece.substr(0, most_ - std::min(most_, text_.size())));
    size_ += piece.size();
  }
  const std::string& text() const noexcept { return text_; }
  std::uint64_t size() const noexcept { return size_; }

 private:
  std::size_t most_;
  std::string text_;
  std::uint64_t size_ = 0;
};

struct BodyCapture {
  // A secret that the bound would cut must still be seen for what it is, so somewhat more is kept than is told.
  static constexpr std::size_t kBeyond = 4096;
  explicit BodyCapture(std::size_t told) noexcept : request(told + kBeyond), response(told + kBeyond) {}
  CapturedBody request;
  CapturedBody response;
};

// Whether a body of that type is text that `types` asks for.
bool is_logged_type(std::string_view content_type, const std::vector<std::string>& types) noexcept;

}  // namespace gatehouse::proxy
