#include "observe/histogram.hpp"

#include <algorithm>

namespace gatehouse::observe {
namespace {

// The 16 digits as a number; nothing when one of them is no digit.
std::optional<std::uint64_t> from_hex(std::string_view digits) noexcept {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 15];
}

}  // namespace

std::size_t Histogram::observe(std::uint64_t value) noexcept {
  std::size_t at = 0;
  while (at < kBounds && value > buckets_->bounds[at]) ++at;
  counts_[at].add();
  sum_.add(value);
  return at;
}

std::size_t Histogram::observe(std::chrono::nanoseconds duration) noexcept {
  return observe(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

Exemplars::~Exemplars() { delete slots_.load(std::memory_order_relaxed); }

void Exemplars::keep(std::size_t bucket, std::string_view trace_id, std::chrono::nanoseconds duration,
                     std::chrono::system_clock::time_point time) {
  if (trace_id.size() != 32) return;
  const auto high = from_hex(trace_id.substr(0, 16));
  const auto low = from_hex(trace_id.substr(16));
  if (!high || !low) return;
  auto* slots = slots_.load(std::memory_order_relaxed);
  if (slots == nullptr) {
    slots = new std::array<Slot, kBounds + 1>;
    slots_.store(slots, std::memory_order_release);
  }
  Slot& slot = (*slots)[bucket];
  // Each store releases: whoever sees a part of the new one sees the odd sequence as well.
  const std::uint32_t before = slot.sequence.load(std::memory_order_relaxed);
  slot.sequence.store(before + 1, std::memory_order_relaxed);
  slot.trace[0].store(*high, std::memory_order_release);
  slot.trace[1].store(*low, std::memory_order_release);
  slot.nanoseconds.store(duration.count(), std::memory_order_release);
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  slot.time_ms.store(since_epoch.count(), std::memory_order_release);
  slot.sequence.store(before + 2, std::memory_order_release);
}

std::optional<Exemplar> Exemplars::at(std::size_t bucket) const {
  const auto* slots = slots_.load(std::memory_order_acquire);
  if (slots == nullptr) return std::nullopt;
  const Slot& slot = (*slots)[bucket];
  const std::uint32_t before = slot.sequence.load(std::memory_order_acquire);
  if (before == 0 || before % 2 != 0) return std::nullopt;
  Exemplar exemplar;
  append_hex(exemplar.trace_id, slot.trace[0].load(std::memory_order_acquire));
  append_hex(exemplar.trace_id, slot.trace[1].load(std::memory_order_acquire));
  exemplar.value = static_cast<double>(slot.nanoseconds.load(std::memory_order_acquire)) / 1e9;
  exemplar.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(slot.time_ms.load(std::memory_order_acquire)));
  if (slot.sequence.load(std::memory_order_relaxed) != before) return std::nullopt;
  return exemplar;
}

}  // namespace gatehouse::observe
