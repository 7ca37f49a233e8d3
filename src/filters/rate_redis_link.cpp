#include "filters/rate_redis_link.hpp"

#include "filters/rate_redis_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <random>
#include <vector>

namespace gatehouse {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kReadBuffer = 16384;
constexpr Clock::duration kFirstPause = 100ms;
constexpr Clock::duration kLongestPause = 5s;
// A connection on which nothing has come back for so long is taken for dead.
constexpr Clock::duration kStall = 1s;

// What the reader and the writer of one connection share; both are over before it goes.
struct Connection {
  Connection(std::unique_ptr<RedisStream> opened, asio::any_io_executor executor)
      : stream(std::move(opened)), wake(executor, Clock::time_point::max()) {}

  void close() noexcept {
    closed = true;
    stream->close();
    wake.cancel();
  }

  std::unique_ptr<RedisStream> stream;
  RedisReplies replies;
  asio::steady_timer wake;  // cancelled when there is something to write
  std::string outgoing;
  std::string script_sha;
  bool closed = false;
};

// A request that waits: for the connection, then for its answer.
struct Waiter {
  explicit Waiter(asio::any_io_executor executor, std::span<RateRedisAnswer> to_fill)
      : timer(executor), answers(to_fill) {}

  void wake(error_code with) {
    outcome = with;
    timer.cancel();
  }

  asio::steady_timer timer;
  std::span<RateRedisAnswer> answers;
  std::optional<error_code> outcome;
};

struct InFlight {
  Waiter* waiter;  // null: it has given up, its answer is read and dropped
  Clock::time_point sent;
};

}  // namespace

struct RedisLink::State {
  enum class Phase : std::uint8_t { kIdle, kConnecting, kUp, kAway };

  Settings settings;
  OnEvent on_event;
  Phase phase = Phase::kIdle;
  bool stopped = false;
  bool told_away = false;
  std::vector<Waiter*> arriving;  // until there is a connection
  std::deque<InFlight> in_flight;
  // Both live in coroutines; these go when those do.
  std::weak_ptr<Connection> connection;
  asio::steady_timer* pause = nullptr;

  void forget(Waiter& waiter) noexcept {
    std::erase(arriving, &waiter);
    for (auto& entry : in_flight)
      if (entry.waiter == &waiter) entry.waiter = nullptr;
  }
  void arrived() {
    for (Waiter* const waiter : std::exchange(arriving, {})) waiter->wake({});
  }
  void lose(error_code error) {
    for (Waiter* const waiter : std::exchange(arriving, {})) waiter->wake(make_error_code(errc::unreachable));
    for (const InFlight& entry : std::exchange(in_flight, {}))
      if (entry.waiter != nullptr) entry.waiter->wake(error);
  }
  void tell(const std::string& what) const {
    if (on_event) on_event("rate limits: Redis at " + where() + ' ' + what);
  }
  std::string where() const {
    const RedisAddress& address = settings.address;
    return address.unix_path.empty() ? address.host + ':' + std::to_string(address.port) : address.unix_path;
  }
};

