#include "filters/security_headers_names.hpp"

#include <gatehouse/message.hpp>

namespace gatehouse {
namespace {

constexpr std::size_t low(char c) noexcept { return static_cast<unsigned char>(c) | 0x20u; }

// Names of one family share their front, so the middle and the end tell them apart.
std::size_t hash(std::string_view name) noexcept {
  const std::size_t size = name.size();
  return size * 7 + low(name[size / 2]) * 131 + low(name[size - 1]) * 31 + low(name[size * 3 / 4]) * 513 + low(name[0]);
}

constexpr std::string_view kFingerprints[] = {
    "$wsep",
    "host-header",
    "k-proxy-request",
    "liferay-portal",
    "oraclecommercecloud-version",
    "pega-host",
    "powered-by",
    "product",
    "server",
    "sourcemap",
    "teamcity-node-id",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-atmosphere-error",
    "x-atmosphere-first-request",
    "x-atmosphere-tracking-id",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-backside-transport",
    "x-beserver",
    "x-calculatedbetarget",
    "x-cf-powered-by",
    "x-cms",
    "x-cocoon-version",
    "x-content-encoded-by",
    "x-datadog-origin",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "x-datadog-trace-id",
    "x-diaginfo",
    "x-dtagentid",
    "x-dthealthcheck",
    "x-dtinjectedservlet",
    "x-envoy-attempt-count",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-original-dst-host",
    "x-envoy-upstream-service-time",
    "x-feserver",
    "x-framework",
    "x-generated-by",
    "x-generator",
    "x-gitlab-meta",
    "x-jitsi-release",
    "x-joomla-version",
    "x-kong-admin-latency",
    "x-kong-client-latency",
    "x-kong-proxy-latency",
    "x-kong-request-id",
    "x-kong-response-latency",
    "x-kong-third-party-latency",
    "x-kong-total-latency",
    "x-kong-upstream-latency",
    "x-kong-upstream-status",
    "x-kubernetes-pf-flowschema-ui",
    "x-kubernetes-pf-flowschema-uid",
    "x-kubernetes-pf-prioritylevel-uid",
    "x-litespeed-cache",
    "x-litespeed-cache-control",
    "x-litespeed-purge",
    "x-litespeed-tag",
    "x-litespeed-vary",
    "x-mod-pagespeed",
    "x-nextjs-cache",
    "x-nextjs-matched-path",
    "x-nextjs-page",
    "x-nextjs-redirect",
    "x-old-content-length",
    "x-oneagent-js-injection",
    "x-owa-version",
    "x-page-speed",
    "x-php-version",
    "x-powered-by",
    "x-powered-by-plesk",
    "x-powered-cms",
    "x-redirect-by",
    "x-ruxit-js-agent",
    "x-server-powered-by",
    "x-sourcefiles",
    "x-sourcemap",
    "x-turbo-charged-by",
    "x-tyk-trace-id",
    "x-umbraco-version",
    "x-varnish-backend",
    "x-varnish-server",
    "x-woodpecker-version",
};

}  // namespace

std::span<const std::string_view> fingerprint_names() noexcept { return kFingerprints; }

FieldNameTable::FieldNameTable() : slots_(16) {}

void FieldNameTable::put(std::string_view name, std::uint8_t number) {
  if (name.empty()) return;
  if ((used_ + 1) * 2 > slots_.size()) grow();
  std::size_t at = hash(name) & (slots_.size() - 1);
  while (!slots_[at].name.empty() && !equals_ignoring_case(slots_[at].name, name)) at = (at + 1) & (slots_.size() - 1);
  if (slots_[at].name.empty()) ++used_;
  slots_[at].name = name;
  for (char& c : slots_[at].name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  slots_[at].number = number;
}

void FieldNameTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  used_ = 0;
  for (const Slot& slot : old) put(slot.name, slot.number);
}

std::uint8_t FieldNameTable::find(std::string_view name) const noexcept {
  if (name.empty()) return kAbsent;
  std::size_t at = hash(name) & (slots_.size() - 1);
  while (!slots_[at].name.empty()) {
    if (equals_ignoring_case(slots_[at].name, name)) return slots_[at].number;
    at = (at + 1) & (slots_.size() - 1);
  }
  return kAbsent;
}

}  // namespace gatehouse
