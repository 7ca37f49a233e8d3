#include "observe/redact_stream.hpp"

#include "observe/redact_patterns.hpp"

#include <algorithm>

namespace gatehouse {

void RedactStream::feed(std::string_view piece, std::string& out) {
  if (open_ != RedactScan::Open::kNothing) piece = skip_secret(piece);
  if (piece.empty()) return;
  text_ += piece;
  // What is kept grows for as long as a value has no end; looking at it again for every byte would take quadratic time.
  if (text_.size() < worth_a_look_ && piece.find('\n') == std::string_view::npos) return;
  scan(RedactScan::End::kMoreToCome, out);
}

void RedactStream::finish(std::string& out) {
  scan(RedactScan::End::kFinal, out);
  if (!line_.empty()) {
    std::string scratch;
    out += redactor_->by_pattern(line_, scratch);
    line_.clear();
  }
  open_ = RedactScan::Open::kNothing;
}

void RedactStream::scan(RedactScan::End end, std::string& out) {
  std::string hidden;
  RedactScan pass(redactor_->rules_, text_, told_, end, hidden);
  pass.run();
  if (end == RedactScan::End::kMoreToCome && text_.size() - pass.told() > kMostKept) {
    open_ = pass.hide_open_end();
    open_quote_ = pass.open_quote();
    open_backslashes_ = pass.open_backslashes();
    backslashes_ = 0;
  }
  tell(pass.changed() ? std::string_view(hidden) : std::string_view(text_).substr(told_, pass.told() - told_), out);
  told_ = pass.told();
  const std::size_t forget = told_ > kLookBack ? told_ - kLookBack : 0;
  text_.erase(0, forget);
  told_ -= forget;
  worth_a_look_ = text_.size() + (text_.size() - told_) / 4;
}

std::string_view RedactStream::skip_secret(std::string_view piece) {
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const char c = piece[i];
    bool ends = c == '\n';
    switch (open_) {
      case RedactScan::Open::kBare:
        ends = ends || std::string_view(" \t\r&\"'<>`").find(c) != std::string_view::npos;
        break;
      case RedactScan::Open::kQuoted:
        ends = ends || (c == open_quote_ && (backslashes_ < open_backslashes_ ||
                                             (backslashes_ - open_backslashes_) / (open_backslashes_ + 1) % 2 == 0));
        break;
      case RedactScan::Open::kLine:
      case RedactScan::Open::kNothing:
        break;
    }
    if (!ends) {
      backslashes_ = c == '\\' ? backslashes_ + 1 : 0;
      continue;
    }
    // The backslashes of the closing quote were taken for a part of the secret.
    if (c == open_quote_) text_.append(std::min(backslashes_, open_backslashes_), '\\');
    open_ = RedactScan::Open::kNothing;
    return piece.substr(i);
  }
  return {};
}

void RedactStream::tell(std::string_view text, std::string& out) {
  if (redactor_->patterns_->empty()) {
    out += text;
    return;
  }
  // Patterns see whole lines, or what is kept of endless ones.
  line_ += text;
  const std::size_t newline = line_.rfind('\n');
  const std::size_t whole = newline != std::string::npos ? newline + 1 : line_.size() > kMostKept ? line_.size() : 0;
  if (whole == 0) return;
  std::string scratch;
  out += redactor_->by_pattern(std::string_view(line_).substr(0, whole), scratch);
  line_.erase(0, whole);
}

}  // namespace gatehouse
