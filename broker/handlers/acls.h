// DescribeAcls, CreateAcls, DeleteAcls, versions 1-3: there is no authorizer, so that there are no ACLs:
// SECURITY_DISABLED, as on a Kafka without one. A request with an element of the kind "unknown" (0) closes
// the connection, as in Kafka.
#pragma once

#include "broker/handlers/call.h"
#include "protocol/create_acls.gen.h"
#include "protocol/delete_acls.gen.h"
#include "protocol/describe_acls.gen.h"

namespace milena::broker {

void describe_acls(Call& call, const protocol::DescribeAclsRequest& request, Responder responder);
void create_acls(Call& call, const protocol::CreateAclsRequest& request, Responder responder);
void delete_acls(Call& call, const protocol::DeleteAclsRequest& request, Responder responder);

}  // namespace milena::broker
