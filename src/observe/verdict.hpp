// One answer decides nothing: healthy after `rise` good answers in a row, unhealthy after `fall` bad ones. A value, no
// clock.
#pragma once

namespace gatehouse::observe {

class Verdict {
 public:
  Verdict(int rise, int fall) noexcept : rise_(rise), fall_(fall) {}

  // Takes an answer into account; the verdict after it. Unhealthy until the first `rise` good answers.
  bool take(bool good) noexcept {
    in_a_row_ = good == healthy_ ? 0 : in_a_row_ + 1;
    if (in_a_row_ >= (good ? rise_ : fall_)) {
      healthy_ = good;
      in_a_row_ = 0;
    }
    ever_healthy_ = ever_healthy_ || healthy_;
    return healthy_;
  }
  bool ever_healthy() const noexcept { return ever_healthy_; }

 private:
  int rise_;
  int fall_;
  int in_a_row_ = 0;
  bool healthy_ = false;
  bool ever_healthy_ = false;
};

}  // namespace gatehouse::observe
