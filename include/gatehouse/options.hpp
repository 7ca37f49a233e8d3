// Settings of a filter: it declares its keys once, as KeySpecs, and reads them through an OptionsReader.
//
//   Section section() {
//     return {key::map("cors",
//                      {key::texts("allow_origins", {}, "Origins that may read answers.").of_format(format::kUrl),
//                       key::duration("max_age", Options{}.max_age, "How long a browser keeps a permission.")},
//                      "Which other origins may call this app.")
//                 .optional(),
//             true, [](OptionsReader& options) { read(options); }};
//   }
//
// The same declaration drives parsing, defaults, `gatehouse schema`, `gatehouse print-config` and the reference page.
// What reaches a reader has the declared shape already (known keys, right types, units, ranges), with defaults filled
// in; a filter adds what only it can know, through mistake(). Everything here is used while a configuration is loaded,
// by one thread; a reader must not outlive the configuration that it reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

using Bytes = std::uint64_t;
struct SettingValue;
class Mistakes;
class OptionsReader;

// A text that must not be shown: it has no operator<< and no formatter.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  bool empty() const noexcept { return text_.empty(); }
  // The text itself. Never for a log, an error text or a metric.
  const std::string& reveal() const noexcept { return text_; }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

// What a text must look like.
struct TextFormat {
  std::string_view name;     // for the reference page: "path", "CIDR"
  std::string_view pattern;  // ECMA-262 expression for editors, no stricter than `problem`; empty: anything
  // What is wrong with `text`, as the end of a sentence ("must begin with /"), or nothing. It must not repeat a text
  // that may be secret.
  std::optional<std::string> (*problem)(std::string_view text) = nullptr;
  bool may_look_like_a_number = false;                                            // 200 is fine without quotes
  enum class File : std::uint8_t { kNone, kPath, kReadable } file = File::kNone;  // see OptionsReader::file
};

namespace format {
extern const TextFormat kUrlPath;       // /health
extern const TextFormat kRoutePath;     // /login, /api/*, /items/{id}
extern const TextFormat kCidr;          // 10.0.0.0/8, 2001:db8::1
extern const TextFormat kHostName;      // app.example.com, *.example.com
extern const TextFormat kUrl;           // scheme://host...
extern const TextFormat kMethod;        // GET
extern const TextFormat kFieldName;     // X-Api-Key
extern const TextFormat kName;          // per-client: letters, digits, - and _
extern const TextFormat kRegex;         // an RE2 expression
extern const TextFormat kStatusRange;   // 200-399 or 200,204
extern const TextFormat kFilePath;      // a path
extern const TextFormat kReadableFile;  // the path of a file that exists and may be read
}  // namespace format

enum class KeyType : std::uint8_t {
  kText,
  kBoolean,
  kInteger,
  kNumber,
  kDuration,
  kBytes,
  kChoice,
  kTexts,
  kMap,
  kMaps
};

// One key: everything that is known about it. Made by the functions in `key`, refined by the members below.
struct KeySpec {
  std::string name;
  KeyType type = KeyType::kText;
  std::string doc;                          // one sentence for the user
  std::optional<std::string> default_yaml;  // as a user would write it; nothing: absent unless given
  std::vector<std::string> choices;         // kChoice: in the order of the enumerators that they stand for
  std::vector<KeySpec> children;            // kMap, kMaps
  const TextFormat* text_format = nullptr;  // kText, kTexts: of each item
  std::int64_t minimum = 0;                 // integers, milliseconds, bytes, items of a list
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  double number_minimum = 0;
  double number_maximum = std::numeric_limits<double>::max();
  std::string word;       // kInteger: this word may stand for zero, which is no number then (`auto`)
  std::string shorthand;  // kMap: a text in the place of the map stands for a map with this key alone
  bool is_secret = false;
  bool is_required = false;
  bool is_optional_map = false;
  bool accepts_empty = false;

