#include "proxy/router.hpp"

#include <gtest/gtest.h>

namespace gatehouse::proxy {
namespace {

std::unique_ptr<Route> route(std::string path, std::vector<std::string> methods, bool answers_preflights) {
  RouteSettings settings;
  settings.path = path;
  settings.methods = std::move(methods);
  return std::make_unique<Route>(Route{settings, path, PathPattern(path), nullptr, nullptr, false, answers_preflights});
}

struct Asked {
  Asked(Method method, std::string_view text, std::string_view leave_for = {}) {
    request.method = method;
    request.method_text = text;
    request.path = "/login";
    if (leave_for.empty()) return;
    request.headers.add("Origin", "https://app.example.com");
    request.headers.add("Access-Control-Request-Method", leave_for);
  }
  Arena arena;
  Request request{arena};
};

std::string found(bool answers_preflights, const Asked& asked) {
  std::vector<std::unique_ptr<Route>> routes;
  routes.push_back(route("/login", {"POST"}, answers_preflights));
  routes.push_back(route("/*", {}, answers_preflights));
  return Router(std::move(routes)).find(asked.request).name;
}

TEST(Router, GivesAPreflightToTheRouteOfTheMethodThatItAsksFor) {
  EXPECT_EQ(found(true, {Method::kOptions, "OPTIONS", "POST"}), "/login");
  EXPECT_EQ(found(true, {Method::kOptions, "OPTIONS", "PUT"}), "/*");
}

TEST(Router, TakesAPlainOptionsForWhatItIs) {
  EXPECT_EQ(found(true, {Method::kOptions, "OPTIONS"}), "/*");
  EXPECT_EQ(found(true, {Method::kPost, "POST"}), "/login");
  EXPECT_EQ(found(true, {Method::kGet, "GET", "POST"}), "/*");
}

TEST(Router, LeavesPreflightsThatTheAppAnswersAlone) {
  EXPECT_EQ(found(false, {Method::kOptions, "OPTIONS", "POST"}), "/*");
}

}  // namespace
}  // namespace gatehouse::proxy
