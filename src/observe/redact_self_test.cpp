#include "observe/redact_self_test.hpp"

#include "observe/access_record.hpp"
#include "observe/app_log.hpp"
#include "observe/log_line.hpp"

#include <functional>
#include <utility>

namespace gatehouse {
namespace {

// Assembled here, so that neither the sources nor the program hold anything that looks like a credential.
std::string filled(std::string prefix, std::size_t size) {
  constexpr std::string_view letters = "c4N4ryc4N4Ry0c4naRy1c4Nary2cAn4ry3C4nary4";
  for (std::size_t i = 0; i < size; ++i) prefix += letters[i % letters.size()];
  return prefix;
}

constexpr std::string_view kWord = "canary-5up3rs3cret";

struct Canary {
  std::string kind;
  std::string secret;  // what must not come out
  std::string text;    // how it stands in a line
};

struct ProviderKey {
  const char* kind;
  const char* prefix;
  std::size_t size;
};

// Letters and digits alone, capitals: what the alphabets of all of them allow.
std::string provider_key(const char* prefix, std::size_t size) {
  constexpr std::string_view letters = "C4N4RYQ7W2E5T3U6P5A2S7D4F3G6H5J2K7L4Z3X6V5B2M7";
  return prefix + std::string(letters.substr(0, size));
}

std::vector<Canary> canaries() {
  const std::string word(kWord);
  const std::string jwt =
      filled("ey", 0) + filled("J", 20) + "." + filled("ey", 0) + filled("J", 30) + "." + filled("", 20);
  const std::string key = filled("", 48);
  std::vector<Canary> list;
  list.push_back({"a password in JSON", word, R"({"user":"ann","password":")" + word + "\"}"});
  list.push_back({"a password in JSON inside JSON", word, R"({"body":"{\"password\":\")" + word + "\\\"}\"}"});
  list.push_back({"a password in a form", word, "user=ann&password=" + word + "&remember=1"});
  list.push_back({"an API key in a header", word, "X-Api-Key: " + word});
  list.push_back({"a bearer token", key, "Authorization: Bearer " + key});
  list.push_back({"a session cookie", word, "Cookie: theme=dark; sid=" + word});
  list.push_back({"a JSON web token", jwt, "token was " + jwt});
  list.push_back({"a provider's key",
                  filled("ghp"
                         "_",
                         36),
                  "used " + filled("ghp"
                                   "_",
                                   36)});
  for (const auto& [kind, prefix, size] : {ProviderKey{"an AWS key", "AK" "IA", 16}, {"a Stripe key", "sk_" "live_", 24},
                                           {"a GitLab token", "glp" "at-", 20}, {"an npm token", "np" "m_", 36},
                                           {"a Google key", "AI" "za", 35}})
    list.push_back({kind, provider_key(prefix, size), "used " + provider_key(prefix, size) + " for it"});
  list.push_back({"basic credentials", key, "Proxy-Authorization: Basic " + key});
  list.push_back({"a password in a traceback", word, "Traceback (most recent call last):\n  File \"a.py\"\nValueError: password='" + word + "'"});
  list.push_back({"a private key", key,
                  "-----BEGIN PRIV"
                  "ATE KEY-----\n" +
                      key +
                      "\n-----END PRIV"
                      "ATE KEY-----"});
  list.push_back({"a payment card",
                  "4242"
                  "4242"
                  "4242"
                  "4242",
                  "paid with 4242"
                  "4242"
                  "4242"
                  "4242"});
  list.push_back({"a password in a URL", word, "cannot connect to postgres://app:" + word + "@db/app"});
  return list;
}

}  // namespace

SelfTestResult redaction_self_test(const Redactor& redactor, std::span<const std::string> names) {
  std::vector<Canary> all = canaries();
  for (const std::string& name : names) {
    const std::string word(kWord);
    all.push_back({"log.redact: the value of \"" + name + '"', word, "id=1 " + name + "=" + word + " ok"});
    all.push_back({"log.redact: the value of \"" + name + "\" in JSON", word, "{\"" + name + "\":\"" + word + "\"}"});
  }
  std::vector<std::string> leaks;
  const auto check = [&](const Canary& canary, std::string_view way, std::string_view out) {
    if (out.find(canary.secret) != std::string_view::npos)
      leaks.push_back(canary.kind + " comes out of " + std::string(way));
  };
  std::string out;
  for (const Canary& canary : all) {
    for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
      const std::string_view name = format == LogFormat::kJson ? "JSON" : "text";
      out.clear();
      write_log_line({{}, "debug", "self", canary.text, {}}, format, redactor, out);
      check(canary, std::string("a log line as ").append(name), out);

      const LogField fields[] = {{"error", canary.text}, {"api_key", canary.secret}};
      out.clear();
      write_log_line({{}, "error", "self", "failed", fields}, format, redactor, out);
      check(canary, std::string("a field of a log line as ").append(name), out);

      // As log.bodies has it: redacted as a whole, then a field that may be long.
      std::string scratch;
      const std::string body(redactor.text(canary.text, scratch));
      const LogField bodies[] = {{"body", body}};
      LogLine logged{{}, "debug", "bodies", "request body", bodies};
      logged.value_limit = std::size_t{64} << 10;
      out.clear();
      write_log_line(logged, format, redactor, out);
      check(canary, std::string("a logged body as ").append(name), out);

      AccessRecord record;
      record.method = "GET";
      record.path = canary.text;
      record.user_agent = record.referer = record.request_id = record.authority = canary.text;
      const std::string query = "page=1&access_token=" + canary.secret;
      record.query = query;
      Arena arena;
      Headers headers(arena);
      headers.add_view("authorization", canary.secret);
      headers.add_view("cookie", canary.secret);
      headers.add_view("x-debug", canary.text);
      record.request_headers = &headers;
      AccessFormat access;
      access.fields = AccessFields::kFull;
      access.format = format;
      access.request_headers = {"authorization", "cookie", "x-debug"};
      out.clear();
      write_access_record(record, access, redactor, out);
      check(canary, std::string("an access record as ").append(name), out);
    }
    for (const AppLogForm form : {AppLogForm::kAsWritten, AppLogForm::kJsonLines}) {
      AppLog app(std::shared_ptr<const Redactor>(std::shared_ptr<const Redactor>(), &redactor), form);
      out.clear();
      // In two pieces, as a pipe may bring it.
      const std::size_t half = canary.text.size() / 2;
      app.feed(std::string_view(canary.text).substr(0, half), out);
      app.feed(std::string_view(canary.text).substr(half), out);
      app.feed("\n", out);
      app.finish(out);
      check(canary, form == AppLogForm::kAsWritten ? "the app's output" : "the app's output as JSON", out);
    }
  }
  return {all.size(), std::move(leaks)};
}

}  // namespace gatehouse
