#include "filters/rate_hash.hpp"

#include <bit>
#include <cstring>
#include <random>

namespace gatehouse {
namespace {

void round(std::uint64_t& v0, std::uint64_t& v1, std::uint64_t& v2, std::uint64_t& v3) noexcept {
  v0 += v1;
  v1 = std::rotl(v1, 13) ^ v0;
  v0 = std::rotl(v0, 32);
  v2 += v3;
  v3 = std::rotl(v3, 16) ^ v2;
  v0 += v3;
  v3 = std::rotl(v3, 21) ^ v0;
  v2 += v1;
  v1 = std::rotl(v1, 17) ^ v2;
  v2 = std::rotl(v2, 32);
}

}  // namespace

HashSecret make_hash_secret() {
  std::random_device device;
  const auto word = [&device] { return static_cast<std::uint64_t>(device()) << 32 | device(); };
  const auto first = word();
  return {first, word()};
}

KeyedHasher::KeyedHasher(const HashSecret& secret) noexcept
    : v0_(secret[0] ^ 0x736f6d6570736575),
      v1_(secret[1] ^ 0x646f72616e646f6d),
      v2_(secret[0] ^ 0x6c7967656e657261),
      v3_(secret[1] ^ 0x7465646279746573) {}

void KeyedHasher::absorb(std::uint64_t word) noexcept {
  v3_ ^= word;
  round(v0_, v1_, v2_, v3_);
  round(v0_, v1_, v2_, v3_);
  v0_ ^= word;
}

void KeyedHasher::add_byte(std::uint8_t byte) noexcept {
  pending_ |= static_cast<std::uint64_t>(byte) << (8 * (size_ % 8));
  if (++size_ % 8 != 0) return;
  absorb(pending_);
  pending_ = 0;
}

void KeyedHasher::add(std::string_view bytes) noexcept {
  if (size_ % 8 == 0) {
    size_ += bytes.size() & ~std::size_t{7};
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data(), 8);
      if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
      absorb(word);
    }
  }
  for (const char c : bytes) add_byte(static_cast<std::uint8_t>(c));
}

std::uint64_t KeyedHasher::finish() noexcept {
  absorb(pending_ | size_ << 56);
  v2_ ^= 0xff;
  for (int i = 0; i < 4; ++i) round(v0_, v1_, v2_, v3_);
  return v0_ ^ v1_ ^ v2_ ^ v3_;
}

}  // namespace gatehouse
