// The TLS side of a connection that Gatehouse opens: the peer's certificate is checked against the system's authorities (or those that
// SSL_CERT_FILE and SSL_CERT_DIR name) and against the name that was asked for. Immutable; any thread.
#pragma once

#include "net/tls_context.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace gatehouse::net {

class TlsClient {
 public:
  // Null when out of memory.
  static std::unique_ptr<const TlsClient> make();
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // The client's side of a connection to `host` (to be given to a Stream), a name or an address literal; null when out of memory or when the name is none.
  SslPointer connect(const std::string& host) const;

 private:
  TlsClient() = default;
  ssl_ctx_st* context_ = nullptr;
};

}  // namespace gatehouse::net
