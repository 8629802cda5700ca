#include "broker/partition/partition_manager.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/async/thread_pool.h"
#include "base/mem_fs.h"
#include "controller/testing/controller_rig.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using controller::test_support::ControllerRig;

class PartitionManagerTest : public testing::Test {
 protected:
  PartitionManagerTest() { cluster_.add_broker(1); }
  ~PartitionManagerTest() override { close(); }

  // Opens what the metadata says, as at a start.
  void open(const std::vector<std::string>& directories) {
    auto dirs = LogDirs::open(
        {.paths = directories, .metadata_path = std::nullopt, .node_id = 1, .cluster_id = "", .lost = {}},
        disk_, rng_, log_);
    ASSERT_TRUE(dirs) << dirs.error();
    dirs_ = *std::move(dirs);
    dirs_->use_metadata();
    dirs_->use_rest();
    dirs_->format_rest(*cluster_.controller.image());
    cluster_.now_ms += 60'000;  // the session of the last start has ended
    const auto ids = dirs_->ids();
    cluster_.register_broker(1, "", -1, ids);
    cluster_.unfence(1);
    PartitionManager::Options options;
    options.self = 1;
    registry_ = std::make_unique<PartitionRegistry>();
    const PartitionManager::ControllerNews ignore{.assign = [](auto) {},
                                                  .directories_failed = [](auto) {},
                                                  .directories_cordoned = [](auto) {},
                                                  .all_directories_failed = [] {},
                                                  .open_missing = [] {}};
    manager_ = std::make_unique<PartitionManager>(std::move(options), *dirs_, *registry_, runtime_, workers_,
                                                  clock_, rng_, log_, ignore);
    manager_->open(*cluster_.controller.image());
  }

  // The topic as metadata has it; the manager is told of its partitions.
  void create_topic(const std::string& name) {
    const auto before = cluster_.controller.image();
    id_ = cluster_.create_topic(name, 1, 1).id;
    tell(*before);
  }
  void tell(const controller::MetadataImage& before) {
    controller::MetadataChanges changes;
    changes.topics[id_] = {0};
    manager_->apply(before, *cluster_.controller.image(), changes);
  }

  // Ends like a killed process.
  void close() {
    if (manager_ == nullptr) return;
    for (const auto& partition : registry_->all()) partition->close();
    manager_.reset();
    dirs_.reset();
    disk_.crash(MemFs::Loss::kNothing);
  }

  static void forget(void*, LogLevel, std::string_view) {}

  ControllerRig cluster_;
  MemFs disk_;
  ManualClock clock_;
  SeededRng rng_{1};
  Logger log_{LogLevel::kError, &forget, nullptr};
  ThreadRuntime runtime_;
  ThreadPool workers_{"workers", 1, 100};
  std::unique_ptr<LogDirs> dirs_;
  std::unique_ptr<PartitionRegistry> registry_;
  std::unique_ptr<PartitionManager> manager_;
  Uuid id_;
};

TEST_F(PartitionManagerTest, R9_APartitionThatAFullDiskHadNoRoomForIsMadeWhenThereIsRoom) {
  open({"/data"});
  disk_.fail({.call = "open", .code = ENOSPC, .for_good = true, .path_part = "letters-0"});
  create_topic("letters");
  EXPECT_TRUE(registry_->find("letters", 0)->is_offline());
  manager_->open_missing(*cluster_.controller.image());
  EXPECT_TRUE(registry_->find("letters", 0)->is_offline());
  disk_.clear_faults();
  manager_->open_missing(*cluster_.controller.image());
  EXPECT_FALSE(registry_->find("letters", 0)->is_offline());
  EXPECT_EQ(registry_->find("letters", 0)->leader_epoch(), 0);
}

TEST_F(PartitionManagerTest, APartitionThatIsRefusedAtStartIsNotMadeAgainElsewhere) {
  open({"/one", "/two"});
  create_topic("letters");
  ASSERT_TRUE(disk_.exists("/one/letters-0"));
  close();
  // Its log cannot be opened.
  disk_.fail({.call = "opendir", .code = ENOSPC, .for_good = true, .path_part = "letters-0"});
  open({"/one", "/two"});
  ASSERT_NE(registry_->find("letters", 0), nullptr);
  EXPECT_TRUE(registry_->find("letters", 0)->is_offline());
  disk_.clear_faults();
  tell(*cluster_.controller.image());
  manager_->open_missing(*cluster_.controller.image());
  EXPECT_EQ(registry_->find("letters", 0)->offsets(-1).error().code, ErrorCode::kKafkaStorageError);
  EXPECT_FALSE(disk_.exists("/two/letters-0"));
}

TEST(LogDirs, TheEpochOfTheLastStopCountsWhenAllDirectoriesAgreeOnIt) {
  struct Case {
    std::vector<std::string> markers;
    std::int64_t epoch;
  };
  const std::string seven = R"({"version":0,"brokerEpoch":7})", eight = R"({"version":0,"brokerEpoch":8})";
  for (const auto& [markers, epoch] :
       {Case{{seven, seven}, 7}, Case{{seven, eight}, -1}, Case{{seven, ""}, -1}, Case{{"", ""}, -1}}) {
    MemFs disk;
    SeededRng rng(1);
    const Logger log(LogLevel::kError, [](void*, LogLevel, std::string_view) {}, nullptr);
    const LogDirs::Options options{
        .paths = {"/a", "/b"}, .metadata_path = std::nullopt, .node_id = 1, .cluster_id = "", .lost = {}};
    (*LogDirs::open(options, disk, rng, log))->format_rest({});
    for (std::size_t i = 0; i < 2; ++i) {
      if (markers[i].empty()) continue;
      const std::string path = options.paths[i] + "/.kafka_cleanshutdown";
      ASSERT_TRUE((*disk.open(path, OpenMode::kCreate))->write_at(0, as_bytes(markers[i])));
    }
    EXPECT_EQ((*LogDirs::open(options, disk, rng, log))->previous_broker_epoch(), epoch)
        << markers[0] << markers[1];
  }
}

}  // namespace
}  // namespace milena::broker
