// The first byte picks how a canary is written, the rest is what stands before it: the canary never comes out, in one
// piece or cut anywhere, redacting twice changes nothing, and JSON stays JSON.
#include "observe/redact_stream.hpp"
#include "unit/observe/planted_secrets.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace {

using namespace gatehouse;

const Redactor& redactor() {
  static const auto standard = Redactor::standard();
  return *standard;
}

std::string redacted(std::string_view text) {
  std::string scratch;
  return std::string(redactor().text(text, scratch));
}

std::string streamed(std::string_view text, std::size_t piece) {
  static const auto standard = Redactor::standard();
  RedactStream stream(standard);
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += piece) stream.feed(text.substr(i, piece), out);
  stream.finish(out);
  return out;
}

bool is_json(std::string_view text) {
  boost::system::error_code error;
  boost::json::parse(text, error);
  return !error;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view noise(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (noise.find(kCanary) != std::string_view::npos) return 0;
  const std::string once = redacted(noise);
  require(redacted(once) == once);
  if (is_json(noise)) require(is_json(once));

  const std::string text = std::string(noise) + "\n" + kPlanted[data[0] % std::size(kPlanted)].text() + "\nnext line\n";
  require(redacted(text).find(kCanary) == std::string::npos);
  require(streamed(text, 1 + data[1]).find(kCanary) == std::string::npos);

  std::string scratch;
  redactor().query(noise, scratch);
  redactor().url(noise, scratch);
  redactor().path(noise, "/{token}/x", scratch);
  redactor().header("set-cookie", noise, scratch);
  redactor().header("authorization", noise, scratch);
  return 0;
}
