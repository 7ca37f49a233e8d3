#include "proxy/path_templates.hpp"

#include "http/target.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace gatehouse::proxy {
namespace {

constexpr std::size_t kLongestPath = 256;
constexpr std::size_t kMostSegments = 32;
// Schemas of real apps are nested deeply; this is far beyond them and far from the end of a stack.
constexpr std::size_t kDeepest = 128;

std::size_t segments(std::string_view path) { return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')); }

bool usable(std::string_view path) {
  return path.starts_with('/') && path.size() <= kLongestPath && segments(path) <= kMostSegments &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '*'; });
}

// `servers: [{url: /api}]` puts a path before all others; a whole URL says where the app is reached from outside, which is no matter here.
std::string_view prefix(const boost::json::object& document) {
  const auto* servers = document.if_contains("servers");
  if (servers == nullptr || !servers->is_array() || servers->get_array().empty()) return {};
  const auto* first = servers->get_array().front().if_object();
  const auto* url = first != nullptr ? first->if_contains("url") : nullptr;
  if (url == nullptr || !url->is_string()) return {};
  std::string_view text(url->get_string().data(), url->get_string().size());
  while (text.ends_with('/')) text.remove_suffix(1);
  return text.starts_with('/') && usable(text) ? text : std::string_view{};
}

}  // namespace

std::optional<PathTemplates> PathTemplates::parse(std::string_view text, std::size_t most) {
  boost::json::parse_options options;
  options.max_depth = kDeepest;
  boost::json::error_code error;
  boost::json::monotonic_resource memory;
  const auto document = boost::json::parse(boost::json::string_view(text.data(), text.size()), error, &memory, options);
  if (error || !document.is_object()) return std::nullopt;
  const auto* paths = document.get_object().if_contains("paths");
  if (paths == nullptr || !paths->is_object()) return std::nullopt;
  const std::string before(prefix(document.get_object()));
  PathTemplates templates;
  for (const auto& path : paths->get_object()) {
    if (templates.names_.size() == most) break;
    std::string name = before + std::string(path.key().data(), path.key().size());
    if (usable(name)) templates.add(std::move(name));
  }
  return templates;
}

void PathTemplates::add(std::string name) {
  const std::size_t number = names_.size();
  if (name.find('{') == std::string::npos) {
    Arena arena(256);
    literal_.emplace(http::comparable_path(name, arena), number);
  } else {
    const std::size_t count = segments(name);
    if (by_segments_.size() <= count) by_segments_.resize(count + 1);
    by_segments_[count].push_back({number, http::PathPattern(name)});
  }
  names_.push_back(std::move(name));
}

std::optional<std::size_t> PathTemplates::find(std::string_view path) const {
  if (const auto found = literal_.find(path); found != literal_.end()) return found->second;
  const std::size_t count = segments(path);
  if (count >= by_segments_.size()) return std::nullopt;
  for (const Pattern& candidate : by_segments_[count])
    if (candidate.pattern.matches(path)) return candidate.name;
  return std::nullopt;
}

TemplateRoutes::TemplateRoutes(std::shared_ptr<const PathTemplates> templates, observe::WorkerMetrics& metrics)
    : templates_(std::move(templates)) {
  for (const std::string& name : templates_->names()) metrics_.push_back(&metrics.route(name));
}

observe::RouteMetrics* TemplateRoutes::find(std::string_view path) const {
  const auto found = templates_->find(path);
  return found ? metrics_[*found] : nullptr;
}

}  // namespace gatehouse::proxy
