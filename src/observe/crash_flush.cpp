#include "observe/crash_flush.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <ctime>

namespace gatehouse {
namespace {

constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
// Workers hand over what they have every 50 ms.
constexpr long kStepNanoseconds = 10'000'000;
constexpr int kFirstSteps = 7;
constexpr int kMostSteps = 50;

std::atomic<const LogQueue*> flushed{nullptr};
std::array<struct sigaction, kFatal.size()> before;

void on_crash(int number, siginfo_t* info, void*) {
  const LogQueue* const queue = flushed.exchange(nullptr);
  const timespec step{0, kStepNanoseconds};
  for (int i = 0; queue != nullptr && i < kMostSteps && (i < kFirstSteps || queue->unwritten_bytes() != 0); ++i)
    ::nanosleep(&step, nullptr);
  for (std::size_t i = 0; i < kFatal.size(); ++i)
    if (kFatal[i] == number) ::sigaction(number, &before[i], nullptr);
  // A fault happens again when this returns, and abort() goes on by itself; what somebody sent does not.
  if (info->si_code <= 0) ::raise(number);
}

}  // namespace

CrashFlush::CrashFlush(const LogQueue& queue) {
  flushed = &queue;
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (std::size_t i = 0; i < kFatal.size(); ++i) ::sigaction(kFatal[i], &action, &before[i]);
}

CrashFlush::~CrashFlush() {
  flushed = nullptr;
  for (std::size_t i = 0; i < kFatal.size(); ++i) ::sigaction(kFatal[i], &before[i], nullptr);
}

}  // namespace gatehouse
