// What must hold for any text at all, tried on mutations of the corpus and on noise; the fuzz targets try the same for
// longer.
#include "observe/redact_stream.hpp"
#include "unit/observe/planted_secrets.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <fstream>
#include <random>

using namespace gatehouse;

namespace {

std::vector<std::string> corpus_texts() {
  std::vector<std::string> texts;
  for (const char* name : {"secrets.jsonl", "harmless.jsonl"}) {
    std::ifstream file(std::string(GATEHOUSE_SOURCE_DIR) + "/tests/unit/observe/corpus/" + name);
    for (std::string line; std::getline(file, line);) {
      std::string text(boost::json::parse(line).as_object().at("text").as_string());
      for (const char* mark : {"${1}", "${2}", "${3}"})
        if (const auto at = text.find(mark); at != std::string::npos) text.replace(at, 4, "Zx9fake0example7value");
      texts.push_back(std::move(text));
    }
  }
  return texts;
}

class Mutations {
 public:
  explicit Mutations(unsigned seed) : random_(seed), texts_(corpus_texts()) {}

  std::string next() {
    std::string text = pick();
    for (auto i = random_() % 4; i > 0; --i) mutate(text);
    return text;
  }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  const std::string& pick() { return texts_[below(texts_.size())]; }
  void mutate(std::string& text) {
    constexpr std::string_view pieces[] = {"\"",
                                           "'",
                                           "\\",
                                           "\\\"",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           ":",
                                           "=",
                                           "&",
                                           " ",
                                           "\n",
                                           "%3D",
                                           "--",
                                           "://",
                                           "@",
                                           "password",
                                           "token=",
                                           "\"secret\":",
                                           "<password>",
                                           "Cookie: ",
                                           "Authorization: ",
                                           "-----BEGIN PRIVATE KEY-----",
                                           "eyJ",
                                           "4242",
                                           ",",
                                           ";",
                                           "\xff",
                                           "\\u0026",
                                           "\\n"};
    const std::size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, pieces[below(std::size(pieces))]);
        break;
      case 1:
        text.erase(at, below(6));
        break;
      case 2:
        text.insert(at, pick());
        break;
      case 3:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      default:
        text.resize(at);
        break;
    }
  }

  std::mt19937 random_;
  std::vector<std::string> texts_;
};

std::string redacted(const Redactor& redactor, std::string_view text) {
  std::string scratch;
  return std::string(redactor.text(text, scratch));
}

bool is_json(std::string_view text) {
  boost::system::error_code error;
  boost::json::parse(text, error);
  return !error;
}

}  // namespace

TEST(RedactProperties, RedactingTwiceChangesNothing) {
  Mutations mutations(1);
  for (const auto action : {RedactAction::kReplace, RedactAction::kHash, RedactAction::kMask}) {
    RedactOptions options;
    options.action = action;
    options.emails = true;
    std::string problem;
    const auto redactor = Redactor::make(options, problem);
    for (int i = 0; i < 15000; ++i) {
      const std::string text = mutations.next();
      const std::string once = redacted(*redactor, text);
      ASSERT_EQ(redacted(*redactor, once), once) << "from: " << text;
    }
  }
}

TEST(RedactProperties, NothingPlantedByNameSurvivesWhateverStandsBeforeIt) {
  const auto redactor = Redactor::standard();
  Mutations mutations(2);
  for (int i = 0; i < 15000; ++i) {
    const std::string before = mutations.next();
    const std::string planted = kPlanted[static_cast<std::size_t>(i) % std::size(kPlanted)].text();
    const std::string text = before + "\n" + planted + "\n" + mutations.next();
    ASSERT_EQ(redacted(*redactor, text).find(kCanary), std::string::npos) << text;
  }
}

TEST(RedactProperties, NothingPlantedByNameSurvivesHoweverTheStreamIsCut) {
  Mutations mutations(3);
  for (int i = 0; i < 3000; ++i) {
    const std::string planted = kPlanted[static_cast<std::size_t>(i) % std::size(kPlanted)].text();
    const std::string text = mutations.next() + "\n" + planted + "\n" + mutations.next();
    RedactStream stream(Redactor::standard());
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = std::min(text.size() - at, 1 + mutations.below(40));
      stream.feed(std::string_view(text).substr(at, size), out);
      at += size;
    }
    stream.finish(out);
    ASSERT_EQ(out.find(kCanary), std::string::npos) << text << "\n--- told:\n" << out;
  }
}

