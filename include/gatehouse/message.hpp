// Requests and responses as filters see them. Every text is a view whose bytes live in the exchange's Arena (or are
// literals), so a message is cheap to pass and dies with its exchange. Nothing here may outlive the exchange; nothing is
// shared between threads.
#pragma once

#include <gatehouse/result.hpp>

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace gatehouse {

template <class T>
using awaitable = boost::asio::awaitable<T>;

// Memory of one exchange: grows by blocks, is emptied as a whole. The first block is kept for the next exchange.
class Arena {
 public:
  explicit Arena(std::size_t first_block = 8192);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` uninitialised bytes, aligned for any scalar, valid until clear().
  void* allocate(std::size_t size) {
    const std::size_t rounded = (size + 15) & ~std::size_t{15};
    if (rounded > static_cast<std::size_t>(end_ - next_)) return allocate_slow(rounded);
    void* at = next_;
    next_ += rounded;
    return at;
  }
  // A copy of `text` that lives as long as the exchange.
  std::string_view copy(std::string_view text);
  // The parts, one after the other, as one text.
  std::string_view join(std::initializer_list<std::string_view> parts);
  void clear() noexcept;
  // Bytes handed out since clear(), for bounds and tests.
  std::size_t used() const noexcept;

 private:
  void* allocate_slow(std::size_t size);
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };
  std::vector<Block> blocks_;
  std::byte* next_;
  std::byte* end_;
  std::size_t full_ = 0;
};

// Field names that the proxy itself asks for often; finding them compares one byte instead of a text.
enum class FieldId : std::uint8_t {
  other,
  accept,
  access_control_request_headers,
  access_control_request_method,
  age,
  authorization,
  cache_control,
  connection,
  content_encoding,
  content_length,
  content_type,
  cookie,
  date,
  expect,
  forwarded,
  host,
  keep_alive,
  origin,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  referer,
  retry_after,
  server,
  set_cookie,
  te,
  traceparent,
  tracestate,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_real_ip,
  x_request_id,
};
static_assert(static_cast<unsigned>(FieldId::x_request_id) < 64, "Headers keeps a bit for each");

// The id of a field name in any case (RFC 9110 5.1: names are case-insensitive).
FieldId field_id(std::string_view name) noexcept;
// The name of an id in lower case; empty for `other`.
std::string_view field_name(FieldId id) noexcept;
// True when `a` and `b` are equal apart from ASCII case.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id;
};

// The fields of one message, in order, duplicates kept.
class Headers {
 public:
  explicit Headers(Arena& arena) noexcept : arena_(&arena) {}

  const Field* begin() const noexcept { return fields_; }
  const Field* end() const noexcept { return fields_ + size_; }
  std::size_t size() const noexcept { return size_; }

  // False when no field of that name was ever added: most of what is asked for on the way of a request is not there.
  bool may_have(FieldId id) const noexcept { return (added_ & bit(id)) != 0; }
  // The first field of that name, or null. Valid until the next change.
  const Field* find(FieldId id) const noexcept { return may_have(id) ? find_added(id) : nullptr; }
  const Field* find(std::string_view name) const noexcept;
  // The value of the first field of that name, or an empty text: use find() where the difference matters.
  std::string_view value(FieldId id) const noexcept;
  std::string_view value(std::string_view name) const noexcept;
  // The values of all fields of that name as one list, empty ones left out (RFC 9110 5.3); in the arena where there
  // are several.
  std::string_view joined(FieldId id, std::string_view separator) const;
  std::size_t count(FieldId id) const noexcept;
  std::size_t count(std::string_view name) const noexcept;

  // Adds behind what is there. Name and value are copied into the arena. The caller vouches for the syntax of both
  // (RFC 9110 5.1, 5.5): what a peer sent has been judged by the parser, what a filter composes must be clean.
  void add(std::string_view name, std::string_view value);
  // The same without a copy: both must outlive the exchange (literals, configuration, or the arena itself).
  void add_view(std::string_view name, std::string_view value) { append({name, value, field_id(name)}); }
  // The same where the id is known: it is field_id(name).
  void append(Field field);
  // Replaces all fields of that name by one.
  void set(std::string_view name, std::string_view value);
  void set_view(std::string_view name, std::string_view value) { put({name, value, field_id(name)}); }
  // The same for a name that has an id (not `other`), which is written in lower case and need not be looked up.
  void set_view(FieldId id, std::string_view value) { put({field_name(id), value, id}); }
  // Removes all fields of that name; how many there were.
  std::size_t remove(std::string_view name) noexcept;
  std::size_t remove(FieldId id) noexcept {
    return may_have(id) ? remove_if([id](const Field& field) { return field.id == id; }) : 0;
  }
  template <class Predicate>
  std::size_t remove_if(Predicate drop) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (drop(static_cast<const Field&>(fields_[i]))) continue;
      if (kept != i) fields_[kept] = fields_[i];
      ++kept;
    }
    const std::size_t dropped = size_ - kept;
    size_ = static_cast<std::uint32_t>(kept);
    return dropped;
  }
  Arena& arena() const noexcept { return *arena_; }

 private:
  void put(const Field& field);
  static constexpr std::uint64_t bit(FieldId id) noexcept { return std::uint64_t{1} << static_cast<unsigned>(id); }
  const Field* find_added(FieldId id) const noexcept;

  Arena* arena_;
  Field* fields_ = nullptr;
  std::uint64_t added_ = 0;  // the ids of all fields that were ever here
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kConnect, kOptions, kTrace, kPatch, kOther };
enum class Scheme : std::uint8_t { kHttp, kHttps };

// The registered name of a method, `_OTHER` for any that is not known (OpenTelemetry's bounded label value).
std::string_view method_label(Method method) noexcept;

// A body that is pulled: back-pressure is not calling read().
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The next bytes, valid until the next call; empty at the end. An error means that the rest will never come.
  virtual awaitable<result<std::string_view>> read() = 0;
};

// What is already here, then what `rest` will bring (null: nothing more).
struct Body {
  std::string_view ready;
  BodyReader* rest = nullptr;  // owned by the exchange
  // Length of the whole body where it is known before the end.
  std::optional<std::uint64_t> length = 0;

  bool empty() const noexcept { return ready.empty() && rest == nullptr; }
};

struct Request {
  explicit Request(Arena& arena) noexcept : headers(arena) {}
  Method method = Method::kGet;
  std::string_view method_text;   // as sent
  std::string_view path;          // judged, starts with '/', percent-encoding as sent; "*" for OPTIONS *
  std::string_view query;         // without '?'
  bool has_query = false;         // "/a?" and "/a" are different targets
  std::string_view authority;     // host[:port] of the Host field or of an absolute-form target
  unsigned minor_version = 1;     // HTTP/1.x
  Headers headers;
  Body body;
};

struct Response {
  explicit Response(Arena& arena) noexcept : headers(arena) {}
  int status = 200;
  Headers headers;
  Body body;
};

}  // namespace gatehouse
