#include "proxy/bodies.hpp"

#include <algorithm>

namespace gatehouse::proxy {

void BodyDecoder::start(const http::Framing& framing, http::ChunkLimits limits) {
  framing_ = framing;
  remaining_ = framing.length;
  chunks_.reset();
  if (framing.kind == http::Framing::Kind::kChunked) chunks_.emplace(limits);
  done_ = framing.kind == http::Framing::Kind::kNone || (framing.kind == http::Framing::Kind::kLength && remaining_ == 0);
}

std::string_view BodyDecoder::next(ByteSource& source) {
  if (done_ || source.empty()) return {};
  const auto bytes = source.bytes();
  if (chunks_) {
    std::size_t at = 0;
    std::string_view payload;
    while (payload.empty() && at < bytes.size() && !chunks_->done() && !chunks_->error()) {
      const auto step = chunks_->feed(bytes.substr(at));
      at += step.consumed;
      payload = step.payload;
    }
    source.consume(at);
    done_ = chunks_->done();
    return payload;
  }
  if (framing_.kind == http::Framing::Kind::kUntilClose) {
    source.consume(bytes.size());
    return bytes;
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_));
  source.consume(size);
  remaining_ -= size;
  done_ = remaining_ == 0;
  return bytes.substr(0, size);
}

bool BodyDecoder::closed_early() noexcept {
  if (framing_.kind == http::Framing::Kind::kUntilClose) done_ = true;
  return !done_;
}

void ClientBody::start(const http::Framing& framing, http::ChunkLimits limits, ClientBodySettings settings) {
  decoder_.start(framing, limits);
  settings_ = settings;
}

std::optional<std::string_view> ClientBody::take_whole(std::uint64_t length) {
  if (source_.bytes().size() < length) return std::nullopt;
  started_ = true;
  received_ = length;
  return decoder_.next(source_);
}

error_code ClientBody::fail(errc cause, std::optional<http::HeadError> error) noexcept {
  failure_ = {cause, error};
  return cause;
}

// The idle deadline, or earlier: the moment at which the average since the first wait would fall below the minimum rate.
net::Clock::time_point ClientBody::deadline() const noexcept {
  constexpr std::chrono::seconds kGrace{10};
  const auto idle = net::Clock::now() + settings_.idle;
  if (settings_.minimum_rate == 0) return idle;
  const auto earned = std::chrono::seconds(received_ / settings_.minimum_rate);
  return std::min(idle, began_ + kGrace + earned);
}

awaitable<result<std::string_view>> ClientBody::read() {
  if (began_ == net::Clock::time_point{}) began_ = net::Clock::now();
  for (;;) {
    const auto payload = decoder_.next(source_);
    if (!payload.empty()) {
      started_ = true;
      received_ += payload.size();
      if (received_ > settings_.limit) co_return fail(errc::too_large, http::HeadError::body_too_large);
      co_return payload;
    }
    if (decoder_.error()) co_return fail(errc::malformed, decoder_.error());
    if (decoder_.done()) co_return std::string_view{};
    if (stopped_) co_return fail(errc::cancelled);
    if (settings_.expects_continue && !started_) {
      // RFC 9110 10.1.1: the filters have let the request pass, so the client may send its body now.
      static char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
      iovec part{interim, sizeof interim - 1};
      const error_code error = co_await stream_.write_all({&part, 1}, settings_.idle);
      if (error) co_return fail(errc::closed);
    }
    started_ = true;
    const net::IoResult got = source_.fill(stream_, pool_);
    if (got.status == net::IoStatus::kDone) continue;
    if (got.status != net::IoStatus::kWouldBlock) co_return fail(errc::closed);
    stream_.set_deadline(deadline());
    const error_code error = co_await stream_.wait(got.want);
    if (error) co_return fail(error == errc::timeout ? errc::timeout : error == errc::cancelled ? errc::cancelled : errc::closed);
  }
}

void UpstreamBody::start(net::Stream& stream, const http::Framing& framing, http::ChunkLimits limits,
                         net::Clock::duration idle) {
  stream_ = &stream;
  idle_ = idle;
  decoder_.start(framing, limits);
}

awaitable<result<std::string_view>> UpstreamBody::read() {
  for (;;) {
    const auto payload = decoder_.next(source_);
    if (!payload.empty()) co_return payload;
    if (decoder_.error()) co_return make_error_code(errc::malformed);
    if (decoder_.done()) co_return std::string_view{};
    // The head may have come in a buffer that is small for a body.
    if (source_.empty()) source_.release();
    const net::IoResult got = source_.fill(*stream_, pool_);
    if (got.status == net::IoStatus::kDone) continue;
    if (got.status == net::IoStatus::kClosed) {
      if (decoder_.closed_early()) co_return make_error_code(errc::closed);
      co_return std::string_view{};
    }
    if (got.status == net::IoStatus::kFailed) co_return make_error_code(errc::reset);
    const error_code error = co_await wait(got.want);
    if (error) co_return error;
  }
}

awaitable<net::WaitEnd> UpstreamBody::wait(net::Direction direction) {
  if (idle_ > net::Clock::duration::zero())
    stream_->set_deadline(net::Clock::now() + idle_);
  else
    stream_->clear_deadline();
  return stream_->wait(direction);
}

}  // namespace gatehouse::proxy
