#include "broker/handlers/delegation_tokens.h"

#include <cstdint>
#include <string_view>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

constexpr auto kNotAllowed = ErrorCode::kDelegationTokenRequestNotAllowed;
constexpr std::int64_t kNoTime = -1;
// Who asks: the principal of a client that is not authenticated.
constexpr std::string_view kUserType = "User";
constexpr std::string_view kAnonymous = "ANONYMOUS";

}  // namespace

protocol::CreateDelegationTokenResponse create_delegation_token(
    Call& /*call*/, const protocol::CreateDelegationTokenRequest& request) {
  const auto owner = request.owner_principal_name.value_or("");
  return {.error_code = kNotAllowed,
          .principal_type = owner.empty() ? kUserType : request.owner_principal_type.value_or(kUserType),
          .principal_name = owner.empty() ? kAnonymous : owner,
          .token_requester_principal_type = kUserType,
          .token_requester_principal_name = kAnonymous,
          .issue_timestamp_ms = kNoTime,
          .expiry_timestamp_ms = kNoTime,
          .max_timestamp_ms = kNoTime};
}

protocol::RenewDelegationTokenResponse renew_delegation_token(
    Call& /*call*/, const protocol::RenewDelegationTokenRequest& /*request*/) {
  return {.error_code = kNotAllowed, .expiry_timestamp_ms = kNoTime};
}

protocol::ExpireDelegationTokenResponse expire_delegation_token(
    Call& /*call*/, const protocol::ExpireDelegationTokenRequest& /*request*/) {
  return {.error_code = kNotAllowed, .expiry_timestamp_ms = kNoTime};
}

protocol::DescribeDelegationTokenResponse describe_delegation_token(
    Call& /*call*/, const protocol::DescribeDelegationTokenRequest& /*request*/) {
  return {.error_code = kNotAllowed};
}

}  // namespace milena::broker
