#include <gatehouse/message.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace gatehouse {
namespace {

struct Known {
  std::string_view name;
  FieldId id;
};

// In the order of FieldId.
constexpr Known kKnown[] = {
    {"accept", FieldId::accept},
    {"access-control-request-headers", FieldId::access_control_request_headers},
    {"access-control-request-method", FieldId::access_control_request_method},
    {"age", FieldId::age},
    {"authorization", FieldId::authorization},
    {"cache-control", FieldId::cache_control},
    {"connection", FieldId::connection},
    {"content-encoding", FieldId::content_encoding},
    {"content-length", FieldId::content_length},
    {"content-type", FieldId::content_type},
    {"cookie", FieldId::cookie},
    {"date", FieldId::date},
    {"expect", FieldId::expect},
    {"forwarded", FieldId::forwarded},
    {"host", FieldId::host},
    {"keep-alive", FieldId::keep_alive},
    {"origin", FieldId::origin},
    {"proxy-authenticate", FieldId::proxy_authenticate},
    {"proxy-authorization", FieldId::proxy_authorization},
    {"proxy-connection", FieldId::proxy_connection},
    {"referer", FieldId::referer},
    {"retry-after", FieldId::retry_after},
    {"server", FieldId::server},
    {"set-cookie", FieldId::set_cookie},
    {"te", FieldId::te},
    {"traceparent", FieldId::traceparent},
    {"tracestate", FieldId::tracestate},
    {"trailer", FieldId::trailer},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"upgrade", FieldId::upgrade},
    {"user-agent", FieldId::user_agent},
    {"vary", FieldId::vary},
    {"via", FieldId::via},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"x-forwarded-host", FieldId::x_forwarded_host},
    {"x-forwarded-port", FieldId::x_forwarded_port},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"x-real-ip", FieldId::x_real_ip},
    {"x-request-id", FieldId::x_request_id},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kKnown); ++i)
    if (static_cast<std::size_t>(kKnown[i].id) != i + 1) return false;
  return true;
}
static_assert(in_order(), "field_name() finds a name by its id");

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

constexpr std::uint64_t in_each_byte(unsigned char value) noexcept { return 0x0101010101010101U * value; }

// The same for eight of them: a byte's top bit says whether it is a capital letter.
constexpr std::uint64_t lower(std::uint64_t bytes) noexcept {
  const std::uint64_t low = bytes & in_each_byte(0x7f);
  const std::uint64_t from_a = low + in_each_byte(0x80 - 'A');
  const std::uint64_t beyond_z = low + in_each_byte(0x7f - 'Z');
  const std::uint64_t capital = (from_a ^ beyond_z) & ~bytes & in_each_byte(0x80);
  return bytes | capital >> 2;
}

template <class Word>
Word load(std::string_view text, std::size_t at) noexcept {
  Word word;
  std::memcpy(&word, text.data() + at, sizeof word);
  return word;
}

// Names share a slot only with names of the same length and first letter: about one comparison a look-up.
constexpr std::size_t kSlots = 256;
constexpr std::size_t kSlotSize = 4;
constexpr std::size_t slot_of(std::string_view name) noexcept {
  const auto first = static_cast<std::size_t>(static_cast<unsigned char>(lower(name.front())));
  const auto last = static_cast<std::size_t>(static_cast<unsigned char>(lower(name.back())));
  return (name.size() * 11 + first * 5 + last * 3) % kSlots;
}

constexpr auto kTable = [] {
  std::array<std::array<std::uint8_t, kSlotSize>, kSlots> table{};
  for (std::size_t i = 0; i < std::size(kKnown); ++i) {
    auto& slot = table[slot_of(kKnown[i].name)];
    for (auto& entry : slot)
      if (entry == 0) {
        entry = static_cast<std::uint8_t>(i + 1);
        break;
      } else if (&entry == &slot.back()) {
        throw "a slot of known field names is full";
      }
  }
  return table;
}();

}  // namespace

