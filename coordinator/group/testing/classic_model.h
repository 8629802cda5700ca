// ClassicModel: a classic group the plain way. One vector of members, deadlines that are looked through one
// by one, no records, no timers: what the machine says is compared with this.
//
// It knows one thing that no client may rely on: the order of the members, by which a group finds its next
// leader.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/runtime/outcome.h"
#include "protocol/error_code.h"

namespace milena::coordinator::testing_support {

class ClassicModel {
 public:
  using Protocols = std::vector<std::pair<std::string, std::string>>;

  // What a request is told. Fields that its kind of answer lacks stay as they are.
  struct Answer {
    ErrorCode error = ErrorCode::kNone;
    std::string member_id{};
    std::int32_t generation = -1;
    std::string leader{};
    std::string protocol{};
    std::size_t listed_members = 0;
    bool skip_assignment = false;
    std::string assignment{};

    bool operator==(const Answer&) const = default;
  };
  using Answers = std::map<ReplyToken, Answer>;

  struct Join {
    std::string member_id;
    std::optional<std::string> instance_id;
    Protocols protocols;
    std::int32_t session_timeout_ms = 0;
    std::int32_t rebalance_timeout_ms = 0;
    int version = 9;
  };

  ClassicModel(std::int32_t initial_delay_ms, std::size_t max_size)
      : initial_delay_ms_(initial_delay_ms), max_size_(max_size) {}

  // Each adds to the answers what this request and others hear. `fresh_id`: the id that a new member would
  // get.
  void join(std::int64_t now, ReplyToken token, const Join& request, const std::string& fresh_id);
  void sync(std::int64_t now, ReplyToken token, const std::string& member_id,
            const std::optional<std::string>& instance_id, std::int32_t generation,
            const std::map<std::string, std::string>& assignments);
  void heartbeat(std::int64_t now, ReplyToken token, const std::string& member_id,
                 const std::optional<std::string>& instance_id, std::int32_t generation);
  void leave(std::int64_t now, ReplyToken token, const std::string& member_id,
             const std::optional<std::string>& instance_id);
  ErrorCode commit(std::int64_t now, const std::string& member_id, std::int32_t generation);
  // False if two things fall due at the same moment: their order is nobody's promise.
  bool advance(std::int64_t from, std::int64_t to);
  // The coordinator forgets what is not in the log.
  void restart(std::int64_t now);

  Answers take_answers() { return std::exchange(answers_, {}); }
  bool exists() const { return exists_; }
  const std::string& state() const { return state_; }
  std::int32_t generation() const { return generation_; }
  std::vector<std::string> member_ids() const;

 private:
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    Protocols protocols;
    std::int32_t session_timeout_ms = 0;
    std::int32_t rebalance_timeout_ms = 0;
    std::string assignment;
    std::int64_t session_deadline = 0;
    bool session_runs = true;  // it rings once; while the member waits for an answer it rings in vain
    bool is_new = false;
    bool must_sync = false;
    ReplyToken join = 0;
    ReplyToken sync = 0;
  };
  struct Stored {
    std::int32_t generation = 0;
    std::string protocol;
    std::string leader;
    std::vector<Member> members;
  };

  Member* find(const std::string& id);
  Member* find_static(const std::string& instance_id);
  ErrorCode validate(const std::string& id, const std::optional<std::string>& instance_id);
  bool all_joined() const;
  std::size_t joined_count() const;
  std::int32_t longest_rebalance() const;
  std::string elect_protocol() const;
  bool supports(const Protocols& protocols) const;
  void add(std::int64_t now, ReplyToken token, const Join& request, const std::string& id);
  void update(std::int64_t now, ReplyToken token, const Join& request, Member& member);
  void replace(std::int64_t now, ReplyToken token, const Join& request, Member& member,
               const std::string& id);
  void remove(std::int64_t now, const std::string& id, ErrorCode error);
  void rebalance(std::int64_t now);
  void prepare(std::int64_t now);
  void complete(std::int64_t now);
  void maybe_complete(std::int64_t now);
  Answer joined(const Member& member, bool with_members) const;
  void store();
  bool ring(std::int64_t now);
  std::vector<std::int64_t*> deadlines();

  const std::int32_t initial_delay_ms_;
  const std::size_t max_size_;
  bool exists_ = false;
  std::string state_ = "Empty";
  std::int32_t generation_ = 0;
  std::string protocol_;
  std::string leader_;
  std::vector<Member> members_;
  std::map<std::string, std::int64_t> pending_;
  std::int64_t join_deadline_ = -1;
  std::int64_t initial_deadline_ = -1;
  std::int64_t sync_deadline_ = -1;
  std::int32_t initial_remaining_ms_ = 0;
  bool somebody_came_ = false;
  Stored stored_;
  Answers answers_;
};

}  // namespace milena::coordinator::testing_support
