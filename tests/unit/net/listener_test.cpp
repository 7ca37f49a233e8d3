#include "net/listener.hpp"

#include "net/stream.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace gatehouse::net {
namespace {

// A listener on a free port and who it has handed over so far.
struct Door {
  Door() : bound(bind_listener(*Endpoint::ip("127.0.0.1", 0), Sharing::kFirst)) {
    EXPECT_EQ(bound.error, "");
    listener = std::make_unique<Listener>(
        io, bound.descriptor, [this](int socket, const Endpoint&) { accepted.push_back(std::make_unique<Stream>(io, wheel, socket)); }, [](const char*) {});
    boost::asio::co_spawn(io, listener->run(), boost::asio::detached);
  }
  Descriptor connect() const {
    Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), bound.endpoint.data(), bound.endpoint.size()), 0);
    return client;
  }
  void accept_one() {
    while (accepted.empty()) io.run_one();
  }

  boost::asio::io_context io{1};
  TimerWheel wheel{io};
  BoundSocket bound;
  std::vector<std::unique_ptr<Stream>> accepted;
  std::unique_ptr<Listener> listener;
};

std::string read(int socket, int flags = 0) {
  std::string into(4096, '\0');
  const ssize_t got = ::recv(socket, into.data(), into.size(), flags);
  return got >= 0 ? into.substr(0, static_cast<std::size_t>(got)) : std::string("nothing");
}

TEST(Listener, AConnectionIsHandedOverWithItsFirstBytes) {
  Door door;
  const Descriptor client = door.connect();
  door.io.poll();
  EXPECT_TRUE(door.accepted.empty()) << "it has said nothing yet";
  ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);
  door.accept_one();
  EXPECT_EQ(read(door.accepted.front()->native_handle(), MSG_DONTWAIT), "hello");
}

TEST(Listener, AConnectionThatSaysNothingIsHandedOverAMomentLater) {
  Door door;
  const Descriptor client = door.connect();
  door.accept_one();
  EXPECT_EQ(read(door.accepted.front()->native_handle(), MSG_DONTWAIT), "nothing");
}

TEST(Listener, WhoeverConnectsAfterTheLastCallIsHandedOverAtOnce) {
  Door door;
  door.listener->hand_over_at_once();
  const Descriptor client = door.connect();
  door.io.poll();
  EXPECT_EQ(door.accepted.size(), 1U);
}

TEST(Listener, WhoeverHasConnectedBeforeTheLastCallIsHandedOverWithItsFirstBytes) {
  Door door;
  const Descriptor client = door.connect();
  door.listener->hand_over_at_once();
  ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);
  door.listener->close();
  ASSERT_EQ(door.accepted.size(), 1U);
  EXPECT_EQ(read(door.accepted.front()->native_handle(), MSG_DONTWAIT), "hello");
}

TEST(Listener, AConnectionThatEndsBeforeItSaidAnythingIsHandedOverAtItsEnd) {
  Door door;
  Descriptor client = door.connect();
  client.reset();
  door.accept_one();
  EXPECT_EQ(read(door.accepted.front()->native_handle(), MSG_DONTWAIT), "");
}

TEST(Stream, WhatIsWrittenLastLeavesWithTheEndOfTheConnection) {
  Door door;
  const Descriptor client = door.connect();
  ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);
  door.accept_one();
  Stream& stream = *door.accepted.front();
  const std::string_view words = "good bye";
  const iovec part{const_cast<char*>(words.data()), words.size()};
  stream.end_follows();
  EXPECT_EQ(stream.try_write({&part, 1}).bytes, words.size());
  // To the sender's own machine bytes are there as soon as they are sent.
  EXPECT_EQ(read(client.get(), MSG_DONTWAIT), "nothing");
  stream.shutdown_send();
  // Nor is it lost where there is something unread, which makes the kernel reset the connection.
  stream.close();
  EXPECT_EQ(read(client.get()), words);
  EXPECT_EQ(read(client.get()), "");
}

}  // namespace
}  // namespace gatehouse::net