// Names are compared some twenty times in a request: eight bytes at once, the last ones overlapping those before.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8)
      if (lower(load<std::uint64_t>(a, at)) != lower(load<std::uint64_t>(b, at))) return false;
    return lower(load<std::uint64_t>(a, size - 8)) == lower(load<std::uint64_t>(b, size - 8));
  }
  if (size >= 4) {
    const auto both = [size](std::string_view text) {
      return std::uint64_t{load<std::uint32_t>(text, 0)} << 32 | load<std::uint32_t>(text, size - 4);
    };
    return lower(both(a)) == lower(both(b));
  }
  for (std::size_t i = 0; i < size; ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

FieldId field_id(std::string_view name) noexcept {
  if (name.empty()) return FieldId::other;
  for (const auto entry : kTable[slot_of(name)]) {
    if (entry == 0) break;
    const Known& known = kKnown[entry - 1];
    if (equals_ignoring_case(known.name, name)) return known.id;
  }
  return FieldId::other;
}

std::string_view field_name(FieldId id) noexcept {
  return id == FieldId::other ? std::string_view{} : kKnown[static_cast<std::size_t>(id) - 1].name;
}

const Field* Headers::find_added(FieldId id) const noexcept {
  for (const Field& field : *this)
    if (field.id == id) return &field;
  return nullptr;
}

const Field* Headers::find(std::string_view name) const noexcept {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return find(id);
  for (const Field& field : *this)
    if (equals_ignoring_case(field.name, name)) return &field;
  return nullptr;
}

std::string_view Headers::value(FieldId id) const noexcept {
  const Field* field = find(id);
  return field ? field->value : std::string_view{};
}

std::string_view Headers::value(std::string_view name) const noexcept {
  const Field* field = find(name);
  return field ? field->value : std::string_view{};
}

std::string_view Headers::joined(FieldId id, std::string_view separator) const {
  if (!may_have(id)) return {};
  std::string_view only;
  std::size_t values = 0;
  std::size_t size = 0;
  for (const Field& field : *this) {
    if (field.id != id || field.value.empty()) continue;
    only = field.value;
    ++values;
    size += field.value.size() + separator.size();
  }
  if (values < 2) return only;
  auto* const begin = static_cast<char*>(arena_->allocate(size));
  char* end = begin;
  for (const Field& field : *this) {
    if (field.id != id || field.value.empty()) continue;
    if (end != begin) end = std::copy(separator.begin(), separator.end(), end);
    end = std::copy(field.value.begin(), field.value.end(), end);
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::size_t Headers::count(FieldId id) const noexcept {
  if (!may_have(id)) return 0;
  return static_cast<std::size_t>(std::count_if(begin(), end(), [id](const Field& field) { return field.id == id; }));
}

std::size_t Headers::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(begin(), end(), [name](const Field& field) { return equals_ignoring_case(field.name, name); }));
}

void Headers::append(Field field) {
  if (size_ == capacity_) {
    const std::uint32_t capacity = capacity_ == 0 ? 32 : capacity_ * 2;
    auto* grown = static_cast<Field*>(arena_->allocate(capacity * sizeof(Field)));
    std::copy(fields_, fields_ + size_, grown);
    fields_ = grown;
    capacity_ = capacity;
  }
  fields_[size_++] = field;
  added_ |= bit(field.id);
}

void Headers::add(std::string_view name, std::string_view value) { add_view(arena_->copy(name), arena_->copy(value)); }

void Headers::set(std::string_view name, std::string_view value) { set_view(arena_->copy(name), arena_->copy(value)); }

void Headers::put(const Field& field) {
  if (!may_have(field.id)) return append(field);
  const auto same = [&field](const Field& other) {
    return other.id == field.id && (field.id != FieldId::other || equals_ignoring_case(other.name, field.name));
  };
  Field* const end = fields_ + size_;
  Field* const first = std::find_if(fields_, end, same);
  if (first == end) return append(field);
  // The first of them keeps its place.
  *first = field;
  if (std::any_of(first + 1, end, same)) remove_if([&](const Field& other) { return &other > first && same(other); });
}

std::size_t Headers::remove(std::string_view name) noexcept {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return remove(id);
  if (!may_have(id)) return 0;
  return remove_if([name](const Field& field) { return equals_ignoring_case(field.name, name); });
}

std::string_view method_label(Method method) noexcept {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      return "DELETE";
    case Method::kConnect:
      return "CONNECT";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kTrace:
      return "TRACE";
    case Method::kPatch:
      return "PATCH";
    case Method::kOther:
      break;
  }
  return "_OTHER";
}

}  // namespace gatehouse
