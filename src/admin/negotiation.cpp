#include "admin/negotiation.hpp"

#include "http/syntax.hpp"

#include <algorithm>
#include <zlib.h>

namespace gatehouse::admin {
namespace {

// `;q=0.5` among the parameters of a list element, in thousandths; 1000 where it is not there.
int quality(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const auto parameter = http::trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.size() < 3 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') continue;
    int thousandths = parameter[2] == '1' ? 1000 : 0;
    int place = 100;
    for (std::size_t i = 4; i < parameter.size() && place != 0; ++i, place /= 10)
      if (parameter[i] >= '0' && parameter[i] <= '9') thousandths += (parameter[i] - '0') * place;
    return std::min(thousandths, 1000);
  }
  return 1000;
}

// The best quality that the list gives to `name`; -1 where it does not name it.
int best(std::string_view list, std::string_view name) {
  int found = -1;
  http::for_each_element(list, [&](std::string_view element) {
    const std::size_t end = std::min(element.find(';'), element.size());
    if (equals_ignoring_case(http::trim(element.substr(0, end)), name)) found = std::max(found, quality(element.substr(std::min(end + 1, element.size()))));
    return true;
  });
  return found;
}

}  // namespace

MetricsFormat wanted_format(const Headers& headers) {
  const auto accept = headers.joined(FieldId::accept, ", ");
  const int open = best(accept, "application/openmetrics-text");
  return open > 0 && open >= best(accept, "text/plain") ? MetricsFormat::kOpenMetrics : MetricsFormat::kText;
}

std::string_view content_type(MetricsFormat format) noexcept {
  return format == MetricsFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
}

bool wants_gzip(const Headers& headers) {
  const Field* const field = headers.find("accept-encoding");
  return field != nullptr && best(field->value, "gzip") > 0;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // zlib.h, deflateInit2: the largest window, with gzip's header
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

}  // namespace gatehouse::admin
