#include "net/tls_client.hpp"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace gatehouse::net {

std::unique_ptr<const TlsClient> TlsClient::make() {
  std::unique_ptr<TlsClient> client(new TlsClient);
  client->context_ = SSL_CTX_new(TLS_client_method());
  if (client->context_ == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(client->context_, TLS1_2_VERSION);
  SSL_CTX_set_verify(client->context_, SSL_VERIFY_PEER, nullptr);
  // Without authorities nothing verifies, which the handshake then says.
  SSL_CTX_set_default_verify_paths(client->context_);
  return client;
}

TlsClient::~TlsClient() { SSL_CTX_free(context_); }

SslPointer TlsClient::connect(const std::string& host) const {
  SslPointer ssl(SSL_new(context_));
  if (!ssl) return nullptr;
  in6_addr unused{};
  const bool literal = ::inet_pton(AF_INET, host.c_str(), &unused) == 1 || ::inet_pton(AF_INET6, host.c_str(), &unused) == 1;
  // RFC 6066 3: literals are no server names; a certificate has them in a place of their own.
  const bool named = literal ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1
                             : SSL_set1_host(ssl.get(), host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  if (!named) return nullptr;
  SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace gatehouse::net
