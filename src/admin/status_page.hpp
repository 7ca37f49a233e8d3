// The page for people at `/` of the admin port: one file with its style and script inside, which it names in its policy by their hashes,
// so that nothing else can run. What it shows it reads from /metrics and /health.
#pragma once

#include "observe/recent_errors.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::admin {

// The files beside this one, put in by the build.
extern const std::string_view kStatus_html;
extern const std::string_view kStatus_css;
extern const std::string_view kStatus_js;

struct StatusPage {
  std::string html;
  std::string policy;  // the value of Content-Security-Policy
};

StatusPage make_status_page();

// The newest of them first, at most `most`, as JSON.
std::string errors_json(std::vector<observe::RecentError> errors, std::size_t most = 100);

// Whether the page may be shown for that Host field: an address or localhost, or any name where the client is not on this machine. A page of
// another site whose name leads to 127.0.0.1 (DNS rebinding) could read it otherwise.
bool host_is_ours(std::string_view authority, bool peer_is_local) noexcept;

}  // namespace gatehouse::admin
