#include "net/tls_context.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <fstream>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace gatehouse::net {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using ContextPointer = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Freed<X509_free>>;

// Mozilla's guideline 6.0, "intermediate": TLS 1.2 suites; those of TLS 1.3 are OpenSSL's three.
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kTls13Suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// X25519MLKEM768 comes with OpenSSL 3.5; older ones do without it.
constexpr const char* kGroups = "X25519MLKEM768:X25519:P-256:P-384";
constexpr const char* kClassicGroups = "X25519:P-256:P-384";

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "unknown reason";
  ERR_clear_error();
  return text;
}

// HTTP/1.1 is the only protocol offered; a client that offers others alone goes on without ALPN (RFC 7301 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned int in_size, void*) {
  static constexpr unsigned char kOffered[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOffered, sizeof kOffered - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

ContextPointer make_context(TlsProfile profile) {
  ContextPointer context(SSL_CTX_new(TLS_server_method()));
  if (!context) return context;
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, profile == TlsProfile::kModern ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, kTls12Suites);
  SSL_CTX_set_ciphersuites(raw, kTls13Suites);
  if (SSL_CTX_set1_groups_list(raw, kGroups) != 1) SSL_CTX_set1_groups_list(raw, kClassicGroups);
  ERR_clear_error();
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // In our order, the cheapest of equals first; a client without AES in hardware puts ChaCha20 first and gets it.
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // One system call reads a record's header and body together.
  SSL_CTX_set_read_ahead(raw, 1);
  // Tickets resume sessions without memory here; two of them for each handshake would only be bytes.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 1);
  static constexpr unsigned char kSessionContext[] = "gatehouse";
  SSL_CTX_set_session_id_context(raw, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return context;
}

std::string alternative_names(X509* certificate) {
  std::string names;
  auto* list = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; list != nullptr && i < sk_GENERAL_NAME_num(list); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list, i);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    if (!names.empty()) names += ", ";
    names.append(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(list);
  return names;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

bool readable(const std::string& path, const char* what, std::vector<std::string>& errors) {
  std::ifstream file(path);
  if (file.good()) return true;
  errors.push_back(std::string("cannot read the ") + what + " " + path + ": " + std::strerror(errno) +
                   "; check the path and that this user may read it");
  return false;
}

bool load_files(SSL_CTX* context, const CertificateFiles& files, std::vector<std::string>& errors) {
  const bool certificate = readable(files.certificate, "certificate", errors);
  const bool key = readable(files.private_key, "private key", errors);
  if (!certificate || !key) return false;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    errors.push_back(files.certificate + " is not a PEM certificate chain (" + openssl_reason() +
                     "); it must begin with -----BEGIN CERTIFICATE-----, the server's own certificate first");
    return false;
  }
  // An encrypted key must fail here instead of asking a terminal for its passphrase.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_PrivateKey_file(context, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const unsigned long code = ERR_peek_last_error();
    const bool mismatch = ERR_GET_LIB(code) == ERR_LIB_X509;
    errors.push_back(mismatch ? "the private key " + files.private_key + " does not belong to the certificate " +
                                    files.certificate + "; use the key that the certificate was issued for"
                              : files.private_key + " is not a usable PEM private key (" + openssl_reason() +
                                    "); it must not be encrypted");
    ERR_clear_error();
    return false;
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    errors.push_back("the private key " + files.private_key + " does not belong to the certificate " +
                     files.certificate + "; use the key that the certificate was issued for");
    ERR_clear_error();
    return false;
  }
  return true;
}

bool make_self_signed(SSL_CTX* context) {
  KeyPointer key(EVP_EC_gen("P-256"));
  X509Pointer certificate(X509_new());
  if (!key || !certificate) return false;
  X509* const raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(raw), static_cast<std::int64_t>(std::time(nullptr)));
  X509_gmtime_adj(X509_getm_notBefore(raw), -3600);
  X509_gmtime_adj(X509_getm_notAfter(raw), 60L * 60 * 24 * 30);
  X509_set_pubkey(raw, key.get());
  X509_NAME* name = X509_get_subject_name(raw);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(raw, name);
  std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"));
  if (!names) return false;
  X509_add_ext(raw, names.get(), -1);
  return X509_sign(raw, key.get(), EVP_sha256()) > 0 && SSL_CTX_use_certificate(context, raw) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

}  // namespace

