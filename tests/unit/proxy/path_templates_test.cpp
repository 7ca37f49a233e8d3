#include "proxy/path_templates.hpp"

#include <gtest/gtest.h>

namespace gatehouse::proxy {
namespace {

constexpr std::string_view kDocument = R"({"openapi":"3.1.0","paths":{"/":{},"/items/{id}":{"get":{}},"/items/new":{},
  "/items/{id}/parts/{part}":{}, "no slash":{}, "/with?query":{}}})";

std::string name_of(const PathTemplates& templates, std::string_view path) {
  const auto found = templates.find(path);
  return found ? templates.names()[*found] : "";
}

TEST(PathTemplates, FindTheTemplateOfAPath) {
  const auto templates = PathTemplates::parse(kDocument, 100);
  ASSERT_TRUE(templates);
  EXPECT_EQ(name_of(*templates, "/"), "/");
  EXPECT_EQ(name_of(*templates, "/items/7"), "/items/{id}");
  EXPECT_EQ(name_of(*templates, "/items/7/parts/8"), "/items/{id}/parts/{part}");
  for (const std::string_view unknown : {"/items", "/items/7/8", "/items/7/parts", "/x", ""}) EXPECT_EQ(name_of(*templates, unknown), "") << unknown;
}

TEST(PathTemplates, PreferALiteralPathToOneWithParameters) {
  EXPECT_EQ(name_of(*PathTemplates::parse(kDocument, 100), "/items/new"), "/items/new");
}

TEST(PathTemplates, LeaveOutWhatIsNoPath) { EXPECT_EQ(PathTemplates::parse(kDocument, 100)->names().size(), 4U); }

TEST(PathTemplates, AreBounded) {
  EXPECT_EQ(PathTemplates::parse(kDocument, 2)->names().size(), 2U);
  const std::string long_path(300, 'a');
  EXPECT_TRUE(PathTemplates::parse("{\"paths\":{\"/" + long_path + "\":{}}}", 10)->names().empty());
}

TEST(PathTemplates, StandBehindThePathOfTheServer) {
  const auto templates = PathTemplates::parse(R"({"servers":[{"url":"/api/"}],"paths":{"/items/{id}":{}}})", 10);
  EXPECT_EQ(templates->names().front(), "/api/items/{id}");
  const auto elsewhere = PathTemplates::parse(R"({"servers":[{"url":"https://api.example.com/v1"}],"paths":{"/a":{}}})", 10);
  EXPECT_EQ(elsewhere->names().front(), "/a");
}

TEST(PathTemplates, AreNotReadOutOfAnythingElse) {
  const std::string deep(100000, '[');
  for (const std::string& text : std::vector<std::string>{"", "null", "[]", "{}", "{\"paths\":[]}", "{\"paths\":", "<html></html>", "{\"paths\":{}} x", deep})
    EXPECT_FALSE(PathTemplates::parse(text, 10)) << text.substr(0, 50);
}

TEST(TemplateRoutes, CountEachTemplateInItsOwnPlace) {
  observe::SeriesBudget budget;
  observe::WorkerMetrics metrics(budget);
  const TemplateRoutes routes(std::make_shared<const PathTemplates>(*PathTemplates::parse(kDocument, 100)), metrics);
  EXPECT_EQ(routes.find("/items/1"), &metrics.route("/items/{id}"));
  EXPECT_EQ(routes.find("/nowhere"), nullptr);
}

}  // namespace
}  // namespace gatehouse::proxy
