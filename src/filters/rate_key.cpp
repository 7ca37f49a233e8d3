#include "filters/rate_key.hpp"

#include "http/address.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

using Kind = RateKeyPart::Kind;

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus : std::uint8_t { kIsItself, kIsSpace };

// Calls `take` with each byte of `text`, percent-encoding undone as far as it is valid.
template <class Take>
void decode(std::string_view text, Plus plus, Take take) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus == Plus::kIsSpace) {
      c = ' ';
    }
    take(c);
  }
}

bool decodes_to(std::string_view text, std::string_view wanted, Plus plus) noexcept {
  std::size_t matched = 0;
  bool same = true;
  decode(text, plus, [&](char c) {
    same = same && matched < wanted.size() && wanted[matched] == c;
    ++matched;
  });
  return same && matched == wanted.size();
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Of several values an application reads one, and which one is not ours to guess.
class OnlyValue {
 public:
  void see(std::string_view value) noexcept {
    value_ = value;
    ++count_;
  }
  std::optional<std::string_view> get() const noexcept { return count_ == 1 ? std::optional(value_) : std::nullopt; }

 private:
  std::string_view value_;
  std::size_t count_ = 0;
};

// The part of `list` before `separator`, which is cut off with it.
std::string_view take_until(std::string_view& list, char separator) noexcept {
  const auto end = std::min(list.find(separator), list.size());
  const auto item = list.substr(0, end);
  list.remove_prefix(std::min(list.size(), end + 1));
  return item;
}

std::optional<std::string_view> header_value(const Headers& headers, std::string_view name) noexcept {
  OnlyValue only;
  const auto id = field_id(name);
  for (const Field& field : headers)
    if (field.id == id && (id != FieldId::other || equals_ignoring_case(field.name, name))) only.see(field.value);
  return only.get();
}

std::optional<std::string_view> cookie_value(const Headers& headers, std::string_view name) noexcept {
  OnlyValue only;
  for (const Field& field : headers) {
    if (field.id != FieldId::cookie) continue;
    for (auto rest = field.value; !rest.empty();) {
      auto value = take_until(rest, ';');
      if (trimmed(take_until(value, '=')) != name) continue;
      value = trimmed(value);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      only.see(value);
    }
  }
  return only.get();
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view name) noexcept {
  OnlyValue only;
  while (!query.empty()) {
    auto value = take_until(query, '&');
    if (decodes_to(take_until(value, '='), name, Plus::kIsSpace)) only.see(value);
  }
  return only.get();
}

// Each value ends with its length, so that no two different lists of values feed the same bytes.
template <class Sink>
void end_value(Sink& sink, std::size_t size) {
  for (int shift = 0; shift < 32; shift += 8) sink.add_byte(static_cast<std::uint8_t>(size >> shift));
}

template <class Sink>
void add_value(Sink& sink, std::string_view value) {
  sink.add(value);
  end_value(sink, value.size());
}

template <class Sink>
void add_decoded(Sink& sink, std::string_view value, Plus plus) {
  std::size_t size = 0;
  decode(value, plus, [&](char c) {
    sink.add_byte(static_cast<std::uint8_t>(c));
    ++size;
  });
  end_value(sink, size);
}

// "Bearer abc" and "bearer  abc" are the same credentials (RFC 9110 section 11.1).
template <class Sink>
void add_credentials(Sink& sink, std::string_view value) {
  const auto scheme = take_until(value, ' ');
  for (const char c : scheme) sink.add_byte(static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
  end_value(sink, scheme.size());
  add_value(sink, trimmed(value));
}

// The bytes that are one client's and nobody else's.
template <class Sink>
void feed(const RateKeySpec& spec, const Exchange& exchange, Sink& sink) {
  const Headers& headers = exchange.request().headers;
  for (const RateKeyPart& part : spec.parts) {
    std::optional<std::string_view> value;
    switch (part.kind) {
      case Kind::kClientAddress:
        break;
      case Kind::kRoute:
        add_value(sink, exchange.route);
        continue;
      case Kind::kHeader:
        value = header_value(headers, part.name);
        break;
      case Kind::kCookie:
        value = cookie_value(headers, part.name);
        break;
      case Kind::kQuery:
        value = query_value(exchange.request().query, part.name);
        break;
    }
    if (!value) {
      const auto network =
          network_of(unwrap_embedded_v4(IpAddress{exchange.client.bytes}), spec.ipv4_prefix, spec.ipv6_prefix);
      sink.add({reinterpret_cast<const char*>(network.bytes.data()), network.bytes.size()});
    } else if (part.kind != Kind::kHeader) {
      add_decoded(sink, *value, part.kind == Kind::kQuery ? Plus::kIsSpace : Plus::kIsItself);
    } else if (equals_ignoring_case(part.name, "authorization")) {
      add_credentials(sink, *value);
    } else {
      add_value(sink, *value);
    }
    // At the end, where it does not push the address off the hash's word boundary.
    sink.add_byte(value ? 1 : 0);
  }
}

// Collects bytes in an arena.
class Collector {
 public:
  explicit Collector(Arena& arena) noexcept : arena_(arena) {}

  void add(std::string_view bytes) {
    if (bytes.size() > room_ - size_) grow(bytes.size());
    std::copy(bytes.begin(), bytes.end(), begin_ + size_);
    size_ += bytes.size();
  }
  void add_byte(std::uint8_t byte) {
    const auto c = static_cast<char>(byte);
    add({&c, 1});
  }
  std::string_view text() const noexcept { return {begin_, size_}; }

 private:
  void grow(std::size_t more) {
    room_ = 2 * room_ + more + 64;
    auto* const grown = static_cast<char*>(arena_.allocate(room_));
    std::copy_n(begin_, size_, grown);
    begin_ = grown;
  }

  Arena& arena_;
  char* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace

std::optional<RateKeyPart> parse_rate_key_part(std::string_view text) {
  if (text == "client_address") return RateKeyPart{};
  if (text == "route") return RateKeyPart{Kind::kRoute, {}};
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return {};
  const auto kind = text.substr(0, colon);
  const std::string name(text.substr(colon + 1));
  if (kind == "header") return RateKeyPart{Kind::kHeader, name};
  if (kind == "cookie") return RateKeyPart{Kind::kCookie, name};
  if (kind == "query") return RateKeyPart{Kind::kQuery, name};
  return {};
}

RateKey RateKeySpec::key_of(const Exchange& exchange, const HashSecret& secret) const {
  KeyedHasher hasher(secret);
  feed(*this, exchange, hasher);
  return RateKey{hasher.finish()};
}

std::string_view RateKeySpec::bytes_of(const Exchange& exchange) const {
  Collector collector(exchange.arena());
  feed(*this, exchange, collector);
  return collector.text();
}

bool RateKeySpec::by_address_only() const noexcept {
  return std::all_of(parts.begin(), parts.end(), [](const RateKeyPart& part) {
    return part.kind == Kind::kClientAddress || part.kind == Kind::kRoute;
  });
}

}  // namespace gatehouse
