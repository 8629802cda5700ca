// ReplicaPlacement: at a start, what lies in the log directories is held against what the metadata says
// should be there. Decides where each partition of this node is opened or made, and what is none of the
// metadata's.
//
// Values; used on the starting thread. find_replicas() reads small files on several threads.
//
// A directory counts as ours only with a valid partition.metadata, or where the metadata places that very
// partition. Nothing here changes a file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/async/runtime.h"
#include "base/uuid.h"
#include "broker/partition/log_dirs.h"
#include "controller/image/metadata_image.h"
#include "protocol/types.h"
#include "storage/log_directory.h"
#include "storage/partition_metadata.h"
#include "storage/partition_name.h"

namespace milena::broker {

// A directory that is named like one of a partition.
struct FoundReplica {
  storage::LogDirectory* directory = nullptr;
  storage::PartitionName name{};
  storage::PartitionMetadata metadata{};
  const char* unreadable = nullptr;  // why its partition.metadata could not be read
};

// Everything in the usable directories that is named like a partition, but for the metadata log, by that
// name.
std::multimap<storage::TopicPartition, FoundReplica> find_replicas(const LogDirs& dirs, Runtime& runtime,
                                                                   std::size_t threads);

// Where one partition of this node is.
struct ReplicaPlacement {
  enum class Action {
    kOpen,           // in `directory`
    kRepairAndOpen,  // the same, once its partition.metadata is written anew
    kTakeBack,       // the same, once the directory `stray` has its name again
    kCreate,         // in `directory`; where null, wherever there is room
    kOffline,        // nowhere, for the reason in `why`
  };
  Action action = Action::kOffline;
  storage::LogDirectory* directory = nullptr;
  std::string why{};  // also of kCreate, unless nothing is known to have been there
  // The directory that the metadata names and that knows of the partition, if this is another one.
  storage::LogDirectory* moved_from = nullptr;
  std::string stray{};  // of kTakeBack
};

class ReplicaPlacer {
 public:
  // All of these outlive the placer.
  ReplicaPlacer(const LogDirs& dirs, const std::multimap<storage::TopicPartition, FoundReplica>& found,
                const controller::MetadataImage& image, protocol::BrokerId self);

  ReplicaPlacement place(const controller::Topic& topic, protocol::PartitionId index,
                         const controller::Partition& state) const;

 private:
  ReplicaPlacement place_by_name(const controller::Topic& topic, protocol::PartitionId index,
                                 const controller::Partition& state) const;
  ReplicaPlacement place_stray(const std::vector<const FoundReplica*>& strays) const;
  ReplicaPlacement place_broken(const FoundReplica& replica) const;
  ReplicaPlacement place_missing(const storage::TopicPartition& name, const Uuid& assigned) const;

  const LogDirs& dirs_;
  const std::multimap<storage::TopicPartition, FoundReplica>& found_;
  const controller::MetadataImage& image_;
  const protocol::BrokerId self_;
  const bool dirs_complete_;
  std::map<Uuid, const FoundReplica*> misnamed_;  // by topic id
};

// Whose a directory is, by its partition.metadata and the metadata.
enum class ReplicaOwner {
  kThisNode,      // a partition of this node
  kNoTopic,       // ours, but the metadata knows no such topic, or gives the partition to others
  kDeletedTopic,  // renamed to *-delete after a committed record had removed the topic: may go
  kMisnamed,      // of a topic that the metadata knows, but no such partition of it: never touched
  kUnknown,       // not ours, set aside, or not understood: never touched
};
ReplicaOwner classify(const FoundReplica& replica, const controller::MetadataImage& image,
                      protocol::BrokerId self);

}  // namespace milena::broker
