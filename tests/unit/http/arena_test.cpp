#include <gatehouse/message.hpp>

#include <gtest/gtest.h>
#include <cstdint>
#include <cstring>
#include <string>

namespace gatehouse {
namespace {

TEST(Arena, GivesAlignedMemoryThatStaysWhenItGrows) {
  Arena arena(64);
  std::vector<std::string_view> texts;
  for (int i = 0; i < 1000; ++i) {
    texts.push_back(arena.copy(std::to_string(i)));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(texts.back().data()) % 16, 0u);
  }
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(texts[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST(Arena, HoldsOneTextLargerThanAnyBlock) {
  Arena arena(64);
  const std::string large(100000, 'x');
  EXPECT_EQ(arena.copy(large), large);
  EXPECT_EQ(arena.copy("after"), "after");
}

TEST(Arena, CountsWhatItHandedOutAcrossBlocks) {
  Arena arena(64);
  EXPECT_EQ(arena.used(), 0u);
  arena.allocate(1);
  EXPECT_EQ(arena.used(), 16u);
  arena.allocate(1000);
  EXPECT_GE(arena.used(), 1016u);
}

TEST(Arena, StartsAnewInItsFirstBlockAfterClear) {
  Arena arena(64);
  const void* first = arena.allocate(8);
  for (int i = 0; i < 100; ++i) arena.allocate(64);
  arena.clear();
  EXPECT_EQ(arena.used(), 0u);
  EXPECT_EQ(arena.allocate(8), first);
}

TEST(Arena, CopiesAndJoinsNothingAsNothing) {
  Arena arena(64);
  EXPECT_EQ(arena.copy(""), "");
  EXPECT_EQ(arena.join({}), "");
  EXPECT_EQ(arena.join({"", "a", "", "bc"}), "abc");
}

}  // namespace
}  // namespace gatehouse
