// Byte buffers that are borrowed only while bytes are in them: an idle connection holds none. Each worker has a pool; a
// returned buffer is kept for the next borrower up to a bound, so that a burst does not stay in memory for ever.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace gatehouse::net {

class BufferPool {
 public:
  // Of `size` bytes each, unless a borrower asks for more.
  explicit BufferPool(std::size_t size, std::size_t kept = 64) : size_(size), kept_(kept) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // Gives its bytes back to the pool, which must outlive it.
  class Lease {
   public:
    Lease() = default;
    Lease(BufferPool& pool, std::unique_ptr<char[]> bytes, std::size_t size) noexcept : pool_(&pool), bytes_(std::move(bytes)), size_(size) {}
    Lease(Lease&& other) noexcept : pool_(other.pool_), bytes_(std::move(other.bytes_)), size_(other.size_) {}
    Lease& operator=(Lease&& other) noexcept {
      reset();
      pool_ = other.pool_;
      bytes_ = std::move(other.bytes_);
      size_ = other.size_;
      return *this;
    }
    ~Lease() { reset(); }
    void reset() noexcept {
      if (bytes_) pool_->give_back({std::move(bytes_), size_});
    }
    explicit operator bool() const noexcept { return bytes_ != nullptr; }
    char* data() const noexcept { return bytes_.get(); }
    std::size_t size() const noexcept { return bytes_ ? size_ : 0; }
    std::span<char> span() const noexcept { return {data(), size()}; }

   private:
    BufferPool* pool_ = nullptr;
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
  };

  Lease borrow(std::size_t at_least = 0) {
    const std::size_t size = std::max(size_, at_least);
    while (!free_.empty()) {
      Buffer buffer = std::move(free_.back());
      free_.pop_back();
      if (buffer.size >= size) return {*this, std::move(buffer.bytes), buffer.size};
    }
    return {*this, std::make_unique_for_overwrite<char[]>(size), size};
  }

 private:
  struct Buffer {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  void give_back(Buffer buffer) noexcept {
    if (free_.size() >= kept_) return;
    if (free_.capacity() == 0) free_.reserve(kept_);
    free_.push_back(std::move(buffer));
  }

  std::size_t size_;
  std::size_t kept_;
  std::vector<Buffer> free_;
};

}  // namespace gatehouse::net
