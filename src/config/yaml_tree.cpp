#include "config/yaml_tree.hpp"

#include "config/source_text.hpp"
#include "config/wording.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <sstream>
#include <unordered_map>

namespace gatehouse {
namespace {

constexpr std::size_t kDeepest = 24;
constexpr std::size_t kMostNodes = 50'000;

// Thrown out of the event handler: the only way to stop yaml-cpp.
struct Refused {
  Position at;
  std::string sentence;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, Mistakes& mistakes) : text_(text), lines_(text), mistakes_(mistakes) {}

  Position position(const YAML::Mark& mark) const { return lines_.position(mark.line, mark.column); }
  YamlNode take() { return std::move(root_); }
  bool has_document() const { return documents_ > 0; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw Refused{position(mark), "a second document begins here; a configuration is one document, without ---"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    place({YamlNode::Kind::kNull, position_of_null(mark), {}, false, {}, {}});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{position(mark), "aliases (*name) are not used here; write the value out, or put the text in quotes"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    const bool quoted = tag == "!";
    if (quoted)
      refuse_open_quote(mark);
    else
      refuse_tag(mark, tag);
    place({YamlNode::Kind::kScalar, position(mark), value, quoted, {}, {}});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  // A container that is being filled; a map also keeps the key that waits for its value.
  struct Open {
    YamlNode node;
    std::optional<YamlNode> key;
    std::unordered_map<std::string, int> lines;
  };

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0)
      throw Refused{position(mark),
                    "anchors (&name) are not used here; write the value out, or put the text in quotes"};
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?")
      throw Refused{position(mark), "tags (!name) are not used here; put the text in quotes if it begins with !"};
  }
  // yaml-cpp takes the end of the file for the end of a quoted text.
  void refuse_open_quote(const YAML::Mark& mark) const {
    const std::string_view rest = text_.substr(lines_.offset(mark.line, mark.column));
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return;
    for (std::size_t i = 1; i < rest.size(); ++i) {
      const bool escapes = rest[0] == '"' ? rest[i] == '\\' : rest.substr(i, 2) == "''";
      if (!escapes && rest[i] == rest[0]) return;
      if (escapes) ++i;
    }
    throw Refused{position(mark), "a quote is opened here and never closed"};
  }
  // yaml-cpp places an absent value wherever the next token is: go back to the dash or colon.
  Position position_of_null(const YAML::Mark& mark) const {
    const std::size_t at = lines_.offset(mark.line, mark.column);
    const bool is_written = at < text_.size() && (text_[at] == '~' || text_[at] == 'n' || text_[at] == 'N');
    const std::size_t before = is_written ? at : text_.find_last_not_of(" \r\n", at == 0 ? 0 : at - 1);
    return lines_.position(before == std::string_view::npos ? at : before);
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    refuse_anchor(mark, anchor);
    if (tag != "!") refuse_tag(mark, tag);
    if (stack_.size() >= kDeepest) throw Refused{position(mark), "lists and maps are nested too deeply here"};
    stack_.push_back({{kind, position(mark), {}, false, {}, {}}, std::nullopt, {}});
  }
  void close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    place(std::move(node));
  }
  void place(YamlNode node) {
    if (++nodes_ > kMostNodes) throw Refused{node.at, "the file has more than 50000 values"};
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& around = stack_.back();
    if (around.node.kind == YamlNode::Kind::kSequence) {
      around.node.items.push_back(std::move(node));
    } else if (!around.key) {
      if (node.kind != YamlNode::Kind::kScalar)
        throw Refused{node.at, "a key must be a text; put a text that begins with { or [ in quotes"};
      around.key = std::move(node);
    } else {
      place_entry(around, std::move(node));
    }
  }
  void place_entry(Open& around, YamlNode node) {
    const auto [known, is_new] = around.lines.try_emplace(around.key->text, around.key->at.line);
    if (is_new) {
      if (node.kind == YamlNode::Kind::kNull) node.at = around.key->at;
      around.node.entries.push_back({std::move(around.key->text), around.key->at, std::move(node)});
    } else {
      mistakes_.add(around.key->at, path(), "is given twice; the first time in line " + std::to_string(known->second));
    }
    around.key.reset();
  }

  // Of the key that is being given its value.
  std::string path() const {
    std::string path;
    for (const Open& open : stack_) {
      if (open.node.kind == YamlNode::Kind::kSequence) {
        path += '[' + std::to_string(open.node.items.size()) + ']';
      } else if (open.key) {
        const std::string key = shown(open.key->text);
        path += (path.empty() ? "" : ".") + key.substr(1, key.size() - 2);
      }
    }
    return path;
  }

  std::string_view text_;
  LineIndex lines_;
  Mistakes& mistakes_;
  std::vector<Open> stack_;
  YamlNode root_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// yaml-cpp's messages speak of its tokens; these say what to change.
std::string sentence(const std::string& message) {
  struct Translation {
    std::string_view part, sentence;
  };
  static constexpr Translation kTranslations[] = {
      {"alias not found", "a text that begins with * must be in quotes"},
      {"the referenced anchor is not defined", "a text that begins with * must be in quotes"},
      {"anchor not found", "a text that begins with & must be in quotes"},
      {"illegal character found while scanning alias", "a text that begins with * must be in quotes"},
      {"illegal character found while scanning anchor", "a text that begins with & must be in quotes"},
      {"illegal map value",
       "a value stands where none can be: look at the indentation, and put a text that contains \": \" in quotes"},
      {"illegal map key", "a key stands where none can be; look at the indentation"},
      {"illegal block entry", "a list item (- ...) stands where none can be; put each item on its own line"},
      {"end of map not found", "the key before this place is not indented like its neighbours"},
      {"end of map flow not found", "a { has no matching }"},
      {"end of sequence not found", "the list item before this place is not indented like its neighbours"},
      {"end of sequence flow not found", "a [ has no matching ]"},
      {"illegal flow end", "a ] or } has no matching [ or {"},
      {"illegal EOF in scalar", "a quote is opened here and never closed"},
      {"illegal document indicator in scalar", "a quote is opened before this line and never closed"},
      {"unknown escape character",
       "an unknown escape stands in double quotes; write \\\\ for a backslash, or use single quotes"},
      {"bad character found while scanning hex number", "\\x, \\u and \\U need hexadecimal digits behind them"},
      {"invalid unicode", "this is no Unicode character"},
      {"unknown token",
       "a text must be in quotes where it begins with @, `, % or a comma, and within { } or [ ] also where it holds a "
       "?"},
      {"illegal tab", "a tab is no indentation in YAML; use spaces"},
      {"YAML directives", "lines that begin with % are not used here"},
      {"TAG directives", "lines that begin with % are not used here"},
      {"YAML directive", "lines that begin with % are not used here"},
      {"TAG directive", "lines that begin with % are not used here"},
      {"YAML version", "lines that begin with % are not used here"},
      {"tag handle", "a text that begins with ! must be in quotes"},
      {"verbatim tag", "a text that begins with ! must be in quotes"},
  };
  for (const Translation& translation : kTranslations)
    if (message.find(translation.part) != std::string::npos) return std::string(translation.sentence);
  return "this is not valid YAML: " + message;
}

}  // namespace

std::optional<YamlNode> parse_yaml(std::string_view text, Mistakes& mistakes) {
  TreeBuilder builder(text, mistakes);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    mistakes.add(refused.at, {}, refused.sentence);
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    mistakes.add(builder.position(error.mark), {}, sentence(error.msg));
    return std::nullopt;
  }
  return builder.take();
}

}  // namespace gatehouse
