// batch-compare: our half of the comparison with Kafka's classes in compat-tests/batches.
//
//   batch-compare random SEED COUNT   prints `HEX TEXT` for random batches that our builder wrote
//   batch-compare cases SEED COUNT    prints `RULES HEX` for produce payloads, most of them broken
//   batch-compare describe            reads lines `HEX`, prints the TEXT of each
//   batch-compare judge               reads lines `RULES HEX VERDICT`, prints where we disagree with the
//   verdict
#include <iostream>
#include <string>
#include <string_view>

#include "protocol/hex.h"
#include "protocol/testing/batch_text.h"

namespace milena::protocol::testing {
namespace {

std::string describe(std::string_view hex) {
  const auto bytes = from_hex(hex.substr(0, hex.find(' ')));
  if (!bytes) return "bad hex";
  const auto batch = RecordBatchView::parse(*bytes);
  return batch ? batch_text(*batch) : std::string("unreadable: ") + batch.error().why;
}

int run(std::string_view mode, std::uint64_t seed, int count) {
  SeededRng rng(seed);
  for (int i = 0; i < count; ++i) {
    if (mode == "cases") {
      std::cout << random_case(rng) << '\n';
    } else {
      const auto batch = random_batch(rng);
      std::cout << to_hex(batch) << ' ' << batch_text(RecordBatchView::parse(batch).value()) << '\n';
    }
  }
  bool agreed = true;
  for (std::string line; count == 0 && std::getline(std::cin, line);) {
    const std::string out = mode == "judge" ? disagreement(line) : describe(line);
    agreed = agreed && (mode != "judge" || out.empty());
    if (!out.empty()) std::cout << out << '\n';
  }
  return std::cout.flush() && agreed ? 0 : 1;
}

}  // namespace
}  // namespace milena::protocol::testing

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const bool writes = mode == "random" || mode == "cases";
  if ((!writes && mode != "describe" && mode != "judge") || argc != (writes ? 4 : 2)) {
    std::cerr << "batch-compare random|cases SEED COUNT, or batch-compare describe|judge\n";
    return 2;
  }
  return writes ? milena::protocol::testing::run(mode, std::stoull(argv[2]), std::stoi(argv[3]))
                : milena::protocol::testing::run(mode, 0, 0);
}
