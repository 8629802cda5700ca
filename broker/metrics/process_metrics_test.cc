#include "broker/metrics/process_metrics.h"

#include <gtest/gtest.h>

#include "base/mem_fs.h"
#include "base/posix_fs.h"

namespace milena::broker {
namespace {

std::string written_by(Fs& fs) {
  const SystemClock clock;
  Exposition out;
  ProcessMetrics(fs, clock).write(out);
  return std::move(out).finish();
}

void put(MemFs& fs, const std::string& path, std::string_view text) {
  ASSERT_TRUE(fs.make_directories(path.substr(0, path.rfind('/'))));
  ASSERT_TRUE((*fs.open(path, OpenMode::kTruncate))->write_at(0, as_bytes(text)));
}

TEST(ProcessMetrics, ThisProcess) {
  PosixFs fs;
  const std::string text = written_by(fs);
  for (const auto* name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
        "process_threads", "process_start_time_seconds", "process_open_fds", "process_max_fds"}) {
    EXPECT_NE(text.find("\n" + std::string(name) + " "), std::string::npos) << name << "\n" << text;
  }
}

TEST(ProcessMetrics, WhatCannotBeReadIsLeftOut) {
  MemFs fs;
  EXPECT_EQ(written_by(fs), "");
}

TEST(ProcessMetrics, NamesWithSpacesAndShortFilesConfuseNothing) {
  MemFs fs;
  put(fs, "/proc/self/stat", "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 3 0 1000 8192 2 rest");
  put(fs, "/proc/self/io", "rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n");
  put(fs, "/proc/self/limits",
      "Limit Soft Hard\nMax open files            1024                 4096 files\n");
  const std::string text = written_by(fs);
  EXPECT_NE(text.find("\nprocess_threads 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nprocess_virtual_memory_bytes 8192\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nkafka_server_kafkaserver_linux_disk_read_bytes 4096\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nkafka_server_kafkaserver_linux_disk_write_bytes 8192\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nprocess_max_fds 1024\n"), std::string::npos) << text;
  put(fs, "/proc/self/stat", "7");
  EXPECT_EQ(written_by(fs).find("process_threads"), std::string::npos);
}

}  // namespace
}  // namespace milena::broker
