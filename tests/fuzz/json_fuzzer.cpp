// Every line that is written is one line of valid JSON, whatever comes in: log lines, access records, wrapped output of
// the application.
#include "observe/access_record.hpp"
#include "observe/app_log.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace {

using namespace gatehouse;

void require_json_lines(std::string_view out) {
  while (!out.empty()) {
    const std::size_t end = out.find('\n');
    if (end == std::string_view::npos) std::abort();
    boost::system::error_code error;
    boost::json::parse(out.substr(0, end), error);
    if (error) std::abort();
    out.remove_prefix(end + 1);
  }
}

std::string_view part(std::string_view text, std::size_t index, std::size_t count) {
  const std::size_t size = text.size() / count;
  return text.substr(index * size, size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto redactor = Redactor::standard();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string out;

  const LogField fields[] = {{part(text, 0, 3), part(text, 1, 3)}, {part(text, 2, 3), 17}, {"password", text}};
  write_log_line({{}, "info", part(text, 1, 2), text, fields}, LogFormat::kJson, *redactor, out);

  AccessRecord record;
  record.method = record.authority = record.request_id = record.client_address = part(text, 0, 2);
  record.path = record.referer = text;
  record.query = record.user_agent = part(text, 1, 2);
  AccessFormat format;
  format.fields = AccessFields::kFull;
  write_access_record(record, format, *redactor, out);
  require_json_lines(out);

  format.format = LogFormat::kText;
  out.clear();
  write_access_record(record, format, *redactor, out);
  if (out.find('\n') != out.size() - 1) std::abort();

  AppLog log(redactor, AppLogForm::kJsonLines, [] { return std::chrono::system_clock::time_point{}; });
  out.clear();
  for (std::size_t i = 0; i < text.size(); i += 13) log.feed(text.substr(i, 13), out);
  log.finish(out);
  require_json_lines(out);
  return 0;
}
