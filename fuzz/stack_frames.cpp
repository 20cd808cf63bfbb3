// Runs of frames for a whole stack: each is two bytes of length and so many bytes; the top bit of
// the length asks for right checksums.
#include "fuzz/entry.hpp"
#include "fuzz/stack_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return hawser::fuzz::run(data, size, [](auto&, auto input) -> hawser::fuzz::Violation {
    using namespace hawser;
    fuzz::StackTarget target;
    while (input.size() > 2) {
      const std::uint16_t word = wire::read16(input.data());
      const std::size_t length = std::min<std::size_t>(word & 0x7fffU, input.size() - 2);
      std::vector<std::byte> frame(input.begin() + 2,
                                   input.begin() + 2 + static_cast<std::ptrdiff_t>(length));
      if ((word & 0x8000U) != 0) fuzz::FrameRepair::apply(frame);
      if (const auto violation = target.feed(frame)) return violation;
      input = input.subspan(2 + length);
    }
    return target.rest();
  });
}
