// Preloaded by instructions.py: the event loop arms its timers and never hears from them, so that no count depends on how long a run takes.
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timerfd_settime(int descriptor, int flags, const struct itimerspec* when, struct itimerspec* before) {
  (void)flags, (void)when;
  const struct itimerspec in_a_year = {.it_value = {.tv_sec = 365 * 24 * 3600}};
  return (int)syscall(SYS_timerfd_settime, descriptor, 0, &in_a_year, before);
}
