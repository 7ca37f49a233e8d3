// SipHash-2-4: a keyed hash that nobody without the key can steer, so that an attacker can neither aim at the place of
// another client in a table nor fill one place with many keys. A value on the stack; feed bytes in any portions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gatehouse {

using HashSecret = std::array<std::uint64_t, 2>;

// From the kernel's generator.
HashSecret make_hash_secret();

class KeyedHasher {
 public:
  explicit KeyedHasher(const HashSecret& secret) noexcept;

  void add(std::string_view bytes) noexcept;
  void add_byte(std::uint8_t byte) noexcept;
  std::uint64_t finish() noexcept;

 private:
  void absorb(std::uint64_t word) noexcept;

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t pending_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace gatehouse
