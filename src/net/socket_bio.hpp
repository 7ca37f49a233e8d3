// How OpenSSL reads and writes the socket of a Stream: through the stream's own system calls, so that what they tell of the socket's
// readiness is known there too. Thread: the stream's.
#pragma once

#include "net/stream.hpp"

struct bio_st;

namespace gatehouse::net {

struct SocketBio {
  // From now on `ssl` speaks over the socket of `stream`, which must outlive it. False when out of memory.
  static bool attach(ssl_st& ssl, Stream& stream);

 private:
  static int read(bio_st* bio, char* into, int size);
  static int write(bio_st* bio, const char* from, int size);
  static long control(bio_st* bio, int command, long number, void* pointer);
};

}  // namespace gatehouse::net
