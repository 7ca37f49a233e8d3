// The listening sockets and certificates of the process. A configuration's listeners are proved first (bound, certificates loaded),
// then taken into use together; those it shares with the one before keep their sockets, so that no connection is lost. Main thread.
#pragma once

#include "app/inherited_sockets.hpp"
#include "app/worker.hpp"
#include "config/config.hpp"
#include "net/descriptor.hpp"
#include "net/listener.hpp"
#include "net/tls_context.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

class ListenerSet {
 public:
  struct Problems {
    std::vector<std::string> mistakes;  // of the configuration
    std::vector<std::string> taken;     // addresses that cannot be bound: the file may be right all the same
    std::vector<std::string> warnings;
    bool any() const noexcept { return !mistakes.empty() || !taken.empty(); }
  };
  struct Entry {
    Listener listener;
    std::string name;
    std::shared_ptr<const net::TlsContext> tls;  // null: plain
    std::string digest;                          // of the files of its certificates
    std::vector<net::Descriptor> bound;          // sockets to be handed to the workers; none where they have them
  };
  using Plan = std::vector<Entry>;

  // For that many workers. Nothing changes yet; sockets of a plan that is dropped are closed. Sockets that were passed to this process are
  // used before others are opened.
  Plan plan(const std::vector<Listener>& listeners, std::size_t workers, InheritedSockets& inherited, Problems& problems) const;
  // The current listeners with their certificates loaded anew where the files changed.
  Plan renew(Problems& problems) const;

  // Makes the plan the current one. What each worker has to be told comes out, in the order of the workers.
  std::vector<std::vector<ListenerPlan>> commit(Plan plan, std::size_t workers);

  // The certificates in use.
  std::vector<net::TlsContext::Certificate> certificates() const;
  // A sentence for each certificate that ends within two weeks of `now`: who renews them by a machine has done so by then.
  std::vector<std::string> expiring(std::chrono::system_clock::time_point now) const;
  // The files of certificates and keys in use.
  std::vector<std::string> certificate_files() const;

 private:
  void bind(Entry& entry, std::size_t workers, InheritedSockets& inherited, Problems& problems) const;
  void load_certificates(Entry& entry, Problems& problems) const;
  const Entry* find(const std::string& name) const noexcept;

  Plan current_;
};

}  // namespace gatehouse
