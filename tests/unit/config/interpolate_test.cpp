#include "config/interpolate.hpp"

#include "unit/config/support.hpp"

namespace gatehouse {
namespace {

std::string filled_in(std::string_view text) {
  const Interpolated result =
      interpolate(text, environment_with({{"A", "1"}, {"B_2", "two"}, {"EMPTY", ""}, {"NESTED", "${A}"}}));
  return result.problem ? "! " + *result.problem : result.text;
}

TEST(Interpolate, PutsVariablesIn) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"${A}", "1"},
      {"<${A}-${B_2}>", "<1-two>"},
      {"${EMPTY}", ""},
      {"${EMPTY:-x}", "x"},
      {"${A:-x}", "1"},
      {"${NONE:-x}", "x"},
      {"${NONE:-}", ""},
      {"${NONE:-a:b-c?d e}", "a:b-c?d e"},
      {"${A:?message}", "1"},
      {"$${A}", "${A}"},
      {"$$${A}", "$${A}"},
      {"$$$${A}", "$$${A}"},
      {"$A $ $$ $1 {A}", "$A $ $$ $1 {A}"},
      {"a$", "a$"},
      {"^\\d+$", "^\\d+$"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(filled_in(text), wanted) << text;
}

TEST(Interpolate, DoesNotReadWhatAVariableHolds) { EXPECT_EQ(filled_in("${NESTED}"), "${A}"); }

TEST(Interpolate, TellsWhatIsWrong) {
  for (const char* text : {"${", "${}", "${A", "${1A}", "${A B}", "${A-x}", "${A:}", "${A:x}", "${A:+x}", "${NONE}",
                           "${NONE:?}", "${NONE:?m}", "${EMPTY:?m}", "${A:-${B}}", "${\n}"})
    EXPECT_TRUE(filled_in(text).starts_with("! ")) << text;
}

TEST(Interpolate, BoundsWhatVariablesMakeOfAText) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "${BIG}";
  const Interpolated result = interpolate(text, environment_with({{"BIG", std::string(10'000, 'x')}}));
  EXPECT_TRUE(result.problem);
  EXPECT_LT(result.text.size(), 300'000u);
}

TEST(EscapeVariables, MakesATextThatIsReadBackAsItself) {
  for (const char* text : {"", "${A}", "$${A}", "$$${A}", "a$", "${", "x${A}y${B}", "$"})
    EXPECT_EQ(filled_in(escape_variables(text)), text);
}

TEST(LoadConfig, AVariableCannotChangeTheStructure) {
  LoadResult loaded = load("upstream: http://127.0.0.1:8000\nlog: { redact: { names: [\"${INJECTED}\"] } }\n",
                           environment_with({{"INJECTED", "a, b]} # : {"}}));
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_EQ(loaded->log.redact.names, std::vector<std::string>{"a, b]} # : {"});
}

TEST(LoadConfig, ALineBreakFromAVariableIsRefused) {
  const LoadResult loaded = load("upstream: http://127.0.0.1:8000\nheader_names: { allow: [\"${INJECTED}\"] }\n",
                                 environment_with({{"INJECTED", "a\nb: c"}}));
  EXPECT_EQ(
      all_mistakes(loaded),
      "gatehouse.yaml:2:25: header_names.allow[0]: the value of \"${INJECTED}\" has a line break or another control "
      "character in it\n");
}

TEST(LoadConfig, BytesFromAVariableThatAreNotUtf8AreRefused) {
  const LoadResult loaded = load("upstream: http://127.0.0.1:8000\nlog: { redact: { names: [\"${BAD}\"] } }\n",
                                 environment_with({{"BAD", "\xFF"}}));
  EXPECT_EQ(all_mistakes(loaded),
            "gatehouse.yaml:2:26: log.redact.names[0]: the value of \"${BAD}\" is not valid UTF-8\n");
}

TEST(LoadConfig, ReadsVariablesOnlyInValues) {
  LoadResult loaded = load("# ${NOT_SET}\nupstream: http://127.0.0.1:8000 # ${NOT_SET}\n");
  EXPECT_TRUE(loaded) << all_mistakes(loaded);
}

}  // namespace
}  // namespace gatehouse
