#include "app/application_parts.hpp"

// Which pool of the app has the traffic: by order, after a reload, and from one process to the next.

namespace gatehouse {

void Application::order_switch(const admin::SwitchOrder& order, SwitchOver::Done done) {
  admin::SwitchReport refusal;
  if (stopping_) refusal.message = "Gatehouse is stopping";
  if (handover_) refusal.message = "an upgrade is under way: ask the new process";
  if (refusal.message.empty()) return switch_->order(order, std::move(done));
  refusal.traffic = traffic_->shares();
  refusal.time = std::chrono::system_clock::now();
  done(refusal);
}

void Application::traffic_moved(const admin::TrafficShares& shares) {
  checks_->traffic_moved();
  if (config_->upstream.named)
    health_.set_notes({"traffic: " + shares_text(shares)});
  else
    health_.set_notes({});
}

// The process before may have moved the traffic away from where a start puts it.
void Application::take_over_traffic() {
  if (successor_ && !successor_->traffic().empty()) {
    const auto shares = shares_of_line(successor_->traffic());
    if (!shares || !switch_->restore(*shares))
      log_->warn("the pools that had the traffic are not in the configuration; {} has it now", traffic_->shares().base);
  }
  traffic_moved(traffic_->shares());
}

std::string Application::traffic_for_successor() const {
  return config_->upstream.named ? to_line(traffic_->shares()) : std::string();
}

}  // namespace gatehouse
