// Which names hold secrets: of headers, query and form parameters, cookies, JSON keys, attributes. The built-in list
// can be extended, never shortened. Immutable after construction; any thread.
//
// A name is compared by its letters and digits alone, so `api_key`, `API-Key`, `apiKey` and `user[apiKey]` are one. A
// term counts at the end of a compound (`db_password`); behind it, a word that makes it a fact about the secret
// (`password_url`, `token_type`, `secret_name`) lifts the suspicion, any other (`password_salt`) does not.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

class SensitiveNames {
 public:
  enum class Verdict : std::uint8_t {
    kHarmless,
    kSensitive,
    kInUrl,   // a word too common elsewhere: sensitive in a URL's query and in a form (`code`, `state`, `key`, `sig`)
    kSuspect  // ends in `key` or the like: sensitive when the value looks random
  };

  // `extra`: further names, in any spelling.
  explicit SensitiveNames(std::span<const std::string> extra = {});

  // Short names are remembered by each thread: those of a log repeat from line to line.
  Verdict judge(std::string_view name) const noexcept;

 private:
  enum class Kind : std::uint8_t { kStrong, kWeak, kWord, kExact, kUrlExact, kSuspect, kInnocent };
  struct Term {
    std::string text;  // letters and digits, lower case
    Kind kind;
  };
  struct State {
    std::int16_t first_output = -1;  // index into outputs_
  };
  struct Output {
    std::uint16_t term;
    std::int16_t next;
  };
  struct Name;

  void add(std::string_view text, Kind kind);
  void build();
  Verdict judge_anew(std::string_view name) const noexcept;
  Verdict judge_term(const Term& term, const Name& name, std::size_t end) const noexcept;

  std::uint64_t id_;  // no two lists of a process have the same
  std::vector<Term> terms_;
  std::array<std::uint8_t, 256> class_{};  // 0: skipped, 1: in no term
  std::size_t classes_ = 2;
  std::vector<std::uint16_t> next_;  // state * classes_ + class
  std::vector<std::int16_t> first_output_;
  std::vector<Output> outputs_;
};

}  // namespace gatehouse
