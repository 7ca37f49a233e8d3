// Bytes received on a stream and not yet consumed. The buffer is borrowed only while it holds bytes or is being filled.
#pragma once

#include "net/buffer_pool.hpp"
#include "net/stream.hpp"

#include <cstring>
#include <string_view>

namespace gatehouse::proxy {

class ByteSource {
 public:
  std::string_view bytes() const noexcept { return {lease_.data() + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }
  bool full() const noexcept { return end_ - begin_ == lease_.size(); }
  void consume(std::size_t size) noexcept { begin_ += size; }
  void release() noexcept {
    lease_.reset();
    begin_ = end_ = 0;
  }

  // One read that does not wait, behind what is here; borrows from `pool` when there is no buffer. There must be room: see full().
  net::IoResult fill(net::Stream& stream, net::BufferPool& pool) {
    if (!lease_) {
      lease_ = pool.borrow();
      begin_ = end_ = 0;
    } else if (begin_ == end_) {
      begin_ = end_ = 0;
    } else if (end_ == lease_.size()) {
      std::memmove(lease_.data(), lease_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const net::IoResult read = stream.try_read(lease_.span().subspan(end_));
    if (read.status == net::IoStatus::kDone) end_ += read.bytes;
    if (begin_ == end_) release();
    return read;
  }

  // Moves to a buffer of another pool, of at least `size` bytes.
  void move_to(net::BufferPool& pool, std::size_t size) {
    const auto held = bytes();
    auto lease = pool.borrow(std::max(size, held.size()));
    if (!held.empty()) std::memcpy(lease.data(), held.data(), held.size());
    end_ = held.size();
    begin_ = 0;
    lease_ = std::move(lease);
  }
  std::size_t capacity() const noexcept { return lease_.size(); }

 private:
  net::BufferPool::Lease lease_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace gatehouse::proxy