  // Inclusive bounds of an integer, of the milliseconds of a duration, of bytes, or of the length of a list.
  KeySpec within(std::int64_t low, std::int64_t high) &&;
  KeySpec within(std::chrono::milliseconds low, std::chrono::milliseconds high) &&;
  KeySpec within_numbers(double low, double high) &&;
  KeySpec of_format(const TextFormat& wanted) &&;
  // Never printed; may also be given as `<name>_file`, the path of a file that holds it.
  KeySpec secret() &&;
  // Must be given where the map around it is given.
  KeySpec required() &&;
  // A map that, when absent, has no defaults: OptionsReader::has() tells.
  KeySpec optional() &&;
  // "" is a value.
  KeySpec may_be_empty() &&;
  KeySpec or_word(std::string_view text) &&;
  KeySpec or_just(std::string_view key) &&;
  KeySpec with_default_yaml(std::string_view yaml) &&;
};

namespace key {
KeySpec text(std::string_view name, std::optional<std::string_view> default_text, std::string_view doc);
KeySpec boolean(std::string_view name, bool default_value, std::string_view doc);
KeySpec integer(std::string_view name, std::optional<std::int64_t> default_value, std::string_view doc);
KeySpec number(std::string_view name, std::optional<double> default_value, std::string_view doc);
KeySpec duration(std::string_view name, std::optional<std::chrono::milliseconds> default_value, std::string_view doc);
KeySpec bytes(std::string_view name, std::optional<Bytes> default_value, std::string_view doc);
// `choices` in the order of the enumerators that they stand for.
KeySpec choice(std::string_view name, std::vector<std::string> choices, std::optional<std::string_view> default_choice,
               std::string_view doc);
KeySpec texts(std::string_view name, const std::vector<std::string>& default_items, std::string_view doc);
KeySpec map(std::string_view name, std::vector<KeySpec> children, std::string_view doc);
KeySpec maps(std::string_view name, std::vector<KeySpec> children, std::string_view doc);
}  // namespace key

// One top-level key that a filter brings.
struct Section {
  KeySpec spec;
  bool per_route = false;  // also possible in an item of `routes`
  // Reports what the declaration cannot express. Called while loading, with a reader of each place where the section
  // was given without a mistake of shape, and once for the defaults where it was not given.
  std::function<void(OptionsReader&)> check;
};

// Typed reading of one map. Asking for a key that the declaration does not hold, or by another type, is a bug of the
// filter and throws std::logic_error.
//
// A section that is no map (a list, or one value) is read through a map that holds it by its own name:
// options.maps("rate_limits").
class OptionsReader {
 public:
  // `below`: where keys that `values` does not give come from (the section that a route's section refines), or null.
  // `section`: the text before a key in a mistake, "routes[0].cors".
  OptionsReader(const SettingValue& values, const SettingValue* below, std::string section, Mistakes& mistakes);

  // It is there, written or by default; a list: it holds something. Written defaults count like others, so that what
  // print-config writes means the same; a key whose absence means something has no default.
  bool has(std::string_view key) const;
  // Empty where it is absent and has no default.
  const std::string& text(std::string_view key) const;
  // The same for a key declared secret.
  Secret secret(std::string_view key) const;
  // A path, made absolute from the folder of the configuration file.
  std::string file(std::string_view key) const;
  bool boolean(std::string_view key) const;
  // Zero where it is absent and has no default.
  std::int64_t integer(std::string_view key) const;
  double number(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;
  Bytes bytes(std::string_view key) const;
  // Position of the word in the declared list.
  std::size_t choice_index(std::string_view key) const;
  template <class Enum>
  Enum choice(std::string_view key) const {
    return static_cast<Enum>(choice_index(key));
  }
  // The word itself.
  const std::string& choice_text(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  // A map that is absent reads as its defaults.
  OptionsReader map(std::string_view key) const;
  std::vector<OptionsReader> maps(std::string_view key) const;

  // A mistake was reported in the value of `key` already, which then says nothing.
  bool has_mistake(std::string_view key) const;
  // Reports a mistake in the value of `key`, with its line and column: `sentence` says what to change.
  void mistake(std::string_view key, std::string sentence);
  // The same for one item of a list.
  void mistake(std::string_view key, std::size_t item, std::string sentence);
  // For the map as a whole.
  void mistake(std::string sentence);

 private:
  const SettingValue& value(std::string_view key, KeyType type) const;
  const SettingValue* values_;
  const SettingValue* below_;
  std::string section_;
  Mistakes* mistakes_;
};

}  // namespace gatehouse
