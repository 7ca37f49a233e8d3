#include "net/socket_bio.hpp"

#include <cerrno>
#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace gatehouse::net {
namespace {

Stream& stream_of(BIO* bio) { return *static_cast<Stream*>(BIO_get_data(bio)); }

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

int SocketBio::read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = stream_of(bio).receive({into, static_cast<std::size_t>(size)});
  if (got < 0 && would_block()) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

int SocketBio::write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const iovec part{const_cast<char*>(from), static_cast<std::size_t>(size)};
  const ssize_t sent = stream_of(bio).send({&part, 1});
  if (sent < 0 && would_block()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long SocketBio::control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;  // nothing is held back
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default: return 0;
  }
}

bool SocketBio::attach(SSL& ssl, Stream& stream) {
  // Made once and never freed: connections may outlive everything that is.
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatehouse stream");
    if (made != nullptr) {
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
    }
    return made;
  }();
  BIO* const bio = method != nullptr ? BIO_new(method) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, &stream);
  BIO_set_init(bio, 1);
  SSL_set_bio(&ssl, bio, bio);
  return true;
}

}  // namespace gatehouse::net
