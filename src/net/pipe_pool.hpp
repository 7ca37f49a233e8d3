// Pipes through which the kernel hands bytes from one socket to another without copying them (splice(2)). Each worker has a few; when they
// are all in use, or no descriptor is left, bytes are copied as ever. Thread: the worker's.
#pragma once

#include "net/descriptor.hpp"

#include <cstddef>
#include <fcntl.h>
#include <utility>
#include <vector>

namespace gatehouse::net {

struct Pipe {
  Descriptor read;
  Descriptor write;
  explicit operator bool() const noexcept { return static_cast<bool>(read); }
};

class PipePool {
 public:
  // At most `most` at the same time.
  explicit PipePool(std::size_t most) : most_(most) { free_.reserve(most); }
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  // Goes back to its pool, which must outlive it; closed if it was not left empty.
  class Lease {
   public:
    Lease(PipePool& pool, Pipe pipe) noexcept : pool_(pool), pipe_(std::move(pipe)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (pipe_) pool_.give_back(held == 0 ? std::move(pipe_) : Pipe{});
    }
    explicit operator bool() const noexcept { return static_cast<bool>(pipe_); }
    int read() const noexcept { return pipe_.read.get(); }
    int write() const noexcept { return pipe_.write.get(); }

    std::size_t held = 0;  // bytes in it: kept by the borrower

   private:
    PipePool& pool_;
    Pipe pipe_;
  };

  // An empty pipe, or none.
  Lease borrow() {
    if (!free_.empty()) {
      Pipe pipe = std::move(free_.back());
      free_.pop_back();
      ++lent_;
      return {*this, std::move(pipe)};
    }
    int ends[2];
    if (lent_ >= most_ || ::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return {*this, Pipe{}};
    ++lent_;
    return {*this, Pipe{Descriptor(ends[0]), Descriptor(ends[1])}};
  }

 private:
  void give_back(Pipe pipe) {
    --lent_;
    if (pipe) free_.push_back(std::move(pipe));
  }

  std::size_t most_;
  std::size_t lent_ = 0;
  std::vector<Pipe> free_;
};

}  // namespace gatehouse::net
