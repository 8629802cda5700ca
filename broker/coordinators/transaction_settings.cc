#include "broker/coordinators/transaction_settings.h"

#include "broker/node_settings.h"

namespace milena::broker {

std::shared_ptr<const coordinator::TransactionConfig> transaction_config(
    const StaticConfig& settings, const controller::MetadataImage& image) {
  auto config = std::make_shared<coordinator::TransactionConfig>();
  config->transaction_max_timeout_ms =
      static_cast<std::int32_t>(settings.number("transaction.max.timeout.ms"));
  config->transactional_id_expiration_ms = settings.number("transactional.id.expiration.ms");
  config->abort_timed_out_transaction_cleanup_interval_ms =
      settings.number("transaction.abort.timed.out.transaction.cleanup.interval.ms");
  config->remove_expired_transaction_cleanup_interval_ms =
      settings.number("transaction.remove.expired.transaction.cleanup.interval.ms");
  config->two_phase_commit_enable = settings.flag("transaction.two.phase.commit.enable");
  config->transaction_version = image.feature(kTransactionVersion);
  return config;
}

}  // namespace milena::broker
