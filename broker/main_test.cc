// The program itself: what it prints, how it ends. Runs the binary that was built.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/rng.h"

namespace {

namespace fs = std::filesystem;

struct TempDir {
  TempDir()
      : path(fs::temp_directory_path() / ("milena-main-" + std::to_string(milena::SystemRng().next()))) {
    fs::create_directories(path);
  }
  ~TempDir() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  fs::path path;
};

class Program {
 public:
  // `limits` are shell commands that the program is started behind.
  Program(std::vector<std::string> args, std::vector<std::string> environment = {},
          const std::string& limits = "") {
    int out[2], err[2];
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(err, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    args.insert(args.begin(), MILENA_BINARY);
    if (!limits.empty()) args.insert(args.begin(), {"/bin/sh", "-c", limits + R"(; exec "$0" "$@")"});
    const std::string program = args.front();
    std::vector<char*> argv, envp;
    for (auto& arg : args) argv.push_back(arg.data());
    for (auto& variable : environment) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), envp.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    ::close(err[1]);
    out_ = out[0];
    err_ = err[0];
  }
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    ::close(out_);
    ::close(err_);
  }

  // The first line on stdout; empty when the program ends without one.
  std::string first_line() {
    std::string line;
    for (char c = 0; ::read(out_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }
  std::string errors() {
    char buffer[4096];
    for (ssize_t n = 1; (n = ::read(err_, buffer, sizeof buffer)) > 0;)
      errors_.append(buffer, static_cast<std::size_t>(n));
    return errors_;
  }
  void signal(int number) { ::kill(pid_, number); }
  // The exit code, or minus the signal.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  std::string errors_;
};

void expect_refusal(Program& program, const std::string& why) {
  EXPECT_EQ(program.first_line(), "");
  EXPECT_EQ(program.wait(), 1);
  const std::string errors = program.errors();
  EXPECT_NE(errors.find(why), std::string::npos) << errors;
  EXPECT_EQ(std::ranges::count(errors, '\n'), 1) << errors;
}

TEST(Main, ServesAndStopsOnSigterm) {
  const TempDir dir;
  Program program({"--port", "0", "--data", dir / "data", "--override", "milena.durability=fsync"});
  const std::string line = program.first_line();
  EXPECT_EQ(line.rfind("BROKERS=127.0.0.1:", 0), 0u) << line;
  EXPECT_NE(line, "BROKERS=127.0.0.1:0");
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
  const std::string errors = program.errors();
  EXPECT_NE(errors.find("listening on " + line.substr(8)), std::string::npos) << errors;
  EXPECT_NE(errors.find("data in " + (dir / "data")), std::string::npos) << errors;
  EXPECT_NE(errors.find("durability fsync"), std::string::npos) << errors;
}

TEST(Main, TheEnvironmentIsEnough) {
  const TempDir dir;
  Program program({}, {"KAFKA_LOG_DIRS=" + (dir / "data"), "KAFKA_LISTENERS=PLAINTEXT://127.0.0.1:0",
                       "KAFKA_HEAP_OPTS=-Xmx1G", "CLUSTER_ID=4L6g3nShT-eMCtK--X86sw",
                       "KAFKA_LOG_RETENTION_HUORS=1", "KAFKA_PORT=tcp://10.0.0.1:9092"});
  EXPECT_NE(program.first_line(), "");
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), 0);
  const std::string errors = program.errors();
  EXPECT_NE(errors.find("cluster 4L6g3nShT-eMCtK--X86sw"), std::string::npos) << errors;
  EXPECT_NE(errors.find("Unknown configuration log.retention.huors; did you mean log.retention.hours?"),
            std::string::npos)
      << errors;
}

TEST(Main, OneClearLineWhenItCannotStart) {
  const TempDir dir;
  Program running({"--port", "0", "--data", dir / "data"});
  const std::string line = running.first_line();
  const std::string port = line.substr(line.rfind(':') + 1);

  Program same_port({"--port", port, "--data", dir / "other"});
  expect_refusal(same_port, "Socket server failed to bind to 0.0.0.0:" + port + ": Address already in use.");
  Program same_data({"--port", "0", "--data", dir / "data"});
  expect_refusal(same_data, dir / "data");
  Program no_file({dir / "missing.properties"});
  expect_refusal(no_file,
                 "cannot read " + (dir / "missing.properties") + ": open: No such file or directory");
  Program wrong_value({"--override", "num.partitions=many"});
  expect_refusal(wrong_value,
                 "Invalid value many for configuration num.partitions: Not a number of type INT");
  running.signal(SIGTERM);
  EXPECT_EQ(running.wait(), 0);

  Program other_cluster(
      {"--port", "0", "--data", dir / "data", "--override", "milena.cluster.id=4L6g3nShT-eMCtK--X86sw"});
  expect_refusal(other_cluster, "4L6g3nShT-eMCtK--X86sw");
}

TEST(Main, OneClearLineWhenTheLimitsAreTooLow) {
  const TempDir dir;
  for (const char* limits : {"ulimit -n 8", "ulimit -n 12", "ulimit -n 20", "ulimit -n 63"}) {
    Program program({"--port", "0", "--data", dir / "data"}, {}, limits);
    expect_refusal(program, "raise the limit (ulimit -n)");
  }
  EXPECT_FALSE(fs::exists(dir / "data"));
}

#if !defined(__has_feature) || !__has_feature(thread_sanitizer)  // its runtime writes a file of its own
TEST(Main, AFileThatMayNotGrowIsAFullDisk) {
  const TempDir dir;
  Program program({"--port", "0", "--data", dir / "data"}, {}, "ulimit -f 0");
  expect_refusal(program, "the disk is full");
}
#endif

TEST(Main, AClosedStreamEndsNothing) {
  const TempDir dir;
  Program program({"--port", "0", "--data", dir / "data", "--override", "num.partitions=x"}, {},
                  "exec 2>/dev/full");
  EXPECT_EQ(program.wait(), 1);
}

TEST(Main, ReadsServerProperties) {
  const TempDir dir;
  std::ofstream(dir / "server.properties")
      << "# ours\nlisteners = PLAINTEXT://127.0.0.1:0\nlog.dirs=" << (dir / "data") << "\nnode.id=7\n";
  Program program({dir / "server.properties"});
  EXPECT_NE(program.first_line(), "");
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(program.errors().find("node 7 of cluster"), std::string::npos);
}

TEST(Main, WirePrintsWhatIsInAFile) {
  const TempDir dir;
  std::ofstream(dir / "hex") << "0000000a 0012 0000 00000001 ffff\n";
  Program program({"wire", "request", "--hex", dir / "hex"});
  EXPECT_EQ(
      program.first_line(),
      R"({"position":4,"size":10,"requestHeader":{"requestApiKey":18,"requestApiKeyName":"ApiVersions",)"
      R"("requestApiVersion":0,"correlationId":1,"clientId":null},"request":{}})");
  EXPECT_EQ(program.wait(), 0);
  Program unwritable({"wire", "request", "--hex", dir / "hex"}, {}, "exec >/dev/full");
  EXPECT_EQ(unwritable.wait(), 1);
  EXPECT_EQ(unwritable.errors(), "milena wire: the output could not be written\n");
  Program missing({"wire", "records", dir / "missing"});
  EXPECT_EQ(missing.wait(), 1);
  EXPECT_NE(missing.errors().find("missing: open: No such file"), std::string::npos);
  Program unknown({"wire", "letters"});
  EXPECT_GE(unknown.wait(), 105);
}

}  // namespace
