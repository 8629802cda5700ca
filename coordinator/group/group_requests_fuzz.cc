// Requests of anything: a shard answers each of them once, whatever they ask and in whatever order.
//
// Input: steps, one after the other. Kind u8; of a request also its version u8, size u16 and body.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "base/assert.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/group/testing/fake_metadata.h"
#include "coordinator/group/testing/group_text.h"
#include "coordinator/runtime/shard.h"
#include "coordinator/runtime/testing/fake_log.h"

namespace {

using namespace milena;                                // NOLINT(google-build-using-namespace)
using namespace milena::coordinator;                   // NOLINT(google-build-using-namespace)
using namespace milena::coordinator::testing_support;  // NOLINT(google-build-using-namespace)

class Player {
 public:
  explicit Player(BytesView input) : rest_(input) {
    metadata_->add("t", 3).add("u", 1);
    log_.commit_on_append(true);
    shard_.begin_load();
    shard_.finish_load(now_, 0);
  }

  void play() {
    while (!rest_.empty()) step();
    shard_.unload(ErrorCode::kNotCoordinator);
    collect();
    MILENA_ASSERT(open_.empty(), "every request is answered");
  }

 private:
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }

  void step() {
    switch (byte() % 16) {
      case 0:
        return request<protocol::JoinGroupRequest>();
      case 1:
        return request<protocol::SyncGroupRequest>();
      case 2:
        return request<protocol::HeartbeatRequest>();
      case 3:
        return request<protocol::LeaveGroupRequest>();
      case 4:
        return request<protocol::OffsetCommitRequest>();
      case 5:
        return request<protocol::TxnOffsetCommitRequest>();
      case 6:
        return request<protocol::OffsetDeleteRequest>();
      case 7:
        return request<protocol::DeleteGroupsRequest>();
      case 8:
        return request<protocol::DescribeGroupsRequest>();
      case 9:
        return request<protocol::ListGroupsRequest>();
      case 10:
        return request<protocol::ConsumerGroupHeartbeatRequest>();
      case 11:
        return request<protocol::ConsumerGroupDescribeRequest>();
      case 12:
        return fetch();
      case 13:
        return log_.fail_next(ErrorCode::kNotEnoughReplicas);
      default:
        pass_time(1 + byte() * byte());
    }
  }

  template <class Request>
  std::optional<Request> read(std::int16_t& version) {
    version = static_cast<std::int16_t>(
        Request::kInfo.min_version + byte() % (Request::kInfo.max_version - Request::kInfo.min_version + 1));
    const std::size_t size =
        std::min<std::size_t>(static_cast<std::size_t>(byte()) << 8 | byte(), rest_.size());
    const BytesView body = rest_.first(size);
    rest_ = rest_.subspan(size);
    const auto request = protocol::decode<Request>(body, version, arena_);
    return request ? std::optional(*request) : std::nullopt;
  }
  template <class Request>
  void request() {
    std::int16_t version = 0;
    if (const auto request = read<Request>(version)) send(*request, version);
  }
  void fetch() {
    std::int16_t version = 0;
    const auto request = read<protocol::OffsetFetchRequest>(version);
    if (!request) return;
    for (const auto& group : request->groups) send(FetchOffsets{group, request->require_stable}, version);
  }
  void send(const auto& request, std::int16_t version) {
    open_.insert(++token_);
    shard_.handle(now_, token_, RequestContext{version, "client", "/127.0.0.1", nullptr}, request);
    collect();
  }
  void pass_time(int ms) {
    now_.instant += Instant{ms};
    now_.wall_ms += ms;
    shard_.tick(now_);
    collect();
  }
  void collect() {
    std::vector<Completion<GroupReply>> replies;
    shard_.take_replies(replies);
    for (const auto& reply : replies) MILENA_ASSERT(open_.erase(reply.token) == 1, "and only once");
    if (shard_.machine() == nullptr) return;
    for (const Group* group : shard_.machine()->groups().sorted()) {
      MILENA_ASSERT(broken_invariant(*group).empty(), "whatever clients ask");
    }
  }

  BytesView rest_;
  Arena arena_;
  Now now_{Instant{1'000}, 1'700'000'000'000};
  std::shared_ptr<FakeMetadata> metadata_ = std::make_shared<FakeMetadata>();
  SeededRng rng_{1};
  FakeLog log_;
  Shard<GroupMachine> shard_{
      [this] { return std::make_unique<GroupMachine>(std::make_shared<GroupConfig>(), metadata_, rng_); },
      log_};
  ReplyToken token_ = 0;
  std::set<ReplyToken> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Player(std::as_bytes(std::span(data, size))).play();
  return 0;
}
