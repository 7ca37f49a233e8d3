// Field lines between a good request line and the end of the head: whoever reads them again finds the same fields. The
// second reader here divides at line ends and first colons and knows nothing else.
#include "fuzzing.hpp"
#include "http/h1_parser.hpp"
#include "http/hop_by_hop.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace gatehouse;
using namespace gatehouse::http;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs simple_reading(std::string_view lines) {
  Pairs pairs;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const auto line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    require(end != std::string_view::npos && colon != std::string_view::npos,
            "an accepted line has an end and a colon");
    pairs.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    lines.remove_prefix(end + 2);
  }
  return pairs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string lines(reinterpret_cast<const char*>(data), size);
  const std::string head = "HTTP/1.1 200 OK\r\n" + lines + "\r\n";
  const HeadLimits limits{200, 4000, 50};
  HeadScanner scanner(Side::kResponse);
  const auto found = scanner.scan(head, limits);
  if (found.error || !found.complete || found.end != head.size()) return 0;
  Arena arena;
  Response response(arena);
  ResponseHead out;
  // Of a response all fields are kept, so that they can be compared.
  if (parse_response_head(head, limits, Method::kHead, response, out)) return 0;
  require_clean(response.headers);
  const Pairs expected = simple_reading(lines);
  require(expected.size() == response.headers.size(), "no field is lost or added");
  std::size_t i = 0;
  for (const Field& field : response.headers) {
    require(field.name == expected[i].first && field.value == expected[i].second, "a field reads the same");
    ++i;
  }
  remove_hop_by_hop(response.headers);
  require(response.headers.find(FieldId::connection) == nullptr, "Connection stays here");
  require(response.headers.count(FieldId::set_cookie) ==
              static_cast<std::size_t>(
                  std::count_if(expected.begin(), expected.end(),
                                [](const auto& pair) { return equals_ignoring_case(pair.first, "set-cookie"); })),
          "what Connection names cannot remove a known field");
  return 0;
}
