#include "bench/load/meter.h"

#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "bench/load/fail.h"

namespace milena::bench {

double own_cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

Meter::Meter(std::optional<int> pid) : pid_(pid) {}

std::optional<double> Meter::cpu_seconds() const {
  if (!pid_) return std::nullopt;
  // The same sums as in /proc/PID/stat, which cuts them to hundredths of a second.
  clockid_t clock;
  timespec used;
  if (clock_getcpuclockid(*pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) {
    fail_run("process {} is gone", *pid_);
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

std::optional<std::int64_t> Meter::resident_kb() const {
  if (!pid_) return std::nullopt;
  // /proc/PID/status would be off by some pages for every processor.
  std::ifstream file("/proc/" + std::to_string(*pid_) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    long kb = 0;
    if (std::sscanf(line.c_str(), "Rss: %ld kB", &kb) == 1) return kb;
  }
  fail_run("process {} is gone", *pid_);
}

}  // namespace milena::bench