namespace {

using State = RedisLink::State;
using StatePtr = std::shared_ptr<State>;
using ConnectionPtr = std::shared_ptr<Connection>;

// Takes the waiter out of the state when its coroutine ends, however it ends.
class Registration {
 public:
  Registration(State& state, Waiter& waiter) noexcept : state_(state), waiter_(waiter) {}
  ~Registration() { state_.forget(waiter_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  State& state_;
  Waiter& waiter_;
};

awaitable<void> write_all(ConnectionPtr connection) {
  std::string writing;
  while (!connection->closed) {
    if (connection->outgoing.empty()) {
      connection->wake.expires_at(Clock::time_point::max());
      co_await connection->wake.async_wait(use_result);
      continue;
    }
    writing.clear();
    writing.swap(connection->outgoing);
    const error_code error = co_await connection->stream->write(asio::buffer(writing));
    if (error) connection->close();
  }
}

std::string why(const error_code& error) {
  if (error == errc::malformed || error == errc::too_large) return "it speaks another protocol";
  return error.message();
}

// Hands each reply to `take` until that returns false or the stream fails.
template <class Take>
awaitable<error_code> read_replies(Connection& connection, Take& take) {
  std::vector<char> buffer(kReadBuffer);
  for (;;) {
    for (;;) {
      const auto reply = connection.replies.next();
      if (!reply) co_return reply.error();
      if (*reply == nullptr) break;
      if (!take(**reply)) co_return error_code{};
    }
    const auto more = co_await connection.stream->read_some(asio::buffer(buffer));
    if (!more) co_return more.error();
    const error_code error = connection.replies.feed({buffer.data(), *more});
    if (error) co_return error;
  }
}

// Logs in, chooses the database and leaves the script there.
struct Greeting {
  std::size_t expected = 0;
  std::string refusal;
  std::string script_sha;

  bool operator()(const RedisReply& reply) {
    if (reply.kind == RedisReply::Kind::kError) refusal = reply.error_code();
    script_sha = reply.text;
    return --expected > 0 && refusal.empty();
  }
};

std::string greet(const RedisAddress& address, Greeting& greeting) {
  std::string commands;
  const auto add = [&](std::initializer_list<std::string_view> words) {
    append_redis_command(commands, {words.begin(), words.size()});
    ++greeting.expected;
  };
  const std::string& password = address.password.reveal();
  if (!address.user.empty())
    add({"AUTH", address.user, password});
  else if (!password.empty())
    add({"AUTH", password});
  if (address.database != 0) add({"SELECT", std::to_string(address.database)});
  add({"SCRIPT", "LOAD", rate_script()});
  return commands;
}

struct Opened {
  ConnectionPtr connection;
  std::string failure;
};

awaitable<Opened> open(RedisLink::Settings settings) {
  auto stream = co_await connect_redis(settings.address, settings.ca_file);
  if (!stream) co_return Opened{nullptr, "cannot be reached: " + stream.error().message()};
  const auto executor = co_await asio::this_coro::executor;
  auto connection = std::make_shared<Connection>(std::move(*stream), executor);
  Greeting greeting;
  const auto commands = greet(settings.address, greeting);
  error_code error = co_await connection->stream->write(asio::buffer(commands));
  if (!error) error = co_await read_replies(*connection, greeting);
  if (error) co_return Opened{nullptr, "does not answer: " + why(error)};
  if (!greeting.refusal.empty()) co_return Opened{nullptr, "refuses us: " + greeting.refusal};
  connection->script_sha = std::move(greeting.script_sha);
  co_return Opened{std::move(connection), {}};
}

awaitable<Opened> open_in_time(const StatePtr& state, asio::steady_timer& timer) {
  using namespace asio::experimental::awaitable_operators;
  timer.expires_after(state->settings.connect_timeout);
  auto opening = open(state->settings);
  auto expiry = timer.async_wait(use_result);
  auto race = std::move(opening) || std::move(expiry);
  auto winner = co_await std::move(race);
  if (winner.index() == 0) co_return std::get<0>(std::move(winner));
  co_return Opened{nullptr, "cannot be reached in time"};
}

// Hands the replies to those who wait for them, in order.
struct Answering {
  State& state;
  std::string failure;

  bool operator()(const RedisReply& reply) {
    if (state.in_flight.empty()) {
      failure = "answers what nobody asked";
      return false;
    }
    if (reply.kind == RedisReply::Kind::kError) {
      // A replica, a script that was flushed, no memory: a new connection finds out, and finds another server.
      failure = "refuses us: " + std::string(reply.error_code());
      return false;
    }
    Waiter* const waiter = state.in_flight.front().waiter;
    state.in_flight.pop_front();
    if (waiter == nullptr) return true;
    const auto read = read_rate_answers(reply, waiter->answers);
    waiter->wake(read ? error_code{} : read.error());
    return true;
  }
};

awaitable<std::string> serve(const StatePtr& state, ConnectionPtr connection) {
  const auto executor = co_await asio::this_coro::executor;
  const auto writer_ended = [connection](const std::exception_ptr& failure) {
    if (failure) connection->close();
  };
  asio::co_spawn(executor, write_all(connection), writer_ended);
  Answering answering{*state, {}};
  const error_code error = co_await read_replies(*connection, answering);
  connection->close();
  if (answering.failure.empty()) answering.failure = "is given up: " + why(error);
  co_return std::move(answering.failure);
}

// A pause in which it makes no sense to ask.
awaitable<void> rest(const StatePtr& state, asio::steady_timer& timer, Clock::duration pause) {
  state->phase = State::Phase::kAway;
  // Many sidecars that lose one Redis must not come back in the same moment.
  std::minstd_rand random(static_cast<std::uint32_t>(Clock::now().time_since_epoch().count()));
  timer.expires_after(pause / 2 + pause * (random() % 512) / 1024);
  co_await timer.async_wait(use_result);
}

// Lets the link's owner interrupt a pause.
class PauseScope {
 public:
  PauseScope(State& state, asio::steady_timer& timer) noexcept : state_(state) { state_.pause = &timer; }
  ~PauseScope() { state_.pause = nullptr; }
  PauseScope(const PauseScope&) = delete;
  PauseScope& operator=(const PauseScope&) = delete;

 private:
  State& state_;
};

awaitable<void> run(StatePtr state) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const PauseScope scope(*state, timer);
  auto pause = kFirstPause;
  while (!state->stopped) {
    state->phase = State::Phase::kConnecting;
    Opened opened = co_await open_in_time(state, timer);
    if (opened.connection != nullptr && !state->stopped) {
      state->connection = opened.connection;
      state->phase = State::Phase::kUp;
      if (std::exchange(state->told_away, false)) state->tell("is back");
      state->arrived();
      const auto began = Clock::now();
      opened.failure = co_await serve(state, std::move(opened.connection));
      if (Clock::now() - began > kStall) pause = kFirstPause;
    }
    state->phase = State::Phase::kAway;
    state->lose(make_error_code(errc::closed));
    if (state->stopped) break;
    if (!std::exchange(state->told_away, true)) state->tell(opened.failure);
    co_await rest(state, timer, pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace

RedisLink::RedisLink(Settings settings, OnEvent on_event) : state_(std::make_shared<State>()) {
  state_->settings = std::move(settings);
  state_->on_event = std::move(on_event);
}

RedisLink::~RedisLink() {
  state_->stopped = true;
  state_->on_event = {};
  if (const auto connection = state_->connection.lock()) connection->close();
  if (state_->pause != nullptr) state_->pause->cancel();
}

bool RedisLink::may_answer() const noexcept { return state_->phase != State::Phase::kAway && !state_->told_away; }

awaitable<error_code> RedisLink::ask(std::span<const RateRedisAsk> asks, std::span<RateRedisAnswer> answers,
                                     RateTime deadline) {
  const StatePtr state = state_;
  const auto executor = co_await asio::this_coro::executor;
  if (state->phase == State::Phase::kIdle) {
    state->phase = State::Phase::kConnecting;
    const auto ended = [state](const std::exception_ptr& failure) {
      state->phase = State::Phase::kAway;
      state->lose(make_error_code(errc::closed));
      if (failure) state->tell("is not asked any more: an internal error");
    };
    asio::co_spawn(executor, run(state), ended);
  }
  // Only the first questions wait for a connection: once it is known to be away, requests do not pay for looking again.
  if (!may_answer()) co_return make_error_code(errc::unreachable);
  Waiter waiter(executor, answers);
  const Registration registration(*state, waiter);
  waiter.timer.expires_at(deadline);
  if (state->phase == State::Phase::kConnecting) {
    state->arriving.push_back(&waiter);
    co_await waiter.timer.async_wait(use_result);
    if (!waiter.outcome) co_return make_error_code(errc::timeout);
    if (*waiter.outcome) co_return *waiter.outcome;
    waiter.outcome.reset();
    waiter.timer.expires_at(deadline);
  }
  const auto connection = state->connection.lock();
  if (state->phase != State::Phase::kUp || connection == nullptr) co_return make_error_code(errc::unreachable);
  if (state->in_flight.size() >= state->settings.max_waiting) co_return make_error_code(errc::exhausted);
  const auto now = Clock::now();
  if (!state->in_flight.empty() && state->in_flight.front().sent + kStall < now) connection->close();
  append_rate_question(connection->outgoing, connection->script_sha, asks);
  state->in_flight.push_back({&waiter, now});
  connection->wake.cancel();
  co_await waiter.timer.async_wait(use_result);
  co_return waiter.outcome ? *waiter.outcome : make_error_code(errc::timeout);
}

}  // namespace gatehouse
