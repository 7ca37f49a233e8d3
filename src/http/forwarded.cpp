#include "http/forwarded.hpp"

#include <utility>

namespace gatehouse {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Start of the quoted string that ends `text`, or npos.
std::size_t opening_quote(std::string_view text) noexcept {
  for (auto at = text.size() - 1; at-- > 0;) {
    if (text[at] != '"') continue;
    std::size_t backslashes = 0;
    while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return at;
  }
  return std::string_view::npos;
}

// The members of a list field from the last to the first, over all fields of that name: they are one list (RFC 9110
// section 5.3). Read backwards, because a quote left open by the client would swallow what proxies wrote behind it.
class ReversedList {
 public:
  ReversedList(const Headers& headers, FieldId id) noexcept : begin_(headers.begin()), at_(headers.end()), id_(id) {}

  // False at the beginning of the list. An empty member is a member.
  bool next(std::string_view& member, char separator = ',') noexcept {
    if (!open_ && !previous_field()) return false;
    member = take_last(rest_, separator, open_);
    return true;
  }

  // Cuts the last member off `rest`; `open` says whether another one stands before it.
  static std::string_view take_last(std::string_view& rest, char separator, bool& open) noexcept {
    auto at = rest.size();
    while (at > 0 && rest[at - 1] != separator) {
      --at;
      if (rest[at] != '"') continue;
      const auto opening = opening_quote(rest.substr(0, at + 1));
      // Not opened within this field: the text cannot be divided, so that all of it is one member that means nothing.
      at = opening == std::string_view::npos ? 0 : opening;
    }
    open = at > 0;
    const auto member = trimmed(rest.substr(at));
    rest = rest.substr(0, open ? at - 1 : 0);
    return member;
  }

 private:
  bool previous_field() noexcept {
    while (at_ != begin_) {
      --at_;
      if (at_->id != id_) continue;
      rest_ = at_->value;
      return true;
    }
    return false;
  }

  const Field* begin_;
  const Field* at_;
  FieldId id_;
  std::string_view rest_;
  bool open_ = false;
};

std::optional<Scheme> parse_scheme(std::string_view text) noexcept {
  if (equals_ignoring_case(text, "https")) return Scheme::kHttps;
  if (equals_ignoring_case(text, "http")) return Scheme::kHttp;
  return {};
}

std::size_t count_members(const Headers& headers, FieldId id) noexcept {
  ReversedList list(headers, id);
  std::size_t count = 0;
  for (std::string_view member; list.next(member);) ++count;
  return count;
}

// Proxies either replace X-Forwarded-Proto or append to it as they do to X-Forwarded-For. Where both lists are equally
// long, the member beside the client's address is the client's; else what the peer itself wrote, the last, counts.
std::optional<Scheme> forwarded_proto(const Headers& headers, std::size_t hops) noexcept {
  std::string_view last;
  ReversedList protos(headers, FieldId::x_forwarded_proto);
  if (!protos.next(last)) return {};
  if (hops > 1 &&
      count_members(headers, FieldId::x_forwarded_proto) == count_members(headers, FieldId::x_forwarded_for))
    for (std::size_t hop = 1; hop < hops; ++hop) protos.next(last);
  return parse_scheme(last);
}

struct Element {
  std::optional<IpAddress> address;
  std::optional<Scheme> scheme;
};

// One forwarded-element (RFC 7239 section 4). No address where it has none, has two, or breaks the grammar.
Element parse_element(std::string_view text) noexcept {
  Element element;
  bool seen_for = false;
  bool seen_proto = false;
  for (bool open = true; open;) {
    const auto pair = ReversedList::take_last(text, ';', open);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return {};
    const auto name = pair.substr(0, equals);
    auto value = pair.substr(equals + 1);
    if (equals_ignoring_case(name, "for")) {
      const auto parsed = parse_address_and_port(value);
      if (!parsed || std::exchange(seen_for, true)) return {};
      element.address = parsed->address;
    } else if (equals_ignoring_case(name, "proto")) {
      if (std::exchange(seen_proto, true)) return {};
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      element.scheme = parse_scheme(value);
    }
  }
  return element;
}

}  // namespace

SettledClient settle_client(const IpAddress& peer, const Headers& headers, const ForwardedRules& rules) {
  SettledClient client{peer, rules.trusted.contains(peer), {}, 0};
  if (!client.peer_trusted) return client;
  const bool rfc7239 = rules.source == ForwardedSource::kForwarded;
  ReversedList list(headers, rfc7239 ? FieldId::forwarded : FieldId::x_forwarded_for);
  for (std::string_view member; client.hops < rules.max_hops && list.next(member);) {
    Element element;
    if (rfc7239)
      element = parse_element(member);
    else if (const auto parsed = parse_address_and_port(member))
      element.address = parsed->address;
    if (!element.address) break;
    client.address = *element.address;
    client.scheme = element.scheme;
    ++client.hops;
    if (!rules.trusted.contains(client.address)) break;
  }
  if (!rfc7239) client.scheme = forwarded_proto(headers, client.hops);
  return client;
}

}  // namespace gatehouse
