#include "config/bind_health.hpp"

#include "config/service_url.hpp"
#include "config/status_ranges.hpp"

#include <algorithm>
#include <set>

namespace gatehouse {
namespace {

// What each type of check needs, and the schemes that its URL may have.
struct CheckShape {
  std::vector<std::string_view> schemes;
  std::vector<std::string_view> needed;
};

CheckShape shape_of(CheckType type) {
  switch (type) {
    case CheckType::kPostgres:
      return {{"postgres", "postgresql"}, {"url"}};
    case CheckType::kRedis:
      return {{"redis", "rediss", "unix"}, {"url"}};
    case CheckType::kMysql:
      return {{"mysql", "mariadb"}, {"url"}};
    case CheckType::kHttp:
      return {{"http", "https"}, {"url"}};
    case CheckType::kTcp:
      return {{"tcp"}, {"url"}};
    case CheckType::kFileAge:
      return {{}, {"path", "maximum_age"}};
    case CheckType::kDisk:
      return {{}, {"path", "minimum_free"}};
    case CheckType::kCommand:
      return {{}, {"command"}};
  }
  return {};
}

// What the parts of the URL must be, for a check to be able to ask anybody.
void judge_service(OptionsReader& reader, CheckType type, const std::string& text) {
  ServiceUrl url;
  const std::string_view problem = parse_service_url(text, url);
  if (!problem.empty()) return reader.mistake("url", std::string(problem));
  const bool is_web = type == CheckType::kHttp;
  const bool names_host = !url.host.empty() || url.scheme == "unix" || type == CheckType::kPostgres;
  if (!names_host) return reader.mistake("url", "has no host");
  if (url.scheme == "unix" && url.path.size() <= 1) return reader.mistake("url", "has no path; write unix:///run/redis.sock");
  if (type == CheckType::kTcp && url.port == 0) return reader.mistake("url", "has no port; write tcp://host:port");
  if (is_web && !(url.user.empty() && url.password.empty()))
    return reader.mistake("url", "has a user or a password, which a check of type http does not send");
  if (url.scheme == "https" || url.scheme == "rediss")
    reader.mistake("url", "asks for TLS, which only checks of type postgres speak; use a port without TLS, or a check of type tcp or command");
}

void judge_url(OptionsReader& reader, const HealthCheck& check, const CheckShape& shape) {
  const std::string& url = check.url.reveal();
  const std::size_t colon = url.find("://");
  if (colon == std::string::npos || reader.has_mistake("url") || shape.schemes.empty()) return;
  // Python's database URLs name the driver too: postgresql+asyncpg://.
  const std::string_view scheme = std::string_view(url).substr(0, std::min(url.find('+'), colon));
  if (std::find(shape.schemes.begin(), shape.schemes.end(), scheme) != shape.schemes.end())
    return judge_service(reader, check.type, url);
  std::string wanted;
  for (const std::string_view known : shape.schemes)
    wanted += (wanted.empty() ? "" : " or ") + std::string(known) + "://";
  reader.mistake("url", "must begin with " + wanted + " for a check of this type");
}

void judge_check(OptionsReader& reader, const HealthCheck& check) {
  if (reader.has_mistake("type")) return;
  const CheckShape shape = shape_of(check.type);
  const std::pair<std::string_view, bool> given[] = {{"url", !check.url.empty()},
                                                     {"path", !check.path.empty()},
                                                     {"maximum_age", check.maximum_age.count() != 0},
                                                     {"minimum_free", check.minimum_free != 0},
                                                     {"command", !check.command.empty()}};
  for (const auto& [key, is_given] : given) {
    if (reader.has_mistake(key)) continue;
    const bool is_needed = std::find(shape.needed.begin(), shape.needed.end(), key) != shape.needed.end();
    if (is_needed && !is_given)
      reader.mistake(key, "is missing; a check of type " + reader.choice_text("type") + " needs it");
    if (!is_needed && is_given) reader.mistake(key, "says nothing to a check of type " + reader.choice_text("type"));
  }
  if (check.expect_status != HealthCheck{}.expect_status && check.type != CheckType::kHttp &&
      !reader.has_mistake("expect_status"))
    reader.mistake("expect_status", "says nothing to a check of type " + reader.choice_text("type"));
  judge_url(reader, check, shape);
}

std::vector<HealthCheck> read_checks(const OptionsReader& health) {
  std::vector<HealthCheck> checks;
  std::set<std::string> names;
  for (OptionsReader& reader : health.maps("checks")) {
    HealthCheck check;
    check.name = reader.text("name");
    check.type = reader.choice<CheckType>("type");
    check.url = reader.secret("url");
    check.path = reader.file("path");
    check.maximum_age = reader.duration("maximum_age");
    check.minimum_free = reader.bytes("minimum_free");
    check.command = reader.texts("command");
    check.expect_status = parse_status_ranges(reader.text("expect_status"));
    check.critical = reader.boolean("critical");
    check.probe = read_probe(reader);
    judge_check(reader, check);
    if (!reader.has_mistake("name") && !names.insert(check.name).second)
      reader.mistake("name", "is the name of a check above, too");
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace

Probe read_probe(const OptionsReader& reader) {
  return {reader.duration("interval"), reader.duration("timeout"), static_cast<int>(reader.integer("rise")),
          static_cast<int>(reader.integer("fall"))};
}

Health read_health(const OptionsReader& reader) {
  return {reader.text("path"), reader.secret("token"), reader.texts("allow"), read_checks(reader)};
}

}  // namespace gatehouse
