#include "admin/status_page.hpp"

#include "http/address.hpp"
#include "observe/json_writer.hpp"

#include <gatehouse/message.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <openssl/evp.h>

namespace gatehouse::admin {
namespace {

// As a policy names a script or a style (CSP 3, 2.3.1).
std::string hash_source(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
  return "'sha256-" + std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)) + "'";
}

void put(std::string& page, std::string_view place, std::string_view content) {
  const std::size_t at = page.find(place);
  if (at != std::string::npos) page.replace(at, place.size(), content);
}

}  // namespace

StatusPage make_status_page() {
  StatusPage page;
  page.html = kStatus_html;
  put(page.html, "@@style@@", kStatus_css);
  put(page.html, "@@script@@", kStatus_js);
  page.policy = "default-src 'none'; script-src " + hash_source(kStatus_js) + "; style-src " + hash_source(kStatus_css) +
                "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                "require-trusted-types-for 'script'; trusted-types 'none'";
  return page;
}

std::string errors_json(std::vector<observe::RecentError> errors, std::size_t most) {
  std::sort(errors.begin(), errors.end(), [](const auto& a, const auto& b) { return a.time > b.time; });
  if (errors.size() > most) errors.resize(most);
  std::string out = "[";
  for (const observe::RecentError& error : errors) {
    if (out.back() == '}') out += ',';
    JsonWriter json(out);
    json.time("time", error.time);
    json.number("status", error.status);
    json.text("method", error.method);
    json.text("path", error.path);
    json.text("route", error.route);
    json.text("reason", error.reason);
    json.text("decided_by", error.sidecar ? "sidecar" : "origin");
    json.text("request_id", error.request_id);
    json.seconds("duration", error.duration);
    json.finish();
    out.pop_back();  // the end of the line
  }
  return out + "]";
}

bool host_is_ours(std::string_view authority, bool peer_is_local) noexcept {
  if (!peer_is_local) return true;
  std::string_view host = authority;
  if (host.starts_with('[')) return true;
  if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos) host = host.substr(0, colon);
  constexpr std::string_view kLocal = "localhost";
  if (host.size() >= kLocal.size() && equals_ignoring_case(host.substr(host.size() - kLocal.size()), kLocal))
    return host.size() == kLocal.size() || host[host.size() - kLocal.size() - 1] == '.';
  return parse_address(host).has_value();
}

}  // namespace gatehouse::admin
