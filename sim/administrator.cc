// Topics that are made and deleted, and settings that are changed.
#include <fmt/format.h>

#include <set>
#include <vector>

#include "protocol/delete_topics.gen.h"
#include "protocol/describe_configs.gen.h"
#include "protocol/error_code.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/metadata.gen.h"
#include "sim/client.h"
#include "sim/requests.h"
#include "sim/scripts.h"

namespace milena::sim {
namespace {

constexpr Instant kAfterLoss{50};
constexpr int kAlterVersion = 1, kDescribeVersion = 4;

// A setting of a topic, or of all brokers.
struct Setting {
  std::int8_t resource_type;
  std::string_view resource, name;
};
constexpr Setting kOfTopic{2, World::kDiary, "segment.ms"}, kOfBrokers{4, "", "log.roll.jitter.ms"};

Co<> change(World& world, Client& client, Setting setting, std::string value) {
  Arena arena;
  using Resource = protocol::IncrementalAlterConfigsRequest::AlterConfigsResource;
  protocol::IncrementalAlterConfigsRequest request;
  request.resources = arena.array<Resource>(1);
  request.resources[0].resource_type = setting.resource_type;
  request.resources[0].resource_name = setting.resource;
  request.resources[0].configs = arena.array<Resource::AlterableConfig>(1);
  request.resources[0].configs[0] = {setting.name, 0, value};
  world.history().sets(std::string(setting.name), value);
  const auto answer = co_await client.ask<protocol::IncrementalAlterConfigsResponse>(request, kAlterVersion);
  if (!answer) co_return co_await client.sleep(kAfterLoss);
  if (answer->responses[0].error_code == ErrorCode::kNone)
    world.history().has_set(std::string(setting.name), value);
}

Co<> look_at(World& world, Client& client, Setting setting) {
  Arena arena;
  protocol::DescribeConfigsRequest request;
  request.resources = arena.array<protocol::DescribeConfigsRequest::DescribeConfigsResource>(1);
  request.resources[0].resource_type = setting.resource_type;
  request.resources[0].resource_name = setting.resource;
  request.resources[0].configuration_keys = arena.array<std::string_view>(1);
  (*request.resources[0].configuration_keys)[0] = setting.name;
  const auto answer = co_await client.ask<protocol::DescribeConfigsResponse>(request, kDescribeVersion);
  if (!answer || answer->results[0].error_code != ErrorCode::kNone) co_return;
  if (answer->results[0].configs.empty())
    co_return world.history().saw_setting(std::string(setting.name), "");
  world.history().saw_setting(std::string(setting.name),
                              std::string(answer->results[0].configs[0].value.value_or("")));
}

}  // namespace

Co<> administrator(World& world, std::string name) {
  Client client(world.network(), name);
  std::vector<std::string> made;
  for (int n = 0; !world.is_closing(); ++n) {
    Arena arena;
    if (made.size() > 2) {
      const std::string topic = made.front();
      protocol::DeleteTopicsRequest request{.timeout_ms = 10'000};
      request.topics = arena.array<protocol::DeleteTopicsRequest::DeleteTopicState>(1);
      request.topics[0].name = topic;
      world.history().undecided(topic);
      const auto answer = co_await client.ask<protocol::DeleteTopicsResponse>(request, 6);
      if (answer && (answer->responses[0].error_code == ErrorCode::kNone ||
                     answer->responses[0].error_code == ErrorCode::kUnknownTopicOrPartition)) {
        world.history().deleted(topic);
        made.erase(made.begin());
      }
      if (!answer) co_await client.sleep(kAfterLoss);
    } else {
      const std::string topic = fmt::format("{}-{}", name, n);
      const auto answer = co_await client.ask<protocol::CreateTopicsResponse>(
          create_topic(arena, topic, 1 + world.one_of(3)), kCreateVersion);
      if (answer && answer->topics[0].error_code == ErrorCode::kNone) {
        world.history().created(topic);
        made.push_back(topic);
      }
      if (!answer) co_await client.sleep(kAfterLoss);
    }
    const auto all = co_await client.ask<protocol::MetadataResponse>(
        protocol::MetadataRequest{.topics = std::nullopt, .allow_auto_topic_creation = false}, 9);
    if (all) {
      std::set<std::string> topics;
      for (const auto& topic : all->topics) topics.emplace(topic.name.value_or(""));
      world.history().saw_topics(topics);
    }
    co_await client.sleep(world.up_to(300));
  }
}

Co<> configurator(World& world, std::string name) {
  Client client(world.network(), name);
  for (int n = 0; !world.is_closing(); ++n) {
    const Setting setting = world.rng().one_in(2) ? kOfTopic : kOfBrokers;
    co_await change(world, client, setting, std::to_string(300 + n));
    co_await look_at(world, client, setting);
    co_await client.sleep(world.up_to(300));
  }
}

}  // namespace milena::sim
