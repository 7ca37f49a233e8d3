// The paths that an app's OpenAPI document names, so that requests which no configured route matches are counted by template and not all
// under one name. Immutable: any thread may read. The document is the app's: bounded in size, depth and number of paths.
#pragma once

#include "http/path_pattern.hpp"
#include "observe/metrics.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::proxy {

class PathTemplates {
 public:
  // Nothing where the text is no OpenAPI document. Paths beyond `most`, too long ones and those that are no path are left out.
  static std::optional<PathTemplates> parse(std::string_view document, std::size_t most);

  const std::vector<std::string>& names() const noexcept { return names_; }
  // The number of the template of a path that comparable_path() made; a literal path goes before one with parameters.
  std::optional<std::size_t> find(std::string_view path) const;

 private:
  struct Pattern {
    std::size_t name;
    http::PathPattern pattern;
  };
  void add(std::string name);

  std::vector<std::string> names_;
  std::map<std::string, std::size_t, std::less<>> literal_;
  std::vector<std::vector<Pattern>> by_segments_;  // so that few are tried
};

// The same with the place where one worker counts each of them. Belongs to the worker.
class TemplateRoutes {
 public:
  TemplateRoutes(std::shared_ptr<const PathTemplates> templates, observe::WorkerMetrics& metrics);
  // Null where no template matches.
  observe::RouteMetrics* find(std::string_view path) const;

 private:
  std::shared_ptr<const PathTemplates> templates_;
  std::vector<observe::RouteMetrics*> metrics_;
};

}  // namespace gatehouse::proxy
