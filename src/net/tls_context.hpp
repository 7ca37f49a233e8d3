// The TLS side of a listener: certificates by server name, one of Mozilla's profiles, ALPN. Immutable once made and shared by
// all workers (OpenSSL locks its own caches); connections keep what they need alive by themselves.
#pragma once

#include <gatehouse/result.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace gatehouse::net {

enum class TlsProfile { kIntermediate, kModern };  // Mozilla's guideline 6.0

struct CertificateFiles {
  std::string certificate;  // PEM, leaf first, then its chain
  std::string private_key;  // PEM, not encrypted
};

struct TlsSettings {
  std::vector<CertificateFiles> certificates;  // the first one answers clients without (or with an unknown) name
  TlsProfile profile = TlsProfile::kIntermediate;
  bool self_signed = false;  // make a certificate for localhost instead
};

struct SslDeleter {
  void operator()(ssl_st* ssl) const noexcept;
};
using SslPointer = std::unique_ptr<ssl_st, SslDeleter>;

class TlsContext {
 public:
  // Loads and checks everything: the sentence in an error names the file and what to do about it. `warnings` receives
  // sentences about what works but should not stay (expired, self-signed).
  static std::shared_ptr<const TlsContext> make(const TlsSettings& settings, std::vector<std::string>& errors,
                                                std::vector<std::string>& warnings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A server-side connection on that socket, or null when out of memory.
  SslPointer accept(int socket) const;

  struct Certificate {
    std::string names;         // subject alternative names, comma separated
    std::int64_t not_after;    // seconds since the epoch
  };
  const std::vector<Certificate>& certificates() const noexcept { return certificates_; }

 private:
  TlsContext() = default;
  struct Entry;
  std::vector<Entry> entries_;
  std::vector<Certificate> certificates_;
};

// "TLSv1.3", for records; a literal of OpenSSL's.
std::string_view tls_version(const ssl_st* ssl) noexcept;
// The server name the client asked for, or an empty text.
std::string_view tls_server_name(const ssl_st* ssl) noexcept;

}  // namespace gatehouse::net
