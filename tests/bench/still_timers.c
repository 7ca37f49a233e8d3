// Preloaded by instructions.py: timers of the event loop never fire, so that no count depends on how long a run takes.
struct itimerspec;
int timerfd_settime(int descriptor, int flags, const struct itimerspec* now, struct itimerspec* before);

int timerfd_settime(int descriptor, int flags, const struct itimerspec* now, struct itimerspec* before) {
  (void)descriptor, (void)flags, (void)now, (void)before;
  return 0;
}
