#include "app/reload_record.hpp"

namespace gatehouse {

ReloadRecord::ReloadRecord(observe::HealthBoard& board) : board_(board), check_(board.add("configuration", "file", false)) {
  board_.report(check_, true, {}, {});
}

void ReloadRecord::succeeded() {
  good_ += 1;
  last_good_ = true;
  loaded_at_ = std::chrono::system_clock::now();
  board_.report(check_, true, {}, {});
}

void ReloadRecord::failed(const std::vector<std::string>& mistakes) {
  bad_ += 1;
  last_good_ = false;
  std::string text = "the configuration cannot be used, the one before is in force";
  if (!mistakes.empty()) text += ": " + mistakes.front();
  if (mistakes.size() > 1) text += " (and " + std::to_string(mistakes.size() - 1) + " more)";
  board_.report(check_, false, {}, std::move(text));
}

std::vector<admin::Family> ReloadRecord::families() const {
  const auto counts = [](double good, double bad) {
    return std::vector<admin::Sample>{{{{"result", "success"}}, good}, {{{"result", "failure"}}, bad}};
  };
  return {{"gatehouse_config_reloads_total", "Times the configuration was loaded anew, by result.", true, counts(good_, bad_)},
          {"gatehouse_config_last_reload_successful", "0 while the configuration file cannot be used.", false, {{{}, last_good_ ? 1.0 : 0.0}}},
          {"gatehouse_config_last_reload_success_timestamp_seconds", "When the configuration in force was loaded, seconds since the epoch.", false,
           {{{}, std::chrono::duration<double>(loaded_at_.time_since_epoch()).count()}}},
          {"gatehouse_tls_certificate_reloads_total", "Times changed certificate files were loaded, by result.", true,
           counts(certificates_good_, certificates_bad_)}};
}

}  // namespace gatehouse
