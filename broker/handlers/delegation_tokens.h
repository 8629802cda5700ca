// CreateDelegationToken 1-3, RenewDelegationToken 1-2, ExpireDelegationToken 1-2, DescribeDelegationToken 1-3
// (KIP-48): a token stands for a principal that authenticated itself, and on a listener without
// authentication nobody has: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, as in Kafka, whatever is asked. All
// listeners of this broker are of that kind.
#pragma once

#include "broker/handlers/call.h"
#include "protocol/create_delegation_token.gen.h"
#include "protocol/describe_delegation_token.gen.h"
#include "protocol/expire_delegation_token.gen.h"
#include "protocol/renew_delegation_token.gen.h"

namespace milena::broker {

protocol::CreateDelegationTokenResponse create_delegation_token(
    Call& call, const protocol::CreateDelegationTokenRequest& request);
protocol::RenewDelegationTokenResponse renew_delegation_token(
    Call& call, const protocol::RenewDelegationTokenRequest& request);
protocol::ExpireDelegationTokenResponse expire_delegation_token(
    Call& call, const protocol::ExpireDelegationTokenRequest& request);
protocol::DescribeDelegationTokenResponse describe_delegation_token(
    Call& call, const protocol::DescribeDelegationTokenRequest& request);

}  // namespace milena::broker
