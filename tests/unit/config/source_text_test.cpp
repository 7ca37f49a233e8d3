#include "config/source_text.hpp"

#include "unit/config/support.hpp"

#include <sys/stat.h>

namespace gatehouse {
namespace {

using namespace std::string_literals;

std::string only_mistake(std::string_view text) {
  const LoadResult loaded = load(text);
  return loaded.mistakes().size() == 1 ? to_string(loaded.mistakes()[0]).substr(15) : all_mistakes(loaded);
}

TEST(YamlText, MustBeUtf8WithoutControlCharacters) {
  EXPECT_EQ(only_mistake("a: \xFF\n"), "1:4: this byte is not valid UTF-8");
  EXPECT_EQ(only_mistake("a: é\nb: \xC3"), "2:4: this byte is not valid UTF-8");
  EXPECT_EQ(only_mistake("é: \0"s), "1:4: a NUL byte is not text");
  EXPECT_EQ(only_mistake("a: \x1B[0m\n"), "1:4: a control character is not text");
  EXPECT_EQ(only_mistake("a: \x7F\n"), "1:4: a control character is not text");
  EXPECT_EQ(only_mistake("a: b\rc: d\n"), "1:5: a carriage return stands here without a line feed");
  EXPECT_EQ(only_mistake("\xFF\xFE"
                         "a\0"s),
            "1:1: the file is UTF-16; save it as UTF-8");
}

TEST(YamlText, IsNotIndentedByTabs) {
  EXPECT_EQ(only_mistake("upstream:\n\turl: http://a\n"), "2:1: a tab is no indentation in YAML; use spaces");
  EXPECT_EQ(only_mistake("upstream:\n  \turl: http://a\n"), "2:3: a tab is no indentation in YAML; use spaces");
  EXPECT_TRUE(load("upstream:\thttp://a\t# x\n\t \n  \t\r\n"));
}

TEST(YamlText, MayHaveAByteOrderMarkAndWindowsLineEnds) {
  LoadResult loaded = load("\xEF\xBB\xBFupstream: http://a:1\r\nworkers: 2\r\n");
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_EQ(loaded->workers, 2);
  EXPECT_EQ(only_mistake("\xEF\xBB\xBFupstream: http://a:1\r\nworkerz: 2\r\n"),
            "2:1: workerz: is not a known key; did you mean \"workers\"?");
}

TEST(YamlText, HasABound) {
  std::string text(kSmallest);
  text += "#" + std::string(kLargestConfiguration - text.size() - 1, 'x');
  EXPECT_TRUE(load(text));
  EXPECT_EQ(all_mistakes(load(text + "x")), "gatehouse.yaml: is larger than 1 MiB\n");
}

TEST(YamlText, MayBeEmptyOnlyInNoWay) {
  const std::string wanted = "1:1: the file is empty; it must hold at least: upstream: http://127.0.0.1:8000";
  for (const std::string_view text : {"", "\n", "# x\n", "---\n", "---\n...\n", "\xEF\xBB\xBF", "~", "null\n"})
    EXPECT_EQ(only_mistake(text), wanted) << text;
}

TEST(Mistakes, AreOneLineEachWhateverIsInTheFile) {
  const LoadResult loaded = load("upstream: \"${NONE:?a\\nb\\e[0m}\"\n? \"x\\ny\"\n: 1\n\"x\\ny\": 2\n");
  EXPECT_EQ(all_mistakes(loaded),
            "gatehouse.yaml:1:11: upstream.url: the environment variable NONE is not set: a?b?[0m\n"
            "gatehouse.yaml:2:3: x?y: is not a known key; `gatehouse schema --reference` tells them all\n"
            "gatehouse.yaml:4:1: x?y: is given twice; the first time in line 2\n");
}

TEST(IsUtf8, TakesWhatRfc3629AllowsAlone) {
  for (const char* good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x20", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF0\x90\x80", "\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

std::string mistake_in_file(const std::string& path) {
  const LoadResult loaded = load_config_file(path, {}, {});
  EXPECT_EQ(loaded.mistakes().size(), 1u);
  return loaded.mistakes().empty() ? "" : to_string(loaded.mistakes()[0]).substr(path.size());
}

TEST(LoadConfigFile, RefusesWhatIsNoFileWithoutWaiting) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(mistake_in_file(pipe), ": is not a regular file");
  EXPECT_EQ(mistake_in_file("/dev/zero"), ": is not a regular file");
  EXPECT_EQ(mistake_in_file(folder.path()), ": is a directory, not a file");
  EXPECT_EQ(mistake_in_file(folder.path() + "/none"), ": does not exist");
  EXPECT_EQ(mistake_in_file(folder.write("large", std::string(kLargestConfiguration + 1, '#'))),
            ": is larger than 1024 KiB");
}

TEST(LoadConfigFile, StartsRelativePathsAtTheFolderOfTheFile) {
  const TemporaryFolder folder;
  folder.write("token", "hunter2\r\n");
  folder.write("tls.pem", "x");
  const std::string file = folder.write("gatehouse.yaml", R"(
upstream: http://127.0.0.1:8000
health: { token_file: token }
listeners: [{ address: 0.0.0.0:8443, tls: { certificates: [{ certificate: tls.pem, private_key: ./tls.pem }] } }]
log: { output: access.log }
)");
  LoadResult loaded = load_config_file(file, {}, {});
  ASSERT_TRUE(loaded) << all_mistakes(loaded);
  EXPECT_EQ(loaded->health.token.reveal(), "hunter2");
  EXPECT_EQ(loaded->listeners[0].tls->certificates[0].certificate, folder.path() + "/tls.pem");
  EXPECT_EQ(loaded->listeners[0].tls->certificates[0].private_key, folder.path() + "/./tls.pem");
  EXPECT_EQ(loaded->log.output, folder.path() + "/access.log");
}

TEST(SecretFile, IsJudgedLikeASecretAndNeverTold) {
  const TemporaryFolder folder;
  const auto told = [&](std::string_view content) {
    const std::string file = folder.write("secret", content);
    const std::string text = "upstream: http://127.0.0.1:8000\nhealth: { token_file: " + file + " }\n";
    std::string all = all_mistakes(load(text));
    EXPECT_EQ(all.find("hunter2"), std::string::npos);
    if (const std::size_t at = all.find("\"" + file + "\""); at != std::string::npos)
      all.replace(at, file.size() + 2, "FILE");
    return all;
  };
  EXPECT_EQ(told("hunter2\n"), "");
  EXPECT_EQ(told("\n"), "gatehouse.yaml:2:23: health.token: the secret is empty\n");
  EXPECT_EQ(told("hunter2\nhunter2\n"),
            "gatehouse.yaml:2:23: health.token: the secret has a line break or another control character in it\n");
  EXPECT_EQ(told("hunter2\xFF"), "gatehouse.yaml:2:23: health.token: the secret is not valid UTF-8\n");
  EXPECT_EQ(told(std::string(70'000, 'x')), "gatehouse.yaml:2:23: health.token_file: FILE is larger than 64 KiB\n");
}

}  // namespace
}  // namespace gatehouse
