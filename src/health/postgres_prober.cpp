#include "health/postgres_prober.hpp"

#include "health/libpq.hpp"
#include "health/waiter.hpp"

#include <algorithm>
#include <memory>

namespace gatehouse::health {
namespace {

struct ConnectionDeleter {
  void operator()(PGconn* connection) const noexcept { libpq()->finish(connection); }
};
struct ResultDeleter {
  void operator()(PGresult* answer) const noexcept { libpq()->clear(answer); }
};
using ConnectionPointer = std::unique_ptr<PGconn, ConnectionDeleter>;
using ResultPointer = std::unique_ptr<PGresult, ResultDeleter>;

constexpr std::uint16_t kPort = 5432;

Place place_of(const ServiceUrl& url) {
  const std::string_view elsewhere = url.parameter("host");
  const std::string host = elsewhere.empty() ? url.host : std::string(elsewhere);
  Place place;
  place.port = url.port == 0 ? kPort : url.port;
  if (host.starts_with('/'))
    place.unix_path = host + "/.s.PGSQL." + std::to_string(place.port);
  else
    place.host = host.empty() ? "localhost" : host;
  return place;
}

ConnectionPointer start(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  ConnectionPointer connection(libpq()->connectStartParams(keywords.data(), values.data(), 0));
  // From here on libpq's messages end in the SQLSTATE and quote nothing of what the server says.
  if (connection) libpq()->setErrorVerbosity(connection.get(), PQERRORS_SQLSTATE);
  return connection;
}

bool mentions(std::string_view message, std::string_view word) { return message.find(word) != std::string_view::npos; }

// Why a connection could not be made.
std::string explain_failure(PGconn* connection) {
  if (libpq()->connectionNeedsPassword(connection) == 1) return "asks for a password, and the URL has none";
  const std::string_view message = libpq()->errorMessage(connection);
  if (const auto state = sqlstate_in(message); !state.empty()) return explain_sqlstate(state);
  if (mentions(message, "SSL") || mentions(message, "certificate"))
    return "the TLS connection failed: check sslmode, sslrootcert and the server's certificate";
  if (message.starts_with("invalid ")) return "the URL has a parameter that libpq refuses";
  return "does not accept connections";
}

}  // namespace

PostgresProber::PostgresProber(boost::asio::io_context& io, net::TimerWheel& wheel, const ServiceUrl& url)
    : io_(io), wheel_(wheel), dialer_(io, wheel, place_of(url)), parameters_(postgres_parameters(url)) {}

awaitable<std::string> PostgresProber::probe(net::Clock::time_point deadline) {
  const auto found = co_await dialer_.addresses(deadline);
  if (!found) co_return explain(found.error());
  const Place& place = dialer_.place();
  Answer answer;
  for (std::size_t i = 0; i < found->size(); ++i) {
    Parameters parameters = parameters_;
    parameters.emplace_back("port", std::to_string(place.port));
    if (!place.unix_path.empty()) {
      parameters.emplace_back("host", place.unix_path.substr(0, place.unix_path.rfind('/')));
    } else {
      // libpq would resolve the name itself, and block; it still needs the name to check a certificate.
      std::array<char, 48> buffer{};
      parameters.emplace_back("host", place.host);
      parameters.emplace_back("hostaddr", std::string((*found)[i].address_text(buffer)));
    }
    answer = co_await ask(std::move(parameters), share_of(deadline, found->size() - i));
    if (answer.error.empty() || answer.server_spoke) break;
  }
  co_return answer.error;
}

awaitable<PostgresProber::Answer> PostgresProber::ask(Parameters parameters, net::Clock::time_point until) {
  Answer answer;
  answer.error = "cannot be asked: this machine has no libpq.so.5 (Debian's package libpq5)";
  if (libpq() == nullptr) co_return answer;
  const ConnectionPointer connection = start(parameters);
  PGconn* const pg = connection.get();
  answer.error = "could not be asked: no memory is left here";
  if (!connection) co_return answer;
  Waiter waiter(io_, wheel_);
  error_code error;
  auto step = libpq()->status(pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_FAILED) {
      answer.error = explain_failure(pg);
      answer.server_spoke = !sqlstate_in(libpq()->errorMessage(pg)).empty();
      co_return answer;
    }
    // Anew each time: libpq may go on with another socket, after TLS was refused for instance.
    const auto direction = step == PGRES_POLLING_READING ? net::Direction::kRead : net::Direction::kWrite;
    error = co_await waiter.wait(libpq()->socket(pg), direction, until);
    answer.error = explain(error);
    if (error) co_return answer;
    step = libpq()->connectPoll(pg);
  }
  answer.server_spoke = true;
  answer.error = "ended the connection without an answer";
  if (libpq()->setnonblocking(pg, 1) != 0 || libpq()->sendQuery(pg, "SELECT 1") != 1) co_return answer;
  for (int left = libpq()->flush(pg); left != 0 || libpq()->isBusy(pg) == 1;) {
    if (left < 0) co_return answer;
    const auto direction = left > 0 ? net::Direction::kWrite : net::Direction::kRead;
    error = co_await waiter.wait(libpq()->socket(pg), direction, until);
    if (error) {
      answer.error = explain(error);
      co_return answer;
    }
    if (libpq()->consumeInput(pg) != 1) co_return answer;
    left = libpq()->flush(pg);
  }
  const ResultPointer row(libpq()->getResult(pg));
  if (libpq()->resultStatus(row.get()) == PGRES_TUPLES_OK) {
    answer.error.clear();
  } else if (const char* state = libpq()->resultErrorField(row.get(), PG_DIAG_SQLSTATE); state != nullptr) {
    answer.error = explain_sqlstate(sqlstate_in(state));
  }
  co_return answer;
}

