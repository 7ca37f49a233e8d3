#include "http/target.hpp"

#include "unit/http/reading.hpp"

#include <gtest/gtest.h>
#include <string>

namespace gatehouse::http {
namespace {

// The path, then `?query`, then ` authority`; or the reason.
std::string judged(std::string_view target, TargetPolicy policy = {}, Method method = Method::kGet) {
  Arena arena;
  Request request(arena);
  request.method = method;
  if (const auto error = judge_target(target, policy, request)) return std::string(name(*error));
  std::string text(request.path);
  if (request.has_query) text.append("?").append(request.query);
  if (!request.authority.empty()) text.append(" ").append(request.authority);
  return text;
}

std::string normalised(std::string_view path) {
  return judged(path, {SlashPolicy::kReject, DotPolicy::kNormalise, DoubleSlashPolicy::kKeep});
}

std::string merged(std::string_view path) {
  return judged(path, {SlashPolicy::kReject, DotPolicy::kReject, DoubleSlashPolicy::kMerge});
}

TEST(JudgeTarget, DividesPathAndQueryAtTheFirstQuestionMark) {
  EXPECT_EQ(judged("/a/b?c?d"), "/a/b?c?d");
  EXPECT_EQ(judged("/?"), "/?");
  EXPECT_EQ(judged("/"), "/");
}

TEST(JudgeTarget, TakesTheHostOfAnAbsoluteTarget) {
  EXPECT_EQ(judged("http://a.example:80/b"), "/b a.example:80");
  EXPECT_EQ(judged("HTTPS://[::1]?c"), "/?c [::1]");
  EXPECT_EQ(judged("http://a", {}, Method::kOptions), "* a");
  EXPECT_EQ(judged("http://a/", {}, Method::kOptions), "/ a");
}

TEST(JudgeTarget, KeepsEncodedSlashesWhereTold) {
  const TargetPolicy keep{SlashPolicy::kKeep, DotPolicy::kReject, DoubleSlashPolicy::kKeep};
  EXPECT_EQ(judged("/a%2Fb%5cc", keep), "/a%2Fb%5cc");
  EXPECT_EQ(judged("/a%2Fb"), "encoded_slash_in_path");
  EXPECT_EQ(judged("/a\\b", keep), "backslash_in_path");
}

TEST(JudgeTarget, NormalisesDotSegmentsWhereTold) {
  EXPECT_EQ(normalised("/a/./b/../c"), "/a/c");
  EXPECT_EQ(normalised("/a/.."), "/");
  EXPECT_EQ(normalised("/a/b/.."), "/a/");
  EXPECT_EQ(normalised("/a/."), "/a/");
  EXPECT_EQ(normalised("/../../etc/passwd"), "/etc/passwd");
  EXPECT_EQ(normalised("/a/%2e%2E/b"), "/b");
  EXPECT_EQ(normalised("/a/.%2e;x=y/b"), "/b");
  EXPECT_EQ(normalised("/a//../b"), "/a/b");
  EXPECT_EQ(normalised("/a/b/../../../.."), "/");
  EXPECT_EQ(normalised("/.a/..b/c."), "/.a/..b/c.");
  EXPECT_EQ(normalised("/a/../?q=/../"), "/?q=/../");
}

TEST(JudgeTarget, MergesSlashesWhereTold) {
  EXPECT_EQ(merged("//a///b//"), "/a/b/");
  EXPECT_EQ(merged("//"), "/");
  EXPECT_EQ(merged("/a/b"), "/a/b");
  EXPECT_EQ(merged("/a?b//c"), "/a?b//c");
  EXPECT_EQ(judged("//a//b"), "//a//b");
}

TEST(JudgeTarget, AcceptsUtf8AndLatin1Encodings) {
  for (const std::string_view path :
       {"/%C3%A9", "/%e2%82%ac", "/%f0%9f%98%80", "/%e9", "/%ff", "/%c0", "/%f8a", "/%fc%c3%bc"})
    EXPECT_EQ(judged(path), path);
}

TEST(JudgeTarget, CutsAtNoEncodingAtTheEndOfThePath) {
  for (const std::string_view path : {"/%", "/%4", "/%4?1", "/a%c3%a", "/%%41"})
    EXPECT_EQ(judged(path), "malformed_target") << path;
}

std::string comparable(std::string_view path) {
  Arena arena;
  return std::string(comparable_path(path, arena));
}

TEST(ComparablePath, BringsEverySpellingOfAPathTogether) {
  for (const std::string_view spelling :
       {"/login", "/login/", "//login", "/login//", "///login///", "/%6Cogin", "/%6c%6f%67%69%6e", "/login;x=1",
        "/;a/login", "/login;", "/login/;x", "/%6cogin/"})
    EXPECT_EQ(comparable(spelling), "/login") << spelling;
}

TEST(ComparablePath, DecodesOnce) {
  EXPECT_EQ(comparable("/a%2561"), "/a%61");
  EXPECT_EQ(comparable("/caf%C3%A9"), "/caf\xc3\xa9");
}

TEST(ComparablePath, LeavesAPlainPathWhereItIs) {
  Arena arena;
  for (const std::string_view path : {"/", "*", "/a", "/a/b.c", "/A/B"})
    EXPECT_EQ(comparable_path(path, arena).data(), path.data()) << path;
  EXPECT_EQ(arena.used(), 0u);
}

TEST(ComparablePath, KnowsTheRoot) {
  EXPECT_EQ(comparable("//"), "/");
  EXPECT_EQ(comparable("/;"), "/");
  EXPECT_EQ(comparable("/%2F"), "/");
}

TEST(ValidAuthority, TakesHostsWithAndWithoutPort) {
  for (const std::string_view host : {"a", "a.b-c.d", "a:1", "a:", "a:65535", "a:080", "127.0.0.1", "[::1]", "[::1]:1",
                                      "[::ffff:1.2.3.4]:80", "my_app", "a.", "xn--caf-dma.example"})
    EXPECT_TRUE(valid_authority(host)) << host;
}

TEST(ValidAuthority, RefusesWhatTwoReadersReadInTwoWays) {
  for (const std::string_view host :
       {"",     ":",   ":1",    "a:b",  "a:1:2", "a:65536",     "a:-1",    "u@a",       "a/b", "a?b",       "a#b",
        "a b",  "a,b", "a\\b",  "[::1", "::1",   "[::1]x",      "[::1]:x", "[]",        "[a]", "[1.2.3.4]", "[::1]]",
        "a%41", "a|b", "\"a\"", "<a>",  "a\t",   "caf\xc3\xa9", "[:::]",   "[1::2::3]", "a;b", "*"})
    EXPECT_FALSE(valid_authority(host)) << host;
}

}  // namespace
}  // namespace gatehouse::http
