#include "broker/config/environment.h"

#include <gtest/gtest.h>

namespace milena::broker {
namespace {

using Settings = std::vector<NamedText>;

TEST(Environment, NamesBecomeKeysByTheRulesOfKafkasImages) {
  EXPECT_EQ(read_environment({{"KAFKA_LOG_DIRS", "/data"},
                              {"KAFKA_LISTENER_NAME_SECURE_SCRAM___SHA___512_SASL_JAAS_CONFIG", "x"},
                              {"KAFKA_LISTENER_NAME_SECURE_SCRAM-SHA-512_SASL_JAAS_CONFIG", "y"},
                              {"KAFKA_A__B", "z"},
                              {"PATH", "/bin"}}),
            (Settings{{"a_b", "z"},
                      {"listener.name.secure.scram-sha-512.sasl.jaas.config", "y"},
                      {"log.dirs", "/data"}}));
}

TEST(Environment, PlainVariablesWinOverBitnamis) {
  EXPECT_EQ(read_environment(
                {{"KAFKA_CFG_NODE_ID", "3"}, {"KAFKA_CFG_NUM_PARTITIONS", "5"}, {"KAFKA_NODE_ID", "4"}}),
            (Settings{{"node.id", "4"}, {"num.partitions", "5"}}));
}

TEST(Environment, TheClusterIdHasSeveralNames) {
  for (const char* name :
       {"CLUSTER_ID", "KAFKA_CLUSTER_ID", "KAFKA_KRAFT_CLUSTER_ID", "KAFKA_CFG_MILENA_CLUSTER_ID"}) {
    EXPECT_EQ(read_environment({{name, "kraftCluster"}}), (Settings{{"milena.cluster.id", "kraftCluster"}}))
        << name;
  }
  EXPECT_EQ(read_environment({{"KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN"}}),
            (Settings{{"milena.log.level", "WARN"}}));
}

TEST(Environment, VariablesForTheJvmAreNoConfiguration) {
  for (const char* name :
       {"KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_JMX_OPTS", "KAFKA_JMX_PORT", "KAFKA_LOG4J_OPTS",
        "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_GC_LOG_OPTS", "KAFKA_VERSION"}) {
    EXPECT_TRUE(read_environment({{name, "-Xmx1G"}}).empty()) << name;
  }
}

TEST(Environment, WhatKubernetesMakesUpForAServiceCalledKafkaIsIgnored) {
  EXPECT_TRUE(read_environment({{"KAFKA_PORT", "tcp://10.0.0.1:9092"},
                                {"KAFKA_SERVICE_HOST", "10.0.0.1"},
                                {"KAFKA_SERVICE_PORT", "9092"},
                                {"KAFKA_SERVICE_PORT_CLIENT", "9092"},
                                {"KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"},
                                {"KAFKA_PORT_9092_TCP_PROTO", "tcp"},
                                {"KAFKA_PORT_9092_TCP_PORT", "9092"},
                                {"KAFKA_UI_SERVICE_HOST", "10.0.0.2"},
                                {"KAFKA_UI_PORT", "tcp://10.0.0.2:8080"}})
                  .empty());
}

}  // namespace
}  // namespace milena::broker
