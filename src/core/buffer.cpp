#include "hawser/buffer.hpp"

#include <cstdlib>
#include <new>

#include "core/pool_state.hpp"
#include "hawser/packet.hpp"

namespace hawser {

namespace detail {

namespace {

std::size_t class_of(std::uint32_t capacity) {
  static_assert(kBlockSizes.size() == 3);
  if (capacity <= kBlockSizes[0]) return 0;
  return capacity <= kBlockSizes[1] ? 1 : 2;
}

}  // namespace

void release(Block* block) { block->pool->give_back(block); }

PoolState::~PoolState() { trim(); }

Block* PoolState::take(std::uint32_t capacity) {
  if (capacity > kBlockSizes.back()) return nullptr;
  const std::size_t index = class_of(capacity);
  const std::size_t bytes = sizeof(Block) + kBlockSizes[index];
  if (in_use + bytes > limit) return nullptr;
  Block* block = free_blocks[index];
  if (block != nullptr) {
    free_blocks[index] = block->next_free;
    --free_count[index];
  } else {
    void* memory = std::malloc(bytes);
    if (memory == nullptr) return nullptr;
    block = new (memory) Block{this, nullptr, 0, kBlockSizes[index]};
  }
  block->references = 1;
  in_use += bytes;
  return block;
}

void PoolState::give_back(Block* block) {
  const std::size_t index = class_of(block->capacity);
  in_use -= sizeof(Block) + block->capacity;
  if (free_count[index] < kKeptBlocks[index] && !orphaned) {
    block->next_free = free_blocks[index];
    free_blocks[index] = block;
    ++free_count[index];
  } else {
    std::free(block);
  }
  delete_if_done();
}

Packet::Data* PoolState::take_packet() {
  if (in_use + sizeof(Packet::Data) > limit) return nullptr;
  Packet::Data* data = free_packets;
  if (data != nullptr) {
    free_packets = data->next_free;
    --free_packet_count;
  } else {
    data = new (std::nothrow) Packet::Data;
    if (data == nullptr) return nullptr;
    data->pool = this;
  }
  data->begin = Packet::kHeadroom;
  data->end = Packet::kHeadroom;
  data->slice_count = 0;
  data->checksum = ChecksumMark::in_frame;
  data->interface = InterfaceId{};
  in_use += sizeof(Packet::Data);
  return data;
}

void PoolState::give_back(Packet::Data* data) {
  in_use -= sizeof(Packet::Data);
  if (free_packet_count < kKeptPackets && !orphaned) {
    data->next_free = free_packets;
    free_packets = data;
    ++free_packet_count;
  } else {
    delete data;
  }
  delete_if_done();
}

void PoolState::trim() {
  for (std::size_t i = 0; i < free_blocks.size(); ++i) {
    while (free_blocks[i] != nullptr) {
      Block* next = free_blocks[i]->next_free;
      std::free(free_blocks[i]);
      free_blocks[i] = next;
    }
    free_count[i] = 0;
  }
  while (free_packets != nullptr) {
    Packet::Data* next = free_packets->next_free;
    delete free_packets;
    free_packets = next;
  }
  free_packet_count = 0;
}

void PoolState::delete_if_done() {
  if (orphaned && in_use == 0) delete this;
}

}  // namespace detail

BufferPool::BufferPool(std::size_t limit) : state_(new detail::PoolState(limit)) {}

BufferPool::~BufferPool() {
  state_->trim();
  state_->orphaned = true;
  state_->delete_if_done();
}

Slice BufferPool::take(std::uint32_t capacity) { return Slice(state_->take(capacity)); }
Packet BufferPool::take_packet() { return Packet(state_->take_packet()); }
std::size_t BufferPool::bytes_in_use() const { return state_->in_use; }
void BufferPool::trim() { state_->trim(); }

}  // namespace hawser
