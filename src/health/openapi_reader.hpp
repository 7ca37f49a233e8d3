// Asks the app for its OpenAPI document: soon again while there is none, later from time to time. What is in it others judge. Owner: the
// application, longer than the io_context runs. Thread: the io_context's.
#pragma once

#include "health/dialer.hpp"

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>

namespace gatehouse::health {

struct OpenApiSettings {
  std::string path;
  std::string authority;  // what Host says
  std::chrono::milliseconds interval{300000};
  std::size_t most_bytes = 4 << 20;
};

class OpenApiReader {
 public:
  // `take` gets a document that differs from the last one; false: it is none.
  using Take = std::function<bool(const std::string& document)>;
  // Told when documents cannot be had or used any more, and when they can again.
  using OnChange = std::function<void(bool good, const std::string& error)>;
  OpenApiReader(boost::asio::io_context& io, net::TimerWheel& wheel, Place app, OpenApiSettings settings, Take take, OnChange on_change);

  net::awaitable<void> run();
  void stop();

 private:
  net::awaitable<std::string> ask();

  Dialer dialer_;
  OpenApiSettings settings_;
  Take take_;
  OnChange on_change_;
  boost::asio::steady_timer timer_;
  std::string last_;
  bool stopped_ = false;
};

}  // namespace gatehouse::health
