// The two bodies of an exchange, as readers that pull from a connection: what the client sends and what the app answers.
// Each knows exactly where its message ends and leaves the bytes behind it alone.
#pragma once

#include "http/chunked.hpp"
#include "http/framing.hpp"
#include "proxy/byte_source.hpp"

#include <gatehouse/message.hpp>

#include <optional>

namespace gatehouse::proxy {

// Reads one message body by its framing. Not a coroutine: says what it has, or that it needs bytes.
class BodyDecoder {
 public:
  void start(const http::Framing& framing, http::ChunkLimits limits);
  // The next payload in `source`; empty when bytes are missing, when done() or when error().
  std::string_view next(ByteSource& source);
  // The peer sends no more bytes: the end of a body that lasts until then, an error for any other.
  bool closed_early() noexcept;

  bool done() const noexcept { return done_; }
  std::optional<http::HeadError> error() const noexcept { return chunks_ ? chunks_->error() : std::nullopt; }
  // Of a body whose length was told, the bytes that have not come yet; 0 for every other.
  std::uint64_t left() const noexcept { return framing_.kind == http::Framing::Kind::kLength ? remaining_ : 0; }
  // So many of them went another way; at most left().
  void skip(std::uint64_t size) noexcept {
    remaining_ -= size;
    done_ = remaining_ == 0;
  }
  std::string_view trailer_section() const noexcept { return chunks_ ? chunks_->trailer_section() : std::string_view{}; }

 private:
  http::Framing framing_;
  std::optional<http::ChunkedDecoder> chunks_;
  std::uint64_t remaining_ = 0;
  bool done_ = true;
};

// Why a client's body could not be read.
struct BodyFailure {
  errc cause = errc::closed;
  std::optional<http::HeadError> error;  // for errc::malformed and too_large
};

struct ClientBodySettings {
  std::uint64_t limit = 0;
  net::Clock::duration idle{};
  std::uint64_t minimum_rate = 0;
  bool expects_continue = false;
};

class ClientBody final : public BodyReader {
 public:
  ClientBody(net::Stream& stream, ByteSource& source, net::BufferPool& pool) noexcept
      : stream_(stream), source_(source), pool_(pool) {}
  void start(const http::Framing& framing, http::ChunkLimits limits, ClientBodySettings settings);

  awaitable<result<std::string_view>> read() override;
  // Nobody wants the rest: a read in progress ends with errc::cancelled instead of waiting once more.
  void stop() noexcept {
    stopped_ = true;
    stream_.interrupt();
  }

  bool done() const noexcept { return decoder_.done(); }
  std::uint64_t received() const noexcept { return received_; }
  // True once the client was told to go on, or sent body bytes without being told.
  bool started() const noexcept { return started_; }
  const BodyFailure& failure() const noexcept { return failure_; }
  std::string_view trailer_section() const noexcept { return decoder_.trailer_section(); }
  // Where a body of known length is here as a whole: takes it out of the source.
  std::optional<std::string_view> take_whole(std::uint64_t length);

 private:
  error_code fail(errc cause, std::optional<http::HeadError> error = std::nullopt) noexcept;
  net::Clock::time_point deadline() const noexcept;

  net::Stream& stream_;
  ByteSource& source_;
  net::BufferPool& pool_;
  BodyDecoder decoder_;
  ClientBodySettings settings_;
  std::uint64_t received_ = 0;
  net::Clock::time_point began_{};
  bool started_ = false;
  bool stopped_ = false;
  BodyFailure failure_;
};

class UpstreamBody final : public BodyReader {
 public:
  UpstreamBody(ByteSource& source, net::BufferPool& pool) noexcept : source_(source), pool_(pool) {}
  // `idle` zero: wait for ever (streams).
  void start(net::Stream& stream, const http::Framing& framing, http::ChunkLimits limits, net::Clock::duration idle);

  awaitable<result<std::string_view>> read() override;
  // Bytes that the app still owes where it told the length; moved() counts those that were read past this reader.
  std::uint64_t left() const noexcept { return decoder_.left(); }
  void moved(std::uint64_t size) noexcept { decoder_.skip(size); }
  // Until more of it may be here, or the app has been silent for too long.
  awaitable<net::WaitEnd> wait(net::Direction direction = net::Direction::kRead);
  // What is here already, without waiting.
  std::string_view ready() { return decoder_.next(source_); }

  bool done() const noexcept { return decoder_.done(); }
  bool failed() const noexcept { return decoder_.error().has_value(); }
  std::string_view trailer_section() const noexcept { return decoder_.trailer_section(); }

 private:
  net::Stream* stream_ = nullptr;
  ByteSource& source_;
  net::BufferPool& pool_;
  BodyDecoder decoder_;
  net::Clock::duration idle_{};
};

}  // namespace gatehouse::proxy
