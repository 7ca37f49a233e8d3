// Which bytes of a text could matter to redaction, found 64 at a time: nearly all of a log line is dismissed here
// without a branch. Pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gatehouse {

// One bit for each of 64 bytes, the first byte in the lowest bit.
struct ByteClasses {
  std::uint64_t token = 0;  // letters, digits, `_`, `-`
  std::uint64_t digit = 0;
  std::uint64_t dash = 0;
  std::uint64_t space = 0;
  std::uint64_t quote = 0;      // " and '
  std::uint64_t separator = 0;  // = : % ( @
  std::uint64_t comma = 0;
  std::uint64_t closing = 0;   // >
  std::uint64_t word_end = 0;  // d and s: the last letters of `password` and `requirepass`
};

// The classes of the bytes from `at` on; bytes behind the end belong to none.
inline ByteClasses classify(std::string_view text, std::size_t at) noexcept {
  const std::size_t size = text.size() - at < 64 ? text.size() - at : 64;
  const char* const from = text.data() + at;
  ByteClasses classes;
#ifdef __SSE2__
  for (std::size_t i = 0; i * 16 < size; ++i) {
    alignas(16) char padded[16] = {};
    const char* quarter = from + 16 * i;
    if (size - 16 * i < 16) {
      for (std::size_t j = 0; j < size - 16 * i; ++j) padded[j] = quarter[j];
      quarter = padded;
    }
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(quarter));
    const auto is = [v](char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
    const auto add = [i](std::uint64_t& mask, __m128i found) {
      mask |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(found))) << (16 * i);
    };
    const __m128i lower = _mm_or_si128(v, _mm_set1_epi8(0x20));
    const __m128i alpha =
        _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
    const __m128i digit =
        _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(v, _mm_set1_epi8('9' + 1)));
    const __m128i dash = is('-');
    add(classes.token, _mm_or_si128(_mm_or_si128(alpha, digit), _mm_or_si128(dash, is('_'))));
    add(classes.digit, digit);
    add(classes.dash, dash);
    add(classes.space, is(' '));
    add(classes.quote, _mm_or_si128(is('"'), is('\'')));
    add(classes.separator,
        _mm_or_si128(_mm_or_si128(_mm_or_si128(is('='), is(':')), _mm_or_si128(is('%'), is('('))), is('@')));
    add(classes.comma, is(','));
    add(classes.closing, is('>'));
    add(classes.word_end, _mm_or_si128(is('d'), is('s')));
  }
#else
  for (std::size_t i = 0; i < size; ++i) {
    const char c = from[i];
    const std::uint64_t bit = std::uint64_t{1} << i;
    const bool digit = c >= '0' && c <= '9';
    const char lower = static_cast<char>(c | 0x20);
    if ((lower >= 'a' && lower <= 'z') || digit || c == '_' || c == '-') classes.token |= bit;
    if (digit) classes.digit |= bit;
    if (c == '-') classes.dash |= bit;
    if (c == ' ') classes.space |= bit;
    if (c == '"' || c == '\'') classes.quote |= bit;
    if (c == '=' || c == ':' || c == '%' || c == '(' || c == '@') classes.separator |= bit;
    if (c == ',') classes.comma |= bit;
    if (c == '>') classes.closing |= bit;
    if (c == 'd' || c == 's') classes.word_end |= bit;
  }
#endif
  return classes;
}

// Where a scan must look closer: separators, ends of tags, quotes behind a word, `--`, the ends of a few words, the
// starts of long runs of token characters, and of runs of digits that could be a card.
class InterestingBytes {
 public:
  explicit InterestingBytes(std::string_view text, std::size_t first_block) noexcept : text_(text), at_(first_block) {
    if (at_ >= 64) before_ = classify(text_, at_ - 64);
    if (at_ < text_.size()) here_ = classify(text_, at_);
  }

  // The places in the block at position(); moves to the next block.
  struct Block {
    std::size_t begin;
    std::uint64_t places;
    std::uint64_t runs;   // those that start a run of token characters
    std::uint64_t cards;  // those that start a run of digits
  };
  bool done() const noexcept { return at_ >= text_.size(); }
  Block next() noexcept {
    const ByteClasses after = at_ + 64 < text_.size() ? classify(text_, at_ + 64) : ByteClasses{};
    const auto previous = [](std::uint64_t here, std::uint64_t before, int by) {
      return here << by | before >> (64 - by);
    };
    const std::uint64_t card = here_.digit | here_.space | here_.dash;
    const std::uint64_t card_after = after.digit | after.space | after.dash;
    const std::uint64_t card_before = before_.digit | before_.space | before_.dash;
    Block block{at_, 0, 0, 0};
    block.runs = long_runs(here_.token, after.token, 12) & ~previous(here_.token, before_.token, 1);
    block.cards = long_runs(card, card_after, 14) & ~previous(card, card_before, 1);
    const std::uint64_t dash_before = previous(here_.dash, before_.dash, 1);
    const std::uint64_t dash_after = here_.dash >> 1 | after.dash << 63;
    const std::uint64_t double_dash = here_.dash & dash_before & ~previous(here_.dash, before_.dash, 2) & ~dash_after;
    // Five and more, as in front of BEGIN.
    std::uint64_t dashes = here_.dash & dash_after;
    dashes &= dashes >> 1 | (after.dash & after.dash >> 1) << 63;
    dashes &= ~dash_before;
    block.places = here_.separator | here_.closing | (here_.comma & previous(here_.quote, before_.quote, 1)) |
                   (here_.quote & previous(here_.space, before_.space, 1) & previous(here_.token, before_.token, 2)) |
                   (here_.space & previous(here_.word_end, before_.word_end, 1)) | double_dash | dashes | block.runs |
                   block.cards;
    before_ = here_;
    here_ = after;
    at_ += 64;
    return block;
  }

 private:
  // Where at least `length` (9 to 16) bits in a row begin.
  static std::uint64_t long_runs(std::uint64_t here, std::uint64_t after, int length) noexcept {
    const auto both = [](std::uint64_t& low, std::uint64_t& high, int by) {
      low &= low >> by | high << (64 - by);
      high &= high >> by;
    };
    both(here, after, 1);
    both(here, after, 2);
    both(here, after, 4);
    both(here, after, length - 8);
    return here;
  }

  std::string_view text_;
  std::size_t at_;
  ByteClasses before_;
  ByteClasses here_;
};

}  // namespace gatehouse