std::vector<std::pair<std::string, std::string>> postgres_parameters(const ServiceUrl& url) {
  // Where to connect is settled apart; a service file could change everything behind the configuration's back.
  constexpr std::string_view kNotFromUrl[] = {"host",       "hostaddr",        "port",       "user",
                                              "password",   "dbname",          "service",    "options",
                                              "gssencmode", "connect_timeout", "replication"};
  std::vector<std::pair<std::string, std::string>> parameters;
  const auto add = [&](std::string keyword, std::string_view value) {
    if (!value.empty()) parameters.emplace_back(std::move(keyword), value);
  };
  const auto either = [&](std::string_view value, std::string_view name) {
    return value.empty() ? url.parameter(name) : value;
  };
  add("user", either(url.user, "user"));
  add("password", either(url.password, "password"));
  add("dbname", either(std::string_view(url.path).substr(url.path.empty() ? 0 : 1), "dbname"));
  add("gssencmode", "disable");  // Kerberos asks its servers with blocking calls
  add("application_name", either("", "application_name").empty() ? "gatehouse-health" : "");
  if (libpq() == nullptr) return parameters;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> known(libpq()->conndefaults(),
                                                                             libpq()->conninfoFree);
  for (const PQconninfoOption* option = known.get(); option != nullptr && option->keyword != nullptr; ++option)
    if (std::find(std::begin(kNotFromUrl), std::end(kNotFromUrl), option->keyword) == std::end(kNotFromUrl))
      add(option->keyword, url.parameter(option->keyword));
  return parameters;
}

std::string_view sqlstate_in(std::string_view message) noexcept {
  constexpr std::size_t kLength = 5;
  while (message.ends_with('\n') || message.ends_with(' ')) message.remove_suffix(1);
  if (message.size() < kLength) return {};
  const std::string_view state = message.substr(message.size() - kLength);
  const bool alone = message.size() == kLength || message[message.size() - kLength - 1] == ' ';
  const bool digits =
      std::all_of(state.begin(), state.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  const bool one_digit = std::any_of(state.begin(), state.end(), [](char c) { return c >= '0' && c <= '9'; });
  return alone && digits && one_digit ? state : std::string_view{};
}

std::string explain_sqlstate(std::string_view state) {
  if (state == "28P01" || state == "28000")
    return "refuses the credentials, or this host (SQLSTATE " + std::string(state) + ")";
  if (state == "3D000") return "has no such database (SQLSTATE 3D000)";
  if (state == "53300") return "has no connection left (SQLSTATE 53300)";
  if (state == "57P03") return "is starting or stopping (SQLSTATE 57P03)";
  if (state == "57P01" || state == "57P02") return "is stopping (SQLSTATE " + std::string(state) + ")";
  if (state.empty()) return "answered with an error";
  return "answered with an error (SQLSTATE " + std::string(state) + ")";
}

}  // namespace gatehouse::health
