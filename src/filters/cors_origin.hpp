// Origins as browsers write them, and sets of origins that are trusted.
//
// A browser serialises an origin in one way only (URL standard, RFC 6454): scheme and host in small letters, the host
// of another script as punycode, no default port, nothing behind the port. So a set brings what was configured into
// that form once, and what a request names is compared byte by byte: anything written differently is no browser's
// origin. Built while a configuration is loaded, read only afterwards; belongs to whoever configured it.
#pragma once

#include <gatehouse/filter.hpp>
#include <gatehouse/options.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace gatehouse {

// How one trusted origin is written in a configuration: `https://app.example.com`, `https://*.example.com` (one or more
// labels), `http://localhost:*` (any port), `~https://pr-[0-9]+\.example\.com` (RE2, matches as a whole), `null`, `*`.
extern const TextFormat kOriginFormat;

class OriginSet {
 public:
  OriginSet();
  OriginSet(OriginSet&&) noexcept;
  OriginSet& operator=(OriginSet&&) noexcept;
  ~OriginSet();

  // Adds what `entry` stands for, or says what is wrong with it, as the end of a sentence.
  std::optional<std::string> add(std::string_view entry);

  // `origin`: the value of an Origin field, from anybody. `*` is not looked at here: see any().
  bool contains(std::string_view origin) const;
  // Whether `*` was given: every origin may read what is public, which trusts none of them.
  bool any() const noexcept { return any_; }
  bool has_null() const noexcept { return null_; }
  // A pattern in it also takes an origin that nobody can have meant.
  bool matches_strangers() const;
  // The one origin in it, where there is exactly one and no pattern; else empty.
  std::string_view only() const noexcept;
  bool empty() const noexcept;

 private:
  // An origin of which the front of the host, the port, or both are free.
  struct Shape {
    std::string front;  // "https://"
    std::string host;   // ".example.com", or "localhost" where the host is not free
    std::string port;   // ":8443", or nothing
    bool free_port = false;
    bool matches(std::string_view origin) const;
  };
  std::optional<std::string> add_url(std::string_view entry);
  std::optional<std::string> add_pattern(std::string_view entry);

  std::vector<std::string> exact_;  // sorted
  std::vector<Shape> shapes_;
  std::vector<std::unique_ptr<re2::RE2>> patterns_;
  bool any_ = false;
  bool null_ = false;
};

// The value of the request's Origin field; nothing where there is none or more than one.
std::optional<std::string_view> request_origin(const Request& request) noexcept;

// Whether `origin` is the one this request was sent to. Where the client is known to use TLS, the origin must too;
// where it is not, a proxy that nobody named may speak TLS in front, and the host and port decide.
bool is_own_origin(const Exchange& exchange, std::string_view origin) noexcept;

}  // namespace gatehouse
