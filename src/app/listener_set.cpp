#include "app/listener_set.hpp"

#include "app/file_digest.hpp"
#include "app/settings.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr std::chrono::days kEarlyWarning{14};

}  // namespace

ListenerSet::Plan ListenerSet::plan(const std::vector<Listener>& listeners, std::size_t workers, InheritedSockets& inherited,
                                    Problems& problems) const {
  Plan plan;
  for (const Listener& listener : listeners) {
    Entry& entry = plan.emplace_back();
    entry.listener = listener;
    entry.name = to_string(listener.address);
    load_certificates(entry, problems);
    if (find(entry.name) == nullptr) bind(entry, workers, inherited, problems);
  }
  return plan;
}

ListenerSet::Plan ListenerSet::renew(Problems& problems) const {
  Plan plan;
  for (const Entry& now : current_) {
    Entry& entry = plan.emplace_back();
    entry.listener = now.listener;
    entry.name = now.name;
    load_certificates(entry, problems);
  }
  return plan;
}

std::vector<std::vector<ListenerPlan>> ListenerSet::commit(Plan plan, std::size_t workers) {
  std::uint16_t https_port = 443;
  for (const Entry& entry : plan)
    if (entry.tls) https_port = entry.listener.address.port;
  std::vector<std::vector<ListenerPlan>> told(workers);
  for (std::size_t i = 0; i < workers; ++i)
    for (Entry& entry : plan) {
      ListenerPlan& one = told[i].emplace_back();
      one.name = entry.name;
      one.state.tls = entry.tls;
      one.state.redirect_to_https = entry.listener.redirect_to_https;
      one.state.proxy_protocol = entry.listener.proxy_protocol;
      one.state.https_port = https_port;
      for (std::size_t at = i; at < entry.bound.size(); at += workers) one.descriptors.push_back(entry.bound[at].release());
    }
  for (Entry& entry : plan) entry.bound.clear();
  current_ = std::move(plan);
  return told;
}

std::vector<net::TlsContext::Certificate> ListenerSet::certificates() const {
  std::vector<net::TlsContext::Certificate> all;
  for (const Entry& entry : current_)
    if (entry.tls) all.insert(all.end(), entry.tls->certificates().begin(), entry.tls->certificates().end());
  return all;
}

std::vector<std::string> ListenerSet::expiring(std::chrono::system_clock::time_point now) const {
  std::vector<std::string> sentences;
  for (const net::TlsContext::Certificate& certificate : certificates()) {
    const auto left = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(certificate.not_after)) - now);
    if (left < kEarlyWarning)
      sentences.push_back("the certificate for " + certificate.names +
                          (left.count() < 0 ? " has expired" : " expires in less than " + std::to_string(left.count() + 1) + " days") + "; renew it");
  }
  return sentences;
}

std::vector<std::string> ListenerSet::certificate_files() const {
  std::vector<std::string> files;
  for (const Entry& entry : current_)
    if (entry.listener.tls)
      for (const Certificate& pair : entry.listener.tls->certificates) files.insert(files.end(), {pair.certificate, pair.private_key});
  return files;
}

// One socket for each worker, all on one port (SO_REUSEPORT); a Unix socket is bound once and shared.
void ListenerSet::bind(Entry& entry, std::size_t workers, InheritedSockets& inherited, Problems& problems) const {
  const net::Endpoint endpoint = endpoint_of(entry.listener.address);
  entry.bound = inherited.take(endpoint, workers);
  if (!entry.bound.empty()) return;
  // An address of this process that overlaps with the new one (0.0.0.0 after 127.0.0.1) is no stranger's.
  const bool own_port = std::any_of(current_.begin(), current_.end(), [&](const Entry& known) {
    return !endpoint.is_unix() && known.listener.address.port == entry.listener.address.port;
  });
  for (std::size_t i = 0; i < workers; ++i) {
    if (endpoint.is_unix() && i > 0) {
      entry.bound.emplace_back(::dup(entry.bound.front().get()));
      continue;
    }
    // With one worker nobody shares the port, and then nobody else may either.
    const auto bound = net::bind_listener(endpoint, i == 0 && !own_port ? net::Sharing::kFirst : net::Sharing::kShared);
    if (bound.descriptor < 0) {
      problems.taken.push_back(bound.error);
      return;
    }
    entry.bound.emplace_back(bound.descriptor);
  }
}

// What did not change is kept as it is, with the sessions that its clients may resume.
void ListenerSet::load_certificates(Entry& entry, Problems& problems) const {
  if (!entry.listener.tls) return;
  const net::TlsSettings settings = tls_settings(*entry.listener.tls);
  for (const net::CertificateFiles& pair : settings.certificates) entry.digest += file_digest(pair.certificate) + file_digest(pair.private_key);
  const Entry* const known = find(entry.name);
  if (known != nullptr && known->tls && known->listener.tls == entry.listener.tls && known->digest == entry.digest) {
    entry.tls = known->tls;
    return;
  }
  entry.tls = net::TlsContext::make(settings, problems.mistakes, problems.warnings, known != nullptr ? known->tls.get() : nullptr);
}

const ListenerSet::Entry* ListenerSet::find(const std::string& name) const noexcept {
  const auto at = std::find_if(current_.begin(), current_.end(), [&](const Entry& entry) { return entry.name == name; });
  return at == current_.end() ? nullptr : &*at;
}

}  // namespace gatehouse
