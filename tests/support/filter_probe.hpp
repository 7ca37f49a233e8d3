// One exchange for the tests of a filter: a request composed field by field, an answer of the app's, and what the
// filter makes of both; and the settings of a filter from YAML.
#pragma once

#include "config/load.hpp"

#include <gatehouse/filter.hpp>

#include <string>
#include <utility>
#include <vector>

namespace gatehouse::test {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

class FilterProbe {
 public:
  explicit FilterProbe(Method method = Method::kGet, std::string_view path = "/") {
    exchange.request().method = method;
    exchange.request().path = path;
    exchange.request().authority = "api.example.com";
  }
  FilterProbe& with(std::string_view name, std::string_view value) {
    exchange.request().headers.add(name, value);
    return *this;
  }
  FilterProbe& host(std::string_view authority) {
    exchange.request().authority = authority;
    return *this;
  }
  FilterProbe& over_tls() {
    exchange.client_scheme = Scheme::kHttps;
    return *this;
  }

  // What the client gets where the app would answer with this.
  Response answer(const HeaderFilter& filter, const Fields& fields = {}, int status = 200) {
    if (auto own = filter.on_request(exchange)) return *own;
    Response response(arena);
    response.status = status;
    for (const auto& [name, value] : fields) response.headers.add(name, value);
    filter.on_response(exchange, response);
    return response;
  }
  // What the client gets where something further in refuses.
  Response refusal(const HeaderFilter& filter, int status) {
    if (auto own = filter.on_request(exchange)) return *own;
    Response response = exchange.refuse(status, "Refused", "refused_by_a_test", ResponseFlag::kLocal);
    filter.on_response(exchange, response);
    return response;
  }

  Arena arena;
  Exchange exchange{arena};
};

// All values of a field, in order.
inline std::vector<std::string> all(const Response& response, std::string_view name) {
  std::vector<std::string> values;
  for (const Field& field : response.headers)
    if (equals_ignoring_case(field.name, name)) values.emplace_back(field.value);
  return values;
}
// The value of a field; "(absent)" or "(twice)" where it is not there exactly once.
inline std::string one(const Response& response, std::string_view name) {
  const auto values = all(response, name);
  return values.size() == 1 ? values.front() : values.empty() ? "(absent)" : "(twice)";
}

// What `read` makes of the section as written in `yaml`; the mistakes as text where there are some.
template <class Read>
auto read_section(std::string_view yaml, const Section& declared, Read read) {
  LoadResult loaded =
      load_config("upstream: http://127.0.0.1:8000\n" + std::string(yaml), "test.yaml", {&declared, 1}, {});
  std::string problems;
  for (const Mistake& mistake : loaded.mistakes()) problems += to_string(mistake) + "\n";
  if (!loaded) throw std::runtime_error(problems);
  Mistakes mistakes("test.yaml");
  OptionsReader reader = section(*loaded, declared.spec.name, mistakes);
  return read(reader);
}
// Every mistake in that YAML, one a line; empty where there is none.
inline std::string mistakes_in(std::string_view yaml, const Section& declared) {
  const LoadResult loaded =
      load_config("upstream: http://127.0.0.1:8000\n" + std::string(yaml), "test.yaml", {&declared, 1}, {});
  std::string problems;
  for (const Mistake& mistake : loaded.mistakes()) problems += to_string(mistake) + "\n";
  return problems;
}

}  // namespace gatehouse::test
