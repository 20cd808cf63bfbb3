#include "fuzz/entry.hpp"
#include "fuzz/wire_targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return hawser::fuzz::run(data, size, [](auto& pool, auto input) {
    const auto violation = hawser::fuzz::check_membership(pool, input, false);
    return violation != nullptr ? violation : hawser::fuzz::check_membership(pool, input, true);
  });
}
