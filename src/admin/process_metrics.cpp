#include "admin/process_metrics.hpp"

#include <algorithm>
#include <dirent.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

namespace gatehouse::admin {
namespace {

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; }

// Descriptors that are open: the entries of a folder, without `.` and `..` and the folder itself.
double open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int entries = 0;
  while (::readdir(folder) != nullptr) ++entries;
  ::closedir(folder);
  return std::max(entries - 3, 0);
}

// The 22nd field of proc(5)'s stat counts clock ticks after the boot.
double start_time() {
  std::ifstream stat("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  // The name of the program stands in brackets and may hold blanks.
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 2, text.size())));
  std::string skipped;
  for (int i = 0; i < 19; ++i) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  timespec boot{};
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  clock_gettime(CLOCK_REALTIME, &now);
  const double booted = static_cast<double>(now.tv_sec - boot.tv_sec) + static_cast<double>(now.tv_nsec - boot.tv_nsec) * 1e-9;
  return booted + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Family gauge(const char* name, const char* help, double value) { return {name, help, false, {{{}, value}}}; }

}  // namespace

std::vector<Family> process_families() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  return {
      {"process_cpu_seconds_total", "CPU time of this process.", true, {{{}, seconds(usage.ru_utime) + seconds(usage.ru_stime)}}},
      gauge("process_resident_memory_bytes", "Resident memory of this process.", resident * page),
      gauge("process_virtual_memory_bytes", "Virtual memory of this process.", size * page),
      gauge("process_open_fds", "Descriptors that this process has open.", open_descriptors()),
      gauge("process_max_fds", "How many descriptors it may have open.", static_cast<double>(files.rlim_cur)),
      gauge("process_start_time_seconds", "When this process started, seconds since the epoch.", start_time()),
  };
}

}  // namespace gatehouse::admin
