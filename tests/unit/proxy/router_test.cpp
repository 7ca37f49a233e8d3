#include "proxy/router.hpp"

#include <gtest/gtest.h>

namespace gatehouse::proxy {
namespace {

TEST(PathPattern, LiteralMatchesItselfAlone) {
  const PathPattern pattern("/login");
  EXPECT_TRUE(pattern.matches("/login"));
  EXPECT_FALSE(pattern.matches("/login/"));
  EXPECT_FALSE(pattern.matches("/login2"));
  EXPECT_FALSE(pattern.matches("/"));
}

TEST(PathPattern, RootMatchesTheRootAlone) {
  const PathPattern pattern("/");
  EXPECT_TRUE(pattern.matches("/"));
  EXPECT_FALSE(pattern.matches("/a"));
}

TEST(PathPattern, PrefixMatchesEverythingBelowAndItself) {
  const PathPattern pattern("/api/*");
  EXPECT_TRUE(pattern.matches("/api"));
  EXPECT_TRUE(pattern.matches("/api/"));
  EXPECT_TRUE(pattern.matches("/api/a/b"));
  EXPECT_FALSE(pattern.matches("/apiary"));
}

TEST(PathPattern, StarAloneMatchesEveryPath) {
  const PathPattern pattern("/*");
  EXPECT_TRUE(pattern.matches("/"));
  EXPECT_TRUE(pattern.matches("/a/b"));
}

TEST(PathPattern, TemplateMatchesOneSegmentThatIsNotEmpty) {
  const PathPattern pattern("/items/{id}/tags");
  EXPECT_TRUE(pattern.matches("/items/7/tags"));
  EXPECT_FALSE(pattern.matches("/items//tags"));
  EXPECT_FALSE(pattern.matches("/items/7/8/tags"));
  EXPECT_FALSE(pattern.matches("/items/7"));
}

class RouterTest : public ::testing::Test {
 protected:
  void add(std::string path, std::vector<std::string> methods = {}, std::string host = {}) {
    RouteSettings settings;
    settings.path = std::move(path);
    settings.methods = std::move(methods);
    settings.host = std::move(host);
    routes_.push_back(std::make_unique<Route>(Route{settings, settings.path, PathPattern(settings.path), nullptr, nullptr, false}));
  }
  std::string find(Method method, std::string_view method_text, std::string_view path, std::string_view authority = "a.example") {
    if (!router_) {
      add("/*");
      routes_.back()->name = "unmatched";
      router_ = std::make_unique<Router>(std::move(routes_));
    }
    Arena arena;
    Request request(arena);
    request.method = method;
    request.method_text = method_text;
    request.path = path;
    request.authority = authority;
    return router_->find(request).name;
  }

 private:
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Router> router_;
};

TEST_F(RouterTest, TakesTheFirstRouteThatMatches) {
  add("/a/*");
  add("/a/b");
  EXPECT_EQ(find(Method::kGet, "GET", "/a/b"), "/a/*");
}

TEST_F(RouterTest, LooksAtTheMethod) {
  add("/login", {"POST"});
  EXPECT_EQ(find(Method::kPost, "POST", "/login"), "/login");
  EXPECT_EQ(find(Method::kGet, "GET", "/login"), "unmatched");
}

TEST_F(RouterTest, LooksAtTheHostWithoutItsPortAndCase) {
  add("/*", {}, "api.example.com");
  EXPECT_EQ(find(Method::kGet, "GET", "/", "API.example.com:8443"), "/*");
  EXPECT_EQ(find(Method::kGet, "GET", "/", "www.example.com"), "unmatched");
}

TEST_F(RouterTest, TakesAWildcardHostForNamesBelowIt) {
  add("/*", {}, "*.example.com");
  EXPECT_EQ(find(Method::kGet, "GET", "/", "a.example.com"), "/*");
  EXPECT_EQ(find(Method::kGet, "GET", "/", "example.com"), "unmatched");
  EXPECT_EQ(find(Method::kGet, "GET", "/", "evil-example.com"), "unmatched");
}

TEST_F(RouterTest, LeavesTheAsteriskFormToTheLastRoute) {
  add("/a");
  EXPECT_EQ(find(Method::kOptions, "OPTIONS", "*"), "unmatched");
}

}  // namespace
}  // namespace gatehouse::proxy
