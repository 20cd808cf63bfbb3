#include "fuzz/entry.hpp"
#include "fuzz/wire_targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return hawser::fuzz::run(data, size,
                           [](auto&, auto input) { return hawser::fuzz::check_dhcp(input); });
}
