// The upper bound of bulk transfer: the same chunks copied once, from the sender's buffer to the
// receiver's.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "payload.hpp"

namespace hawser::bench {

class Memcpy {
 public:
  void transfer(std::uint64_t bytes) {
    for (std::uint64_t left = bytes; left != 0;) {
      const auto chunk = payload_.at(position_, left);
      std::memcpy(target_.data(), chunk.data(), chunk.size());
      payload_.expect(position_, std::span<const std::byte>(target_).first(chunk.size()),
                      Check::ends);
      position_ += chunk.size();
      left -= chunk.size();
    }
  }

 private:
  Payload payload_;
  std::vector<std::byte> target_ = std::vector<std::byte>(kChunk);
  std::uint64_t position_ = 0;
};

}  // namespace hawser::bench
