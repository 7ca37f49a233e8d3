// Whatever the bytes, loading ends with a Config or with mistakes, and what loads can be printed and loaded again.
#include "config/print.hpp"
#include "config/source_text.hpp"
#include "unit/config/support.hpp"

#include <random>

namespace gatehouse {
namespace {

const Environment& environment() {
  static const Environment with_redacted{[](const std::string&) -> std::optional<std::string> { return "x"; }, true};
  return with_redacted;
}

void expect_sound(const std::string& text) {
  LoadResult loaded = load(text, environment());
  EXPECT_NE(static_cast<bool>(loaded), !loaded.mistakes().empty());
  for (const Mistake& mistake : loaded.mistakes()) {
    const std::string line = to_string(mistake);
    EXPECT_TRUE(is_utf8(line)) << text;
    EXPECT_EQ(line.find('\n'), std::string::npos) << text;
    EXPECT_LT(line.size(), 1000u) << line;
  }
  if (!loaded) return;
  const std::string printed = print_config(*loaded);
  LoadResult again = load(printed, environment());
  ASSERT_TRUE(again) << text << "\n" << printed << "\n" << all_mistakes(again);
  EXPECT_EQ(print_config(*again), printed) << text;
}

// Pieces that mean something to YAML or to the loader.
constexpr std::string_view kPieces[] = {"\n",      "  ",      "- ",       ": ",
                                        ":",       "{",       "}",        "[",
                                        "]",       ",",       "\"",       "'",
                                        "#",       "&a",      "*a",       "!",
                                        "|",       ">",       "%",        "@",
                                        "`",       "?",       "~",        "---\n",
                                        "...\n",   "${A}",    "${",       "}",
                                        "$${",     "${A:-",   "null",     "true",
                                        "0",       "-1",      "1e9",      "9999999999999999999",
                                        "5s",      "1MiB",    "<<",       "\t",
                                        "\r\n",    "\\",      "\xC3",     "\xF0\x9F\x98\x80",
                                        "\\u0000", "\"\\0\"", "upstream", "routes",
                                        "unix:/x", "http://", "[::]:80",  "<redacted>",
                                        "|+\n",    ">-\n",    "? ",       "!!str "};

std::string mutated(std::string text, std::mt19937& random) {
  for (std::size_t changes = 1 + random() % 8; changes > 0; --changes) {
    const std::size_t at = text.empty() ? 0 : random() % text.size();
    const std::string_view piece = kPieces[random() % std::size(kPieces)];
    switch (random() % 5) {
      case 0:
        text.insert(at, piece);
        break;
      case 1:
        text.erase(at, 1 + random() % 20);
        break;
      case 2:
        if (!text.empty()) text[at] = static_cast<char>(random());
        break;
      case 3:
        text.insert(at, text.substr(random() % (at + 1), random() % 60));
        break;
      default:
        text.replace(at, std::min<std::size_t>(text.size() - at, random() % 10), piece);
    }
  }
  return text;
}

std::string full_file() {
  return R"(
listeners: [{ address: "[::]:8443", tls: { self_signed: true } }, { address: unix:/run/g.sock, proxy_protocol: true }]
upstream: { url: unix:/run/app.sock, health: { path: /up, expect_status: "200,204" } }
trusted_proxies: ["::1", 10.0.0.0/8]
health:
  token: ${TOKEN}
  checks:
    - { name: a, type: postgres, url: "postgres://u:p@h/d?x=y", interval: 1m30s }
    - name: c
      type: command
      command: [/bin/check, "--a b"]
log: { level: off, access: { sample: 0.125 }, redact: { names: [ssn], patterns: ['\d{3}'] } }
routes:
  - match: { path: "/items/{id}", methods: [GET], host: "*.example.com" }
    limits: { body: 1B }
)";
}

TEST(HostileFiles, EveryBeginningOfTheExampleIsTakenOrTold) {
  const std::string text = source_file("config/gatehouse.yaml");
  for (std::size_t length = 0; length <= text.size(); ++length) expect_sound(text.substr(0, length));
}

TEST(HostileFiles, EveryBeginningOfADenseFileIsTakenOrTold) {
  const std::string text = full_file();
  for (std::size_t length = 0; length <= text.size(); ++length) expect_sound(text.substr(0, length));
}

TEST(HostileFiles, RandomChangesAreTakenOrTold) {
  std::mt19937 random(20240601);
  const std::string texts[] = {source_file("config/gatehouse.yaml"), full_file(), std::string(kSmallest)};
  for (int i = 0; i < 3000; ++i) expect_sound(mutated(texts[i % 3], random));
}

TEST(HostileFiles, HeapsOfOneThingAreTakenOrTold) {
  for (const std::string_view piece : kPieces) {
    std::string text(kSmallest), spread = text;
    while (text.size() + piece.size() < 10'000) text += piece;
    expect_sound(text);
    for (int i = 0; i < 300; ++i) spread += "k" + std::to_string(i) + ": " + std::string(piece) + "\n";
    expect_sound(spread);
  }
}

TEST(HostileFiles, ALargeFileOfMistakesIsToldUpToABound) {
  std::string text(kSmallest);
  for (int i = 0; text.size() < kLargestConfiguration - 40 && i < 20'000; ++i)
    text += "upstreamm" + std::to_string(i) + ": 1\n";
  const LoadResult loaded = load(text);
  ASSERT_EQ(loaded.mistakes().size(), 101u);
  EXPECT_EQ(loaded.mistakes().back().sentence, "19900 more mistakes are not listed");
}

TEST(HostileFiles, TooManyValuesAreRefused) {
  std::string text = "upstream: http://127.0.0.1:8000\ntrusted_proxies:\n";
  for (int i = 0; i < 60'000; ++i) text += "- ::1\n";
  EXPECT_EQ(all_mistakes(load(text)), "gatehouse.yaml:50000:3: the file has more than 50000 values\n");
}

}  // namespace
}  // namespace gatehouse
