// The redactor against realistic lines: every secret in corpus/secrets.jsonl must vanish, every line in
// corpus/harmless.jsonl must stay as it is. Secrets are stored in pieces, so that no scanner takes them for real ones.
#include "observe/redactor.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

using namespace gatehouse;
namespace json = boost::json;

namespace {

struct Sample {
  std::string by, kind, text, sink, header, route;
  std::vector<std::string> secrets, keep;
};

std::string text_or_empty(const json::object& row, std::string_view key) {
  const auto* value = row.if_contains(key);
  return value ? std::string(value->as_string()) : std::string();
}

std::vector<Sample> read_corpus(const std::string& name) {
  std::vector<Sample> samples;
  std::ifstream file(std::string(GATEHOUSE_SOURCE_DIR) + "/tests/unit/observe/corpus/" + name);
  for (std::string line; std::getline(file, line);) {
    const json::object row = json::parse(line).as_object();
    Sample sample{text_or_empty(row, "by"),
                  text_or_empty(row, "kind"),
                  text_or_empty(row, "text"),
                  text_or_empty(row, "sink"),
                  text_or_empty(row, "header"),
                  text_or_empty(row, "route"),
                  {},
                  {}};
    if (const auto* secrets = row.if_contains("secrets"))
      for (const json::value& pieces : secrets->as_array()) {
        std::string secret;
        for (const json::value& piece : pieces.as_array()) secret += piece.as_string();
        const std::string mark = "${" + std::to_string(sample.secrets.size() + 1) + "}";
        if (const auto at = sample.text.find(mark); at != std::string::npos)
          sample.text.replace(at, mark.size(), secret);
        sample.secrets.push_back(std::move(secret));
      }
    if (const auto* keep = row.if_contains("keep"))
      for (const json::value& value : keep->as_array()) sample.keep.emplace_back(value.as_string());
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::string redacted(const Redactor& redactor, const Sample& sample, std::string_view text) {
  std::string scratch;
  if (sample.sink == "query") return std::string(redactor.query(text, scratch));
  if (sample.sink == "url") return std::string(redactor.url(text, scratch));
  if (sample.sink == "path") return std::string(redactor.path(text, sample.route, scratch));
  if (sample.sink == "header") return std::string(redactor.header(sample.header, text, scratch));
  return std::string(redactor.text(text, scratch));
}

bool is_json(std::string_view text) {
  boost::system::error_code error;
  json::parse(text, error);
  return !error;
}

}  // namespace

TEST(RedactCorpus, HidesEverySecretThatHasAName) {
  const auto redactor = Redactor::standard();
  std::size_t total = 0, hidden = 0;
  for (const Sample& sample : read_corpus("secrets.jsonl")) {
    if (sample.by != "name") continue;
    const std::string result = redacted(*redactor, sample, sample.text);
    for (const std::string& secret : sample.secrets) {
      ++total;
      const bool found = result.find(secret) != std::string::npos;
      hidden += !found;
      EXPECT_FALSE(found) << sample.kind << "\n  in:  " << sample.text << "\n  out: " << result;
    }
  }
  ASSERT_GE(total, 250u);
  std::cout << "named secrets hidden: " << hidden << " of " << total << "\n";
  EXPECT_EQ(hidden, total);
}

TEST(RedactCorpus, HidesSecretsThatShowByTheirShape) {
  const auto redactor = Redactor::standard();
  std::size_t total = 0, hidden = 0;
  for (const Sample& sample : read_corpus("secrets.jsonl")) {
    if (sample.by != "shape") continue;
    const std::string result = redacted(*redactor, sample, sample.text);
    for (const std::string& secret : sample.secrets) {
      ++total;
      const bool found = result.find(secret) != std::string::npos;
      hidden += !found;
      if (found) std::cout << "missed " << sample.kind << "\n  in:  " << sample.text << "\n  out: " << result << "\n";
    }
  }
  ASSERT_GE(total, 150u);
  std::cout << "secrets with a known shape hidden: " << hidden << " of " << total << "\n";
  EXPECT_GE(static_cast<double>(hidden), 0.98 * static_cast<double>(total));
}

TEST(RedactCorpus, LeavesHarmlessLinesAlone) {
  const auto redactor = Redactor::standard();
  std::size_t total = 0, changed = 0;
  for (const Sample& sample : read_corpus("harmless.jsonl")) {
    ++total;
    const std::string result = redacted(*redactor, sample, sample.text);
    if (result == sample.text) continue;
    ++changed;
    std::cout << "changed\n  in:  " << sample.text << "\n  out: " << result << "\n";
  }
  ASSERT_GE(total, 300u);
  std::cout << "harmless lines changed: " << changed << " of " << total << "\n";
  EXPECT_LE(static_cast<double>(changed), 0.01 * static_cast<double>(total));
}

TEST(RedactCorpus, KeepsWhatStandsAroundASecret) {
  const auto redactor = Redactor::standard();
  for (const Sample& sample : read_corpus("secrets.jsonl")) {
    const std::string result = redacted(*redactor, sample, sample.text);
    for (const std::string& kept : sample.keep)
      EXPECT_NE(result.find(kept), std::string::npos) << "in:  " << sample.text << "\nout: " << result;
    EXPECT_TRUE(is_json(result) || !is_json(sample.text)) << "in:  " << sample.text << "\nout: " << result;
  }
}

TEST(RedactCorpus, ChangesNothingTheSecondTime) {
  for (const auto action : {RedactAction::kReplace, RedactAction::kHash, RedactAction::kMask, RedactAction::kDrop}) {
    RedactOptions options;
    options.action = action;
    std::string problem;
    const auto redactor = Redactor::make(options, problem);
    for (const char* corpus : {"secrets.jsonl", "harmless.jsonl"})
      for (const Sample& sample : read_corpus(corpus)) {
        const std::string once = redacted(*redactor, sample, sample.text);
        EXPECT_EQ(redacted(*redactor, sample, once), once) << static_cast<int>(action) << " " << sample.text;
      }
  }
}

// Corpora of others, as rows {"kind", "text", "flag": whether there is a secret}: their paths in GATEHOUSE_SECRETS_CORPUS, separated by
// colons. They judge lines, not values: a line with a secret must change, one without must not. Without that variable our own
// corpus is judged that way.
TEST(RedactCorpus, TellsHowItDoesLineByLine) {
  const char* const given = std::getenv("GATEHOUSE_SECRETS_CORPUS");
  const auto redactor = Redactor::standard();
  struct Tally {
    std::size_t lines = 0, changed = 0;
  };
  const auto judge = [&](const std::string& kind, bool secret, std::string_view text, std::string_view result, Tally& tally) {
    ++tally.lines;
    tally.changed += result != text;
    if (given && (result != text) != secret) std::cout << (secret ? "missed " : "changed ") << kind << ": " << text << "\n";
  };
  Tally with, without;
  if (!given) {
    for (const Sample& sample : read_corpus("secrets.jsonl"))
      judge(sample.kind, true, sample.text, redacted(*redactor, sample, sample.text), with);
    for (const Sample& sample : read_corpus("harmless.jsonl"))
      judge(sample.kind, false, sample.text, redacted(*redactor, sample, sample.text), without);
  }
  std::istringstream paths(given ? given : "");
  for (std::string path; std::getline(paths, path, ':');) {
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    for (std::string line; std::getline(file, line);) {
      const json::object row = json::parse(line).as_object();
      const bool secret = row.at("flag").as_bool();
      std::string scratch;
      const std::string text = text_or_empty(row, "text");
      judge(text_or_empty(row, "kind"), secret, text, redactor->text(text, scratch), secret ? with : without);
    }
  }
  ASSERT_GE(with.lines, 1u);
  const auto percent = [](const Tally& tally) {
    return 100.0 * static_cast<double>(tally.changed) / static_cast<double>(std::max<std::size_t>(tally.lines, 1));
  };
  std::cout << "lines with a secret that changed: " << with.changed << " of " << with.lines << " (" << percent(with) << " %)\n"
            << "lines without one that changed: " << without.changed << " of " << without.lines << " (" << percent(without) << " %)\n";
  if (given) return;
  EXPECT_GE(percent(with), 98);
  EXPECT_LE(percent(without), 1);
}
