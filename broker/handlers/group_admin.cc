#include "broker/handlers/group_admin.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "broker/coordinators/gather.h"
#include "broker/handlers/authorized_operations.h"
#include "broker/handlers/group_call.h"

namespace milena::broker {
namespace {

using protocol::ConsumerGroupDescribeRequest;
using protocol::ConsumerGroupDescribeResponse;
using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;
using Completions = std::vector<GroupCoordinator::Completion>;

// The groups that one shard is asked about.
struct Share {
  std::shared_ptr<GroupCoordinator::Host> host;  // null: nobody here knows them
  std::vector<std::string_view> group_ids;
};

std::vector<Share> shares_of(const GroupCoordinator& groups, std::span<const std::string_view> group_ids) {
  std::vector<Share> shares;
  std::map<const GroupCoordinator::Host*, std::size_t> places;
  for (const std::string_view id : group_ids) {
    auto found = groups.shards().find(id);
    auto host = found ? std::move(found->host) : nullptr;
    const auto [at, is_new] = places.try_emplace(host.get(), shares.size());
    if (is_new) shares.push_back({std::move(host), {}});
    shares[at->second].group_ids.push_back(id);
  }
  return shares;
}

// Puts the lists that `list` finds in the answers behind each other, in the request's arena.
template <class Response, class Element, class List>
std::span<Element> joined(Completions& answers, List list, Arena& arena) {
  std::size_t total = 0;
  for (auto& answer : answers) total += list(std::get<Response>(answer.reply)).size();
  auto all = arena.array<Element>(total);
  auto at = all.begin();
  for (auto& answer : answers) at = std::ranges::copy(list(std::get<Response>(answer.reply)), at).out;
  return all;
}

// Asks each shard for its share: `request_for(group_ids)` is what it is sent.
template <class RequestFor>
void ask_shares(const GroupCoordinator& groups, Call& call, std::span<const std::string_view> group_ids,
                RequestFor request_for, std::move_only_function<void(Completions&)> done) {
  auto shares = shares_of(groups, group_ids);
  const auto context = group_context(call);
  Arena& arena = call.arena;
  // The requests first: as soon as all have been asked, the arena belongs to whoever answers.
  using Request = decltype(request_for(std::span<std::string_view>{}));
  std::vector<Request> requests;
  for (const Share& share : shares) {
    auto ids = arena.array<std::string_view>(share.group_ids.size());
    std::ranges::copy(share.group_ids, ids.begin());
    requests.push_back(request_for(ids));
  }
  gather<GroupCoordinator::Completion>(
      shares.size(),
      [&](std::size_t i, GroupCoordinator::Answer answer) {
        if (shares[i].host != nullptr) return shares[i].host->ask(context, requests[i], std::move(answer));
        GroupCoordinator::refuse(context, requests[i], std::move(answer));
      },
      std::move(done));
}

}  // namespace

void GroupAdminHandlers::list(Call& call, const ListGroupsRequest& request, Responder responder) {
  const auto hosts = groups_.shards().hosts();
  const auto context = group_context(call);
  gather<GroupCoordinator::Completion>(
      hosts->size(),
      [&](std::size_t i, GroupCoordinator::Answer answer) {
        (*hosts)[i]->ask(context, request, std::move(answer));
      },
      [responder = std::move(responder)](Completions& answers) mutable {
        ListGroupsResponse response;
        for (auto& answer : answers) {
          auto& part = std::get<ListGroupsResponse>(answer.reply);
          // Shards that moved to another broker are listed there.
          if (part.error_code == ErrorCode::kNotCoordinator) {
            part = {};
          } else if (part.error_code != ErrorCode::kNone) {
            response.error_code = part.error_code;
          }
        }
        if (response.error_code == ErrorCode::kNone) {
          response.groups = joined<ListGroupsResponse, ListGroupsResponse::ListedGroup>(
              answers, [](auto& part) { return part.groups; }, responder.request().arena());
        }
        responder.send(response);
      });
}

void GroupAdminHandlers::describe(Call& call, const DescribeGroupsRequest& request, Responder responder) {
  using Group = DescribeGroupsResponse::DescribedGroup;
  ask_shares(
      groups_, call, request.groups,
      [&](std::span<std::string_view> ids) {
        DescribeGroupsRequest part = request;
        part.groups = ids;
        return part;
      },
      [responder = std::move(responder),
       with_operations = request.include_authorized_operations](Completions& answers) mutable {
        DescribeGroupsResponse response;
        response.groups = joined<DescribeGroupsResponse, Group>(
            answers, [](auto& part) { return part.groups; }, responder.request().arena());
        for (Group& group : response.groups) {
          const bool tell = with_operations && group.error_code == ErrorCode::kNone;
          group.authorized_operations = tell ? kAllGroupOperations : kOperationsNotAsked;
        }
        responder.send(response);
      });
}

void GroupAdminHandlers::describe_consumer_groups(Call& call, const ConsumerGroupDescribeRequest& request,
                                                  Responder responder) {
  using Group = ConsumerGroupDescribeResponse::DescribedGroup;
  if (!consumer_groups_()) {
    ConsumerGroupDescribeResponse refusal;
    refusal.groups = call.arena.array<Group>(request.group_ids.size());
    for (std::size_t i = 0; i < refusal.groups.size(); ++i) {
      refusal.groups[i].group_id = request.group_ids[i];
      refusal.groups[i].error_code = ErrorCode::kUnsupportedVersion;
    }
    return responder.send(refusal);
  }
  std::vector<std::string_view> named;
  for (const auto id : request.group_ids) {
    if (!id.empty()) named.push_back(id);
  }
  const std::size_t nameless = request.group_ids.size() - named.size();
  ask_shares(
      groups_, call, named,
      [&](std::span<std::string_view> ids) {
        ConsumerGroupDescribeRequest part = request;
        part.group_ids = ids;
        return part;
      },
      [responder = std::move(responder), nameless,
       with_operations = request.include_authorized_operations](Completions& answers) mutable {
        Arena& arena = responder.request().arena();
        const auto found = joined<ConsumerGroupDescribeResponse, Group>(
            answers, [](auto& part) { return part.groups; }, arena);
        for (Group& group : found) {
          const bool tell = with_operations && group.error_code == ErrorCode::kNone;
          group.authorized_operations = tell ? kAllGroupOperations : kOperationsNotAsked;
        }
        ConsumerGroupDescribeResponse response;
        response.groups = arena.array<Group>(nameless + found.size());
        for (Group& group : response.groups.first(nameless)) group.error_code = ErrorCode::kInvalidGroupId;
        std::ranges::copy(found, response.groups.subspan(nameless).begin());
        responder.send(response);
      });
}

void GroupAdminHandlers::remove(Call& call, const DeleteGroupsRequest& request, Responder responder) {
  std::set<std::string_view> seen;
  std::vector<std::string_view> distinct;
  for (const auto id : request.groups_names) {
    if (seen.insert(id).second) distinct.push_back(id);
  }
  ask_shares(
      groups_, call, distinct,
      [&](std::span<std::string_view> ids) {
        DeleteGroupsRequest part = request;
        part.groups_names = ids;
        return part;
      },
      [responder = std::move(responder)](Completions& answers) mutable {
        DeleteGroupsResponse response;
        response.results = joined<DeleteGroupsResponse, DeleteGroupsResponse::DeletableGroupResult>(
            answers, [](auto& part) { return part.results; }, responder.request().arena());
        responder.send(response);
      });
}

}  // namespace milena::broker
