#include "broker/handlers/acls.h"

#include <algorithm>
#include <string_view>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

constexpr std::string_view kNoAuthorizer = "This broker has no authorizer: there are no ACLs.";
constexpr const char* kUnknownElement = "a request about ACLs has an element of unknown kind";

bool is_unknown(const auto& filter) {
  return filter.resource_type_filter == 0 || filter.pattern_type_filter == 0 || filter.operation == 0 ||
         filter.permission_type == 0;
}

bool is_unknown(const protocol::CreateAclsRequest::AclCreation& acl) {
  return acl.resource_type == 0 || acl.resource_pattern_type == 0 || acl.operation == 0 ||
         acl.permission_type == 0;
}

}  // namespace

void describe_acls(Call& /*call*/, const protocol::DescribeAclsRequest& request, Responder responder) {
  if (is_unknown(request)) return responder.close(kUnknownElement);
  responder.send(protocol::DescribeAclsResponse{.error_code = ErrorCode::kSecurityDisabled,
                                                .error_message = kNoAuthorizer});
}

void create_acls(Call& call, const protocol::CreateAclsRequest& request, Responder responder) {
  if (std::ranges::any_of(request.creations, [](const auto& acl) { return is_unknown(acl); })) {
    return responder.close(kUnknownElement);
  }
  protocol::CreateAclsResponse response;
  response.results =
      call.arena.array<protocol::CreateAclsResponse::AclCreationResult>(request.creations.size());
  for (auto& result : response.results) {
    result.error_code = ErrorCode::kSecurityDisabled;
    result.error_message = kNoAuthorizer;
  }
  responder.send(response);
}

void delete_acls(Call& call, const protocol::DeleteAclsRequest& request, Responder responder) {
  if (std::ranges::any_of(request.filters, [](const auto& filter) { return is_unknown(filter); })) {
    return responder.close(kUnknownElement);
  }
  protocol::DeleteAclsResponse response;
  response.filter_results =
      call.arena.array<protocol::DeleteAclsResponse::DeleteAclsFilterResult>(request.filters.size());
  for (auto& result : response.filter_results) {
    result.error_code = ErrorCode::kSecurityDisabled;
    result.error_message = kNoAuthorizer;
  }
  responder.send(response);
}

}  // namespace milena::broker
