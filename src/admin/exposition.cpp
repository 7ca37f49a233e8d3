#include "admin/exposition.hpp"

#include <charconv>
#include <cmath>

namespace gatehouse::admin {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// How many bytes the character at the front of `text` has; 0 where it is not valid UTF-8 (Unicode 3.9, table 3-7).
std::size_t character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xC2 && first <= 0xDF ? 2 : first >= 0xE0 && first <= 0xEF ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  return size;
}

void append_escaped_text(std::string& out, std::string_view text, bool quotes) {
  while (!text.empty()) {
    const std::size_t size = character(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (first == '\n')
      out += "\\n";
    else if (first == '\\' || (first == '"' && quotes))
      (out += '\\') += text.front();
    else if (size == 0 || first < 0x20 || first == 0x7f)
      out += kReplacement;
    else
      out += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
}

// Whole numbers as such, all others with as many digits as it takes.
void append_number(std::string& out, double value) {
  char digits[32];
  const bool whole = std::abs(value) < 9007199254740992.0 && std::trunc(value) == value;
  const auto end = whole ? std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value)).ptr
                         : std::to_chars(digits, digits + sizeof digits, value).ptr;
  if (std::isfinite(value))
    out.append(digits, end);
  else
    out += std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

std::string_view type_name(MetricType type, MetricsFormat format) noexcept {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kInfo: return format == MetricsFormat::kOpenMetrics ? "info" : "gauge";
    case MetricType::kHistogram: return "histogram";
  }
  return "unknown";
}

}  // namespace

void HistogramSum::add(const observe::Histogram& histogram) {
  buckets = &histogram.buckets();
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += histogram.bucket(i);
  sum += histogram.sum();
}

void HistogramSum::add(const observe::Exemplars& seen) {
  for (std::size_t i = 0; i < exemplars.size(); ++i) {
    auto exemplar = seen.at(i);
    if (exemplar && (!exemplars[i] || exemplars[i]->time < exemplar->time)) exemplars[i] = std::move(exemplar);
  }
}

std::uint64_t HistogramSum::count() const noexcept {
  std::uint64_t all = 0;
  for (const std::uint64_t one : counts) all += one;
  return all;
}

void Exposition::family(std::string_view name, std::string_view help, MetricType type) {
  name_ = name;
  help_ = help;
  type_ = type;
  announced_ = false;
}

// A family without samples is not told: it would be noise, and to some readers a mistake.
void Exposition::announce() {
  if (announced_) return;
  announced_ = true;
  const bool open = format_ == MetricsFormat::kOpenMetrics;
  std::string_view name = name_;
  // OpenMetrics gives the family's name without what the type adds to it.
  if (open && type_ == MetricType::kCounter) name.remove_suffix(std::string_view("_total").size());
  if (open && type_ == MetricType::kInfo) name.remove_suffix(std::string_view("_info").size());
  ((out_ += "# HELP ") += name) += ' ';
  append_escaped_text(out_, help_, open);
  (((out_ += "\n# TYPE ") += name) += ' ') += type_name(type_, format_);
  out_ += '\n';
  if (!open) return;
  for (const std::string_view unit : {"seconds", "bytes"})
    if (name.size() > unit.size() && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_')
      ((((out_ += "# UNIT ") += name) += ' ') += unit) += '\n';
}

void Exposition::labels(std::string_view text, std::string_view more) {
  if (!text.empty() || !more.empty()) {
    (out_ += '{') += text;
    if (!text.empty() && !more.empty()) out_ += ',';
    (out_ += more) += '}';
  }
  out_ += ' ';
}

void Exposition::number(double value) { append_number(out_, value); }

namespace {

std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    (text += name) += "=\"";
    append_escaped_text(text, value, true);
    text += '"';
  }
  return text;
}

// The bounds are told alike in both formats: `1.0`, which OpenMetrics asks for, and `1` would be two series.
std::string bound_text(const observe::Buckets& buckets, std::size_t index) {
  if (index == observe::kBounds) return "le=\"+Inf\"";
  std::string text = "le=\"";
  append_number(text, static_cast<double>(buckets.bounds[index]) / buckets.unit);
  if (text.find_first_of(".e", 4) == std::string::npos) text += ".0";
  return text + '"';
}

}  // namespace

const std::vector<std::string>& Exposition::bounds(const observe::Buckets& buckets) {
  auto& texts = bounds_[&buckets];
  if (texts.empty())
    for (std::size_t i = 0; i <= observe::kBounds; ++i) texts.push_back(bound_text(buckets, i));
  return texts;
}

void Exposition::sample(const Labels& values, double value) {
  announce();
  out_ += name_;
  labels(label_text(values), {});
  number(value);
  out_ += '\n';
}

void Exposition::histogram(const Labels& values, const HistogramSum& sum) {
  if (sum.buckets == nullptr) return;
  announce();
  const std::string text = label_text(values);
  const auto& limits = bounds(*sum.buckets);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= observe::kBounds; ++i) {
    count += sum.counts[i];
    (out_ += name_) += "_bucket";
    labels(text, limits[i]);
    number(static_cast<double>(count));
    if (format_ == MetricsFormat::kOpenMetrics && sum.exemplars[i]) exemplar(*sum.exemplars[i]);
    out_ += '\n';
  }
  (out_ += name_) += "_sum";
  labels(text, {});
  number(sum.sum);
  ((out_ += '\n') += name_) += "_count";
  labels(text, {});
  number(static_cast<double>(count));
  out_ += '\n';
}

void Exposition::exemplar(const observe::Exemplar& exemplar) {
  ((out_ += " # {trace_id=\"") += exemplar.trace_id) += "\"} ";
  number(exemplar.value);
  out_ += ' ';
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(exemplar.time.time_since_epoch()).count();
  number(static_cast<double>(ms) / 1000);
}

std::string Exposition::finish() {
  if (format_ == MetricsFormat::kOpenMetrics) out_ += "# EOF\n";
  return std::move(out_);
}

}  // namespace gatehouse::admin
