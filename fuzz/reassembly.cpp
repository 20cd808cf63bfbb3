#include "fuzz/entry.hpp"
#include "fuzz/reassembly_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return hawser::fuzz::run(data, size, [](auto& pool, auto input) {
    return hawser::fuzz::check_reassembly(pool, input);
  });
}