struct TlsContext::Entry {
  ContextPointer context;
};

// All contexts of a listener use one set: a ticket is read before the server name has chosen among them.
void TlsContext::share_ticket_keys(ssl_ctx_st* from, const std::vector<Entry>& entries) {
  std::array<unsigned char, 80> keys{};
  ssl_ctx_st* const source = from != nullptr ? from : entries.front().context.get();
  const long size = SSL_CTX_get_tlsext_ticket_keys(source, nullptr, 0);
  if (size <= 0 || static_cast<std::size_t>(size) > keys.size()) return;
  if (SSL_CTX_get_tlsext_ticket_keys(source, keys.data(), size) != 1) return;
  for (const Entry& entry : entries) SSL_CTX_set_tlsext_ticket_keys(entry.context.get(), keys.data(), size);
  OPENSSL_cleanse(keys.data(), keys.size());
}

TlsContext::~TlsContext() = default;

namespace {

// Picks the certificate whose names match what the client asked for (RFC 6066 3); the first one otherwise.
int choose_certificate(SSL* ssl, int*, void* argument) {
  const auto& contexts = *static_cast<const std::vector<SSL_CTX*>*>(argument);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_OK;
  for (SSL_CTX* context : contexts)
    if (X509_check_host(SSL_CTX_get0_certificate(context), name, 0, 0, nullptr) == 1) {
      SSL_set_SSL_CTX(ssl, context);
      break;
    }
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::shared_ptr<const TlsContext> TlsContext::make(const TlsSettings& settings, std::vector<std::string>& errors,
                                                   std::vector<std::string>& warnings, const TlsContext* before_this) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  const std::size_t before = errors.size();
  const std::size_t count = settings.self_signed ? 1 : settings.certificates.size();
  if (count == 0) errors.push_back("a TLS listener needs `certificates`, or `self_signed: true` for development");
  for (std::size_t i = 0; i < count; ++i) {
    ContextPointer context = make_context(settings.profile);
    if (!context) {
      errors.push_back("OpenSSL cannot make a TLS context: " + openssl_reason());
      break;
    }
    if (settings.self_signed) {
      if (!make_self_signed(context.get()))
        errors.push_back("OpenSSL cannot make a self-signed certificate: " + openssl_reason());
      else
        warnings.push_back("a self-signed certificate for localhost is in use; browsers will warn, and nobody else should trust it");
    } else if (!load_files(context.get(), settings.certificates[i], errors)) {
      continue;
    }
    X509* const leaf = SSL_CTX_get0_certificate(context.get());
    if (leaf == nullptr) continue;
    const std::int64_t not_after = seconds_of(X509_get0_notAfter(leaf));
    if (!settings.self_signed && X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
      warnings.push_back("the certificate " + settings.certificates[i].certificate +
                         " has expired: clients will refuse it; renew it");
    if (!settings.self_signed && X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
      warnings.push_back("the certificate " + settings.certificates[i].certificate +
                         " is not valid yet; check its dates and this machine's clock");
    made->certificates_.push_back({alternative_names(leaf), not_after});
    made->entries_.push_back({std::move(context)});
  }
  if (errors.size() != before) return nullptr;
  share_ticket_keys(before_this != nullptr ? before_this->entries_.front().context.get() : nullptr, made->entries_);
  if (made->entries_.size() > 1) {
    // The list lives as long as the first context: OpenSSL frees it with that.
    auto* contexts = new std::vector<SSL_CTX*>;
    for (const Entry& entry : made->entries_) contexts->push_back(entry.context.get());
    SSL_CTX* const first = contexts->front();
    static const int kIndex = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr,
        [](void*, void* list, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::vector<SSL_CTX*>*>(list); });
    SSL_CTX_set_ex_data(first, kIndex, contexts);
    SSL_CTX_set_tlsext_servername_callback(first, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(first, contexts);
  }
  return made;
}

SslPointer TlsContext::accept() const {
  SslPointer ssl(SSL_new(entries_.front().context.get()));
  if (!ssl) return nullptr;
  SSL_set_accept_state(ssl.get());
  return ssl;
}

void SslDeleter::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

std::string_view tls_version(const ssl_st* ssl) noexcept { return SSL_get_version(ssl); }

std::string_view tls_server_name(const ssl_st* ssl) noexcept {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? std::string_view(name) : std::string_view{};
}

}  // namespace gatehouse::net
