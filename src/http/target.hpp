// The request target (RFC 9112 3.2), judged: one reading of the path, or a refusal.
#pragma once

#include "http/head_error.hpp"

#include <gatehouse/message.hpp>

#include <optional>

namespace gatehouse::http {

enum class SlashPolicy : std::uint8_t { kReject, kKeep };       // "%2F" and "%5C" in a path
enum class DotPolicy : std::uint8_t { kReject, kNormalise };    // "." and ".." segments, encoded ones too
enum class DoubleSlashPolicy : std::uint8_t { kKeep, kMerge };  // "//"

struct TargetPolicy {
  SlashPolicy encoded_slash = SlashPolicy::kReject;
  DotPolicy dot_segments = DotPolicy::kReject;
  DoubleSlashPolicy double_slash = DoubleSlashPolicy::kKeep;
};

// Fills path, query and (for an absolute-form target) authority of `request`, whose method is set already.
std::optional<HeadError> judge_target(std::string_view target, const TargetPolicy& policy, Request& request);

// The path as apps resolve it, to compare with patterns: percent-encodings decoded, path parameters, empty segments and
// a slash at the end left out. `/%6Cogin`, `//login` and `/login/` reach the app's `/login`, and so must a rule about
// it. In the arena, or `path` itself where nothing changes. Never to be sent on.
std::string_view comparable_path(std::string_view path, Arena& arena);

// Syntax of a Host field or an authority without userinfo (RFC 9110 7.2): host, optional port.
bool valid_authority(std::string_view text) noexcept;

}  // namespace gatehouse::http
