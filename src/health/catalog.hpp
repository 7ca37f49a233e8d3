// From the configuration of a check to the one who asks. Used while the application is built.
#pragma once

#include "config/config.hpp"
#include "health/prober.hpp"

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string_view>

namespace gatehouse::health {

// The loader has seen to it that `check` is complete.
std::unique_ptr<Prober> make_prober(const HealthCheck& check, boost::asio::io_context& io, net::TimerWheel& wheel);
// "postgres", as in the configuration.
std::string_view name(CheckType type) noexcept;

}  // namespace gatehouse::health