TEST(RedactProperties, JsonStaysJson) {
  const auto redactor = Redactor::standard();
  Mutations mutations(4);
  for (int i = 0; i < 15000; ++i) {
    boost::json::object object;
    object["message"] = boost::json::string(mutations.next());
    object["password"] = i % 3 == 0 ? boost::json::value(i) : boost::json::value(mutations.next());
    object["nested"] = boost::json::object{{"token", {mutations.next(), 1.5, nullptr, true}}, {"x", mutations.next()}};
    object["secrets"] = boost::json::object{{"a", -1}, {"b", boost::json::array{1, "x"}}};
    object["inner"] = boost::json::serialize(object);
    const std::string text = boost::json::serialize(object);
    // Serializing leaves bytes alone that are not UTF-8, and a parser does not accept those.
    if (!is_json(text)) continue;
    ASSERT_TRUE(is_json(redacted(*redactor, text))) << text << "\n--- told:\n" << redacted(*redactor, text);
  }
}

TEST(RedactProperties, AnyBytesAreFine) {
  const auto redactor = Redactor::standard();
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 200, '\0');
    for (char& c : text)
      c = random() % 2 ? static_cast<char>(random() % 256) : "=:\"'\\{}[]%&@-,> ()eyJ"[random() % 22];
    std::string scratch;
    const std::string once = redacted(*redactor, text);
    ASSERT_EQ(redacted(*redactor, once), once);
    redactor->query(text, scratch);
    redactor->url(text, scratch);
    redactor->path(text, "/{token}/x/{id}", scratch);
    redactor->header("cookie", text, scratch);
    redactor->header("authorization", text, scratch);
    redactor->address(text, scratch);
  }
}

TEST(RedactProperties, TakesLinearTime) {
  // Each of these would take minutes if a byte were looked at once for every other byte.
  const auto redactor = Redactor::standard();
  for (const char* piece : {"password=",
                            "\"password\":\"",
                            "\"password\":{",
                            "sig=",
                            "://",
                            "http://a:",
                            "-----BEGIN PRIVATE KEY-----",
                            "eyJ.",
                            "%3D",
                            "password: '",
                            "<password>",
                            "token: [",
                            "a-",
                            "1 ",
                            "4242",
                            "@",
                            "-u a:",
                            "--password ",
                            "\\",
                            "\\\"",
                            "'a',",
                            "name=\"password\"",
                            "Authorization: Digest a=\"",
                            "Cookie: a=",
                            "xoxb-",
                            "(",
                            "@tcp(",
                            "key=aaaaaaaaaaaaaaaa"}) {
    std::string text;
    while (text.size() < 300000) text += piece;
    const std::string once = redacted(*redactor, text);
    EXPECT_LE(once.size(), text.size() * 4);
  }
}

TEST(RedactProperties, AFormBehindAnObjectThatNeverEndsTellsNoValueForAName) {
  const std::string text = "{\"secrets\":{9ae7val\nuser=ann&client_secret=c4naryV4lue&n=1\nnext line\n";
  EXPECT_EQ(redacted(*Redactor::standard(), text).find(kCanary), std::string::npos);
}

TEST(RedactProperties, ALineBehindAYamlBlockMarkIsHiddenAsAWholeWhenItIsIndentedAndJudgedByItselfWhenNot) {
  for (const char* text : {"private_key: |\n:password=>\"c4naryV4lue\"\nnext line\n", "private_key: |\n  :password=>\"c4naryV4lue\"\nnext line\n",
                           "private_key: >-\n  'c4naryV4lue'\nnext line\n"}) {
    const std::string out = redacted(*Redactor::standard(), text);
    EXPECT_EQ(out.find(kCanary), std::string::npos) << out;
    EXPECT_NE(out.find("\nnext line\n"), std::string::npos) << out;
  }
}
