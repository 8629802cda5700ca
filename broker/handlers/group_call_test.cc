#include "broker/handlers/group_call.h"

#include <gtest/gtest.h>

namespace milena::broker {
namespace {

TEST(JavaAddress, IsWrittenAsJavaPrintsIt) {
  EXPECT_EQ(java_address("127.0.0.1"), "/127.0.0.1");
  EXPECT_EQ(java_address("::1"), "/0:0:0:0:0:0:0:1");
  EXPECT_EQ(java_address("fe80::a0:1%eth0"), "/fe80:0:0:0:0:0:a0:1");
}

}  // namespace
}  // namespace milena::broker
