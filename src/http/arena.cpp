#include <gatehouse/message.hpp>

#include <algorithm>
#include <cstring>

namespace gatehouse {

Arena::Arena(std::size_t first_block) {
  blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(first_block), first_block});
  next_ = blocks_.front().bytes.get();
  end_ = next_ + first_block;
}

void* Arena::allocate_slow(std::size_t size) {
  full_ += blocks_.back().size - static_cast<std::size_t>(end_ - next_);
  const std::size_t block = std::max(size, blocks_.back().size * 2);
  blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(block), block});
  next_ = blocks_.back().bytes.get() + size;
  end_ = blocks_.back().bytes.get() + block;
  return blocks_.back().bytes.get();
}

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  auto* at = static_cast<char*>(allocate(text.size()));
  std::memcpy(at, text.data(), text.size());
  return {at, text.size()};
}

std::string_view Arena::join(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  auto* const at = static_cast<char*>(allocate(size));
  char* next = at;
  for (const auto part : parts)
    if (!part.empty()) next = static_cast<char*>(std::memcpy(next, part.data(), part.size())) + part.size();
  return {at, size};
}

void Arena::clear() noexcept {
  blocks_.resize(1);
  next_ = blocks_.front().bytes.get();
  end_ = next_ + blocks_.front().size;
  full_ = 0;
}

std::size_t Arena::used() const noexcept {
  return full_ + blocks_.back().size - static_cast<std::size_t>(end_ - next_);
}

}  // namespace gatehouse
