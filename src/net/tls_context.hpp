// The TLS side of a listener: certificates by server name, one of Mozilla's profiles, ALPN. Immutable once made and shared by
// all workers (OpenSSL locks its own caches); connections past their handshake keep what they need alive by themselves.
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
  bool operator==(const CertificateFiles&) const = default;
};

struct TlsSettings {
  std::vector<CertificateFiles> certificates;  // the first one answers clients without (or with an unknown) name
  TlsProfile profile = TlsProfile::kIntermediate;
  bool self_signed = false;  // make a certificate for localhost instead
  bool operator==(const TlsSettings&) const = default;
};

struct SslDeleter {
  void operator()(ssl_st* ssl) const noexcept;
};
using SslPointer = std::unique_ptr<ssl_st, SslDeleter>;

class TlsContext {
 public:
  // Loads and checks everything: the sentence in an error names the file and what to do about it. `warnings` receives
  // sentences about what works but should not stay (expired, self-signed).
  // What `before` (or null) issued tickets with is taken over: clients resume their sessions across a reload.
  static std::shared_ptr<const TlsContext> make(const TlsSettings& settings, std::vector<std::string>& errors,
                                                std::vector<std::string>& warnings, const TlsContext* before = nullptr);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // The server's side of a connection, to be given to a Stream, or null when out of memory. Until its handshake is over it needs this context.
  SslPointer accept() const;

  struct Certificate {
    std::string names;         // subject alternative names, comma separated
    std::int64_t not_after;    // seconds since the epoch
  };
  const std::vector<Certificate>& certificates() const noexcept { return certificates_; }

 private:
  TlsContext() = default;
  struct Entry;
  static void share_ticket_keys(ssl_ctx_st* from, const std::vector<Entry>& entries);
  std::vector<Entry> entries_;
  std::vector<Certificate> certificates_;
};

// "TLSv1.3", for records; a literal of OpenSSL's.
std::string_view tls_version(const ssl_st* ssl) noexcept;
// The server name the client asked for, or an empty text.
std::string_view tls_server_name(const ssl_st* ssl) noexcept;

}  // namespace gatehouse::net
