#include "health/catalog.hpp"

#include "config/service_url.hpp"
#include "health/command_prober.hpp"
#include "health/file_probers.hpp"
#include "health/http_prober.hpp"
#include "health/mysql_prober.hpp"
#include "health/postgres_prober.hpp"
#include "health/redis_prober.hpp"
#include "health/tcp_prober.hpp"

namespace gatehouse::health {
namespace {

Place place_of(const ServiceUrl& url, std::uint16_t usual_port) {
  if (url.scheme == "unix") return {{}, 0, url.host.empty() ? url.path : url.host + url.path};
  return {url.host, url.port == 0 ? usual_port : url.port, {}};
}

HttpQuestion question_of(const HealthCheck& check, const ServiceUrl& url) {
  HttpQuestion question;
  question.target = url.target;
  question.authority = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (url.port != 0) question.authority += ":" + std::to_string(url.port);
  question.expected.clear();
  for (const StatusRange& range : check.expect_status) question.expected.emplace_back(range.first, range.last);
  return question;
}

}  // namespace

std::unique_ptr<Prober> make_prober(const HealthCheck& check, boost::asio::io_context& io, net::TimerWheel& wheel) {
  ServiceUrl url;
  parse_service_url(check.url.reveal(), url);
  switch (check.type) {
    case CheckType::kPostgres:
      return std::make_unique<PostgresProber>(io, wheel, url);
    case CheckType::kRedis: {
      const std::string password(url.password.empty() ? url.parameter("password") : url.password);
      return std::make_unique<RedisProber>(io, wheel, place_of(url, 6379), url.user, password);
    }
    case CheckType::kMysql:
      return std::make_unique<MysqlProber>(io, wheel, place_of(url, 3306), url.user, url.password);
    case CheckType::kHttp:
      return std::make_unique<HttpProber>(io, wheel, place_of(url, 80), question_of(check, url));
    case CheckType::kTcp:
      return std::make_unique<TcpProber>(io, wheel, place_of(url, 0));
    case CheckType::kFileAge:
      return std::make_unique<FileAgeProber>(io, wheel, check.path, check.maximum_age);
    case CheckType::kDisk:
      return std::make_unique<DiskProber>(io, wheel, check.path, check.minimum_free);
    case CheckType::kCommand:
      return std::make_unique<CommandProber>(io, check.command);
  }
  return nullptr;
}

std::string_view name(CheckType type) noexcept {
  switch (type) {
    case CheckType::kPostgres:
      return "postgres";
    case CheckType::kRedis:
      return "redis";
    case CheckType::kMysql:
      return "mysql";
    case CheckType::kHttp:
      return "http";
    case CheckType::kTcp:
      return "tcp";
    case CheckType::kFileAge:
      return "file_age";
    case CheckType::kDisk:
      return "disk";
    case CheckType::kCommand:
      return "command";
  }
  return "tcp";
}

}  // namespace gatehouse::health
