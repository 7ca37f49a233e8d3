// What is taken for an order to switch traffic is within its bounds; shares that a process passes on come back as they were; and a page of any
// content can be printed.
#include "admin/switch_order.hpp"
#include "app/switch_over.hpp"
#include "commands/switch_text.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace {

using namespace gatehouse;

void require(bool holds) {
  if (!holds) std::abort();
}

void judge(const admin::SwitchOrder& order) {
  if (order.abort) return;
  require(!order.to.empty() && order.to.size() <= 64);
  require(order.percent >= 1 && order.percent <= 100 && order.min_requests >= 1);
  require(order.watch.count() == 0 || (order.watch >= std::chrono::seconds(1) && order.watch <= std::chrono::hours(24)));
  require(!order.max_error_ratio || (*order.max_error_ratio >= 0 && *order.max_error_ratio <= 1));
  require(!order.max_p95 || (order.max_p95->count() >= 1 && *order.max_p95 < std::chrono::seconds(10)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto read = admin::read_switch_order(text);
  if (read.problem.empty()) judge(read.order);
  if (const auto shares = shares_of_line(text)) require(shares_of_line(to_line(*shares)) == shares);
  boost::system::error_code error;
  const boost::json::value page = boost::json::parse(text, error);
  if (!error && page.is_object()) {
    require(!switch_report_text(page.get_object()).empty());
    (void)switch_state_text(page.get_object());
  }
  return 0;
}
