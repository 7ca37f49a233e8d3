// One pass over a text of any kind that hides secrets, by the name they are given and by their shape. Lives on the
// stack of the call that redacts; one thread.
//
// The text may be a piece of something longer: then the pass stops before whatever the end of the piece leaves open,
// and says so.
#pragma once

#include "observe/redact_rules.hpp"
#include "observe/redact_syntax.hpp"
#include "observe/redact_tokens.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

class RedactScan {
 public:
  enum class End : std::uint8_t { kFinal, kMoreToCome };
  // What goes on behind the end of a piece that is too long to be kept: everything up to there is secret.
  enum class Open : std::uint8_t { kNothing, kQuoted, kBare, kLine };

  // Judges text[from...]; what stands before `from` has been judged and is only looked back at.
  RedactScan(const RedactRules& rules, std::string_view text, std::size_t from, End end, std::string& out);

  // Appends what may be told of text[from, told()) to `out`, unless nothing had to be hidden: then `out` is as it was.
  void run();

  bool changed() const noexcept { return changed_; }
  // How far the text has been judged: all of it, or up to what needs more bytes.
  std::size_t told() const noexcept { return told_; }
  // Judges the secret that needed more bytes now: hides all that is here. How it goes on.
  Open hide_open_end();
  char open_quote() const noexcept { return open_quote_; }
  std::size_t open_backslashes() const noexcept { return open_backslashes_; }

  // Cookies as in a Cookie or Set-Cookie field: values hidden, names and attributes kept; with `drop` no pair is left.
  static void append_cookies(const SecretHider& hider, std::string_view in, std::string& out, bool drop);
  // The credentials of an Authorization field, without the scheme in front of them.
  static TextSpan credentials(std::string_view text, TextSpan value) noexcept;

 private:
  using Verdict = SensitiveNames::Verdict;
  enum class Holder : std::uint8_t { kField, kCookies, kAuthorization };

  void look_at(std::size_t at, bool run, bool card);
  void on_run(std::size_t at);
  void on_card(std::size_t at);
  void on_separator(std::size_t at);
  bool on_url(std::size_t colon);
  bool on_user_and_password(std::size_t colon);
  void on_percent(std::size_t at);
  void on_tuple(std::size_t comma);
  void on_tag(std::size_t at);
  void on_quote_behind_word(std::size_t at);
  void on_dashes(std::size_t at);
  void on_private_key(std::size_t at);
  void on_option(std::size_t second_dash);
  void on_word(std::size_t space);
  void on_dialled(std::size_t parenthesis);
  void on_email(std::size_t at);

  void value_of(const WrittenName& name, std::size_t at, Verdict verdict);
  void quoted_value(const WrittenName& name, std::size_t quote, std::size_t backslashes, Holder holder,
                    Verdict verdict);
  void bare_value(const WrittenName& name, std::size_t at, Holder holder, Verdict verdict);
  void container(const WrittenName& name, std::size_t at);
  void hide_leaves(const WrittenName& name, std::size_t begin, std::size_t stop);
  void form_value(std::size_t at);
  bool in_url(const WrittenName& name, std::size_t value_end) const noexcept;
  std::size_t skip_blanks(std::size_t at, bool lines) const noexcept;

  void hide(std::size_t begin, std::size_t end);
  void hide_quoted(std::size_t begin, std::size_t end, const WrittenName& like);
  void hide_held(std::size_t begin, std::size_t end, Holder holder);
  void copy_up_to(std::size_t at);
  // The piece ends inside what begins at `from`. True when more is to come, so nothing may be decided yet.
  bool needs_more(std::size_t from, std::size_t secret, Open open, char quote = 0, std::size_t backslashes = 0);

  const RedactRules& rules_;
  const std::string_view text_;
  const bool final_;
  std::string& out_;
  std::size_t position_;  // judged up to here
  std::size_t copied_;    // written up to here
  std::size_t told_ = 0;
  bool changed_ = false;
  bool waiting_ = false;
  std::size_t open_secret_ = 0;
  Open open_ = Open::kNothing;
  char open_quote_ = 0;
  std::size_t open_backslashes_ = 0;
};

}  // namespace gatehouse
