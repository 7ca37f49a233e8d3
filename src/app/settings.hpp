// The configuration as the parts of the request path want it.
#pragma once

#include "config/config.hpp"
#include "net/endpoint.hpp"
#include "net/tls_context.hpp"
#include "observe/logging.hpp"
#include "proxy/recorder.hpp"
#include "proxy/settings.hpp"
#include "upstream/cluster.hpp"
#include "upstream/prober.hpp"

namespace gatehouse {

proxy::ServingSettings serving_settings(const Config& config);
// Of route number `index`, or of what no route matches.
proxy::RouteSettings route_settings(const Config& config, std::optional<std::size_t> index);
// Of one address of the app.
upstream::ClusterSettings cluster_settings(const Upstream& upstream, const Address& address);
// All addresses, for a person.
std::string describe(const Upstream& upstream);
// The pool that serves after a start.
const UpstreamPool& active_pool(const Upstream& upstream);
upstream::ProberSettings prober_settings(const Config& config);
LoggingOptions logging_options(const Log& log);
LogLevels log_levels(const Log& log);
RedactOptions redact_options(const Redact& redact);
net::TlsSettings tls_settings(const ListenerTls& tls);
proxy::RecorderSettings recorder_settings(const Config& config);
// The loader has checked that the address is a literal that fits.
net::Endpoint endpoint_of(const Address& address);

}  // namespace gatehouse
