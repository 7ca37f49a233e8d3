#include "observe/redact_patterns.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace gatehouse {

RedactPatterns::RedactPatterns() = default;
RedactPatterns::~RedactPatterns() = default;

std::string RedactPatterns::add(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);  // a log may hold any bytes
  auto compiled = std::make_unique<RE2>(pattern, options);
  if (!compiled->ok()) return compiled->error();
  if (RE2::FullMatch("", *compiled)) return "matches the empty text";
  patterns_.push_back(std::move(compiled));
  return {};
}

void RedactPatterns::find(std::string_view text, std::vector<Match>& matches) const {
  const re2::StringPiece input(text.data(), text.size());
  for (const auto& pattern : patterns_) {
    re2::StringPiece found[2];
    const int groups = std::min(pattern->NumberOfCapturingGroups(), 1) + 1;
    std::size_t from = 0;
    while (from < text.size() && pattern->Match(input, from, text.size(), RE2::UNANCHORED, found, groups)) {
      const re2::StringPiece& hidden = groups > 1 && found[1].data() ? found[1] : found[0];
      const auto begin = static_cast<std::size_t>(hidden.data() - text.data());
      if (!hidden.empty()) matches.push_back({begin, begin + hidden.size()});
      const auto end = static_cast<std::size_t>(found[0].data() - text.data()) + found[0].size();
      from = std::max(end, from + 1);
    }
  }
  std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return a.begin < b.begin; });
  std::size_t kept = 0;
  for (const Match& match : matches) {
    if (kept > 0 && match.begin <= matches[kept - 1].end)
      matches[kept - 1].end = std::max(matches[kept - 1].end, match.end);
    else
      matches[kept++] = match;
  }
  matches.resize(kept);
}

}  // namespace gatehouse
