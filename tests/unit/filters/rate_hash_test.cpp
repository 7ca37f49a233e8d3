#include "filters/rate_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

constexpr HashSecret kReferenceSecret = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::uint64_t hash(std::string_view bytes) {
  KeyedHasher hasher(kReferenceSecret);
  hasher.add(bytes);
  return hasher.finish();
}

std::string counting(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

// From the reference implementation of SipHash's authors.
TEST(KeyedHasher, AgreesWithTheReferenceVectors) {
  EXPECT_EQ(hash(counting(0)), 0x726fdb47dd0e0e31);
  EXPECT_EQ(hash(counting(1)), 0x74f839c593dc67fd);
  EXPECT_EQ(hash(counting(7)), 0xab0200f58b01d137);
  EXPECT_EQ(hash(counting(8)), 0x93f5f5799a932462);
  EXPECT_EQ(hash(counting(15)), 0xa129ca6149be45e5);
}

TEST(KeyedHasher, PortionsDoNotMatter) {
  const auto bytes = counting(100);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    KeyedHasher hasher(kReferenceSecret);
    hasher.add(std::string_view(bytes).substr(0, cut));
    for (const char c : bytes.substr(cut, 3)) hasher.add_byte(static_cast<std::uint8_t>(c));
    hasher.add(std::string_view(bytes).substr(std::min(cut + 3, bytes.size())));
    ASSERT_EQ(hasher.finish(), hash(bytes)) << cut;
  }
}

TEST(KeyedHasher, EverySecretIsAnother) { EXPECT_NE(make_hash_secret(), make_hash_secret()); }

}  // namespace
}  // namespace gatehouse
