#include "broker/config/cluster_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "broker/config/broker_config.h"

namespace milena::broker {
namespace {

constexpr std::string_view kWithController =
    "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER\n";

// Why a node does not start with this server.properties; empty when it does.
std::string refusal(std::string_view text) {
  auto settings = StaticConfig::read({.file_name = "server.properties", .file_text = std::string(text)});
  if (!settings) return settings.error();
  MachineFacts machine;
  machine.is_this_machine = [](std::string_view host) { return is_loopback(host) || host == "this.host"; };
  auto config = BrokerConfig::make(*std::move(settings), machine);
  return config ? "" : config.error();
}

std::string with_controller(std::string_view more) { return std::string(kWithController).append(more); }

TEST(ClusterKeys, ANodeIsBrokerAndControllerInAnyOrder) {
  EXPECT_EQ(refusal(""), "");
  EXPECT_EQ(refusal("process.roles=broker,controller"), "");
  EXPECT_EQ(refusal("process.roles=controller, broker"), "");
  EXPECT_EQ(refusal("process.roles=broker"),
            "process.roles is broker, but this version runs a single node that is broker, controller and the "
            "only voter of its quorum: set process.roles=broker,controller or leave the key out");
  EXPECT_NE(refusal("process.roles=controller"), "");
}

TEST(ClusterKeys, TheOnlyVoterIsThisNode) {
  EXPECT_EQ(refusal(with_controller("node.id=3\ncontroller.quorum.voters=3@anywhere:9093")), "");
  EXPECT_EQ(refusal("controller.quorum.voters="), "");
  EXPECT_EQ(refusal("controller.quorum.voters=01@localhost:9093"), "") << "the same number";
  EXPECT_EQ(refusal("controller.quorum.voters=1@a:9093,2@b:9093,3@c:9093"),
            "controller.quorum.voters names the nodes 1, 2, 3, but this version runs a single node that is "
            "broker, controller and the only voter of its quorum, node.id 1: name only that one or leave the "
            "key out");
  EXPECT_NE(refusal("controller.quorum.voters=2@localhost:9093"), "");
  EXPECT_NE(refusal("node.id=2\ncontroller.quorum.voters=1@localhost:9093"), "");
}

TEST(ClusterKeys, TheOnlyBootstrapServerIsTheControllerListenerOfThisNode) {
  const auto bootstrap = [](std::string_view servers) {
    return refusal(with_controller("controller.quorum.bootstrap.servers=").append(servers));
  };
  EXPECT_EQ(bootstrap("localhost:9093"), "");
  EXPECT_EQ(bootstrap("127.0.0.1:9093"), "");
  EXPECT_EQ(bootstrap("[::1]:9093"), "");
  EXPECT_EQ(bootstrap("0.0.0.0:9093"), "");
  EXPECT_EQ(bootstrap("this.host:9093"), "");
  EXPECT_EQ(bootstrap(""), "");
  EXPECT_EQ(bootstrap("other.host:9093"),
            "controller.quorum.bootstrap.servers is other.host:9093, but this version runs a single node "
            "that is broker, controller and the only voter of its quorum: name only a listener of this node "
            "that is listed in both listeners and controller.listener.names, or leave the key out");
  EXPECT_NE(bootstrap("localhost:9092"), "") << "that listener is for clients";
  EXPECT_NE(bootstrap("localhost:9094"), "");
  EXPECT_NE(bootstrap("localhost:9093,localhost:9093"), "");
  EXPECT_NE(bootstrap("localhost:9093,other.host:9093"), "");
  EXPECT_NE(refusal("controller.quorum.bootstrap.servers=localhost:9093"), "") << "nobody listens there";
}

TEST(ClusterKeys, TheHostOfABootstrapServerIsCompared) {
  const auto with_host = [](std::string_view host, std::string_view server) {
    return refusal("listeners=PLAINTEXT://:9092,CONTROLLER://" + std::string(host) +
                   ":9093\ncontroller.quorum.bootstrap.servers=" + std::string(server));
  };
  EXPECT_EQ(with_host("10.1.2.3", "10.1.2.3:9093"), "");
  EXPECT_EQ(with_host("this.host", "localhost:9093"), "");
  EXPECT_NE(with_host("10.1.2.3", "10.1.2.4:9093"), "");
  EXPECT_EQ(refusal("listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n"
                    "advertised.listeners=PLAINTEXT://pub:9092,CONTROLLER://pub:29093\n"
                    "controller.quorum.bootstrap.servers=pub:29093"),
            "")
      << "what it is advertised as";
}

TEST(ClusterKeys, VariablesCountAsTheFileDoes) {
  const auto settings = StaticConfig::read({.environment = {{"KAFKA_PROCESS_ROLES", "broker"}}});
  ASSERT_TRUE(settings);
  EXPECT_FALSE(BrokerConfig::make(*settings, {}));
}

}  // namespace
}  // namespace milena::broker
