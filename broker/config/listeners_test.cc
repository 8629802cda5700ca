#include "broker/config/listeners.h"

#include <gtest/gtest.h>

#include "base/config_def.h"

namespace milena::broker {
namespace {

constexpr std::string_view kDefaultMap =
    "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT";

ListenerSettings settings(std::string_view listeners,
                          std::optional<std::string_view> advertised = std::nullopt,
                          std::optional<std::string_view> map = std::nullopt) {
  ListenerSettings out{.listeners = split_config_list(listeners),
                       .advertised = std::nullopt,
                       .protocol_map = std::string(map.value_or(kDefaultMap)),
                       .protocol_map_is_default = !map,
                       .controller_names = {"CONTROLLER"}};
  if (advertised) out.advertised = split_config_list(*advertised);
  return out;
}

std::string error_of(const ListenerSettings& from) {
  const auto listeners = parse_listeners(from);
  return listeners ? "" : listeners.error();
}

TEST(Listeners, TheDefaultListensEverywhereAndAdvertisesWhatTheClientReached) {
  const auto listeners = parse_listeners(settings("PLAINTEXT://:9092"));
  ASSERT_TRUE(listeners);
  EXPECT_EQ(*listeners, (std::vector<ListenerConfig>{{.name = "PLAINTEXT",
                                                      .host = "",
                                                      .port = 9092,
                                                      .protocol = SecurityProtocol::kPlaintext,
                                                      .for_controllers = false,
                                                      .advertised_host = std::nullopt,
                                                      .advertised_port = 0}}));
}

TEST(Listeners, WhatTestcontainersWritesIsUnderstood) {
  const auto listeners = parse_listeners(
      settings("PLAINTEXT://0.0.0.0:9092,BROKER://0.0.0.0:9093,CONTROLLER://0.0.0.0:9094,TC-0://kafka:19092",
               "PLAINTEXT://localhost:32770,BROKER://3f2a:9093,TC-0://kafka:19092,CONTROLLER://0.0.0.0:9094,",
               "BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TC-0:PLAINTEXT"));
  ASSERT_TRUE(listeners) << listeners.error();
  ASSERT_EQ(listeners->size(), 4u);
  EXPECT_EQ((*listeners)[0].advertised_host, "localhost");
  EXPECT_EQ((*listeners)[0].advertised_port, 32770);
  EXPECT_EQ((*listeners)[1].advertised_host, "3f2a");
  EXPECT_TRUE((*listeners)[2].for_controllers);
  EXPECT_EQ((*listeners)[2].advertised_host, std::nullopt) << "0.0.0.0 counts as not given";
  EXPECT_EQ((*listeners)[3].name, "TC-0");
}

TEST(Listeners, NamesAreUpperCasedAndIpv6HostsLoseTheirBrackets) {
  const auto listeners = parse_listeners(settings("plaintext://[::1]:9092"));
  ASSERT_TRUE(listeners);
  EXPECT_EQ((*listeners)[0].name, "PLAINTEXT");
  EXPECT_EQ((*listeners)[0].host, "::1");
}

TEST(Listeners, MistakesAreToldInKafkasWords) {
  EXPECT_EQ(error_of(settings("PLAINTEXT:/x:1")),
            "Error creating broker listeners from 'PLAINTEXT:/x:1': Unable to parse PLAINTEXT:/x:1 to a "
            "broker endpoint");
  EXPECT_EQ(error_of(settings("PLAINTEXT://:99999")),
            "Error creating broker listeners from 'PLAINTEXT://:99999': Unable to parse PLAINTEXT://:99999 "
            "to a broker "
            "endpoint");
  EXPECT_EQ(error_of(settings("PLAINTEXT://:1,PLAINTEXT://:2")),
            "Error creating broker listeners from 'PLAINTEXT://:1,PLAINTEXT://:2': Each listener must have a "
            "different "
            "name, listeners: PLAINTEXT://:1,PLAINTEXT://:2");
  EXPECT_EQ(error_of(settings("PLAINTEXT://:1,SSL://:1")),
            "Error creating broker listeners from 'PLAINTEXT://:1,SSL://:1': Each listener must have a "
            "different port, "
            "listeners: PLAINTEXT://:1,SSL://:1");
  EXPECT_EQ(error_of(settings("INTERNAL://:1")),
            "Error creating broker listeners from 'INTERNAL://:1': No security protocol defined for listener "
            "INTERNAL");
  EXPECT_EQ(error_of(settings("A://:1", std::nullopt, "A:TLS")),
            "Invalid security protocol `TLS` defined in listener.security.protocol.map");
  EXPECT_EQ(error_of(settings("CONTROLLER://:1")),
            "There must be at least one broker advertised listener. Perhaps all listeners appear in "
            "controller.listener.names?");
  EXPECT_EQ(error_of(settings("PLAINTEXT://:1", "SSL://h:1")),
            "advertised.listeners listener names must be equal to or a subset of the ones defined in "
            "listeners. Found SSL. "
            "The valid options based on the current configuration are PLAINTEXT");
}

TEST(Listeners, OnePortMayServeIpv4AndIpv6) {
  EXPECT_EQ(error_of(settings("PLAINTEXT://127.0.0.1:9092,SSL://[::1]:9092")), "");
}

TEST(Listeners, HostAndPortAreTakenApart) {
  EXPECT_EQ(parse_host_port("a.b-c_d:1"), (std::pair<std::string, std::uint16_t>{"a.b-c_d", 1}));
  EXPECT_EQ(parse_host_port(":0"), (std::pair<std::string, std::uint16_t>{"", 0}));
  for (const char* wrong : {"a", "a:", "a:b", "a:-1", "a b:1", "a:65536", ""})
    EXPECT_FALSE(parse_host_port(wrong)) << wrong;
}

}  // namespace
}  // namespace milena::broker
