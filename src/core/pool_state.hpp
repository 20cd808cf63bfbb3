// The inside of BufferPool: free lists by size, and the count of what is in use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hawser/packet.hpp"

namespace hawser::detail {

inline constexpr std::array<std::uint32_t, 3> kBlockSizes = {
    BufferPool::kSmallBlock, BufferPool::kLargeBlock, BufferPool::kFrameBlock};
/// How many free blocks of each size, and how many packets, are kept for the next taker.
inline constexpr std::array<std::uint32_t, 3> kKeptBlocks = {1024, 256, 32};
inline constexpr std::uint32_t kKeptPackets = 4096;

/// Lives until the pool is gone and the last block has come back.
struct PoolState {
  explicit PoolState(std::size_t bound) : limit(bound) {}
  ~PoolState();
  PoolState(const PoolState&) = delete;
  PoolState& operator=(const PoolState&) = delete;

  Block* take(std::uint32_t capacity);
  void give_back(Block* block);
  Packet::Data* take_packet();
  void give_back(Packet::Data* data);
  void trim();
  void delete_if_done();

  std::size_t limit;
  std::size_t in_use = 0;
  bool orphaned = false;
  std::array<Block*, kBlockSizes.size()> free_blocks{};
  std::array<std::uint32_t, kBlockSizes.size()> free_count{};
  Packet::Data* free_packets = nullptr;
  std::uint32_t free_packet_count = 0;
};

}  // namespace hawser::detail
