// Objects of one type by value in chunks, named by a small index, with memory given back when whole
// chunks fall empty. Nothing here is linear in the number of objects.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace hawser {

/// Objects keep their place for life. A generation tells an object from those which had its index
/// before; it is never zero.
template <typename T, std::uint32_t kChunk = 64>
class Slab {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for (auto& chunk : chunks_) {
      if (!chunk) continue;
      for (std::uint32_t i = 0; i < kChunk; ++i) {
        if (chunk->generation[i] != 0) std::destroy_at(chunk->at(i));
      }
    }
  }

  /// Makes an object and returns its index.
  template <typename... Arguments>
  std::uint32_t emplace(Arguments&&... arguments) {
    const std::uint32_t number = chunk_with_room();
    Chunk& chunk = *chunks_[number];
    const std::uint8_t place = chunk.first_free;
    const std::uint8_t next = chunk.next_free[place];
    std::construct_at(chunk.at(place), std::forward<Arguments>(arguments)...);
    chunk.first_free = next;
    if (++generation_ == 0) ++generation_;
    chunk.generation[place] = generation_;
    if (++chunk.used == kChunk) unlink(number);
    ++size_;
    return number * kChunk + place;
  }

  void erase(std::uint32_t index) {
    const std::uint32_t number = index / kChunk;
    Chunk& chunk = *chunks_[number];
    const auto place = static_cast<std::uint8_t>(index % kChunk);
    assert(chunk.generation[place] != 0);
    std::destroy_at(chunk.at(place));
    chunk.generation[place] = 0;
    chunk.next_free[place] = chunk.first_free;
    chunk.first_free = place;
    if (chunk.used-- == kChunk) link(number);
    --size_;
    if (chunk.used == 0) give_back(number);
  }

  T& operator[](std::uint32_t index) { return *chunks_[index / kChunk]->at(index % kChunk); }
  const T& operator[](std::uint32_t index) const {
    return *chunks_[index / kChunk]->at(index % kChunk);
  }

  /// The object of that index and generation; null when it is gone.
  T* find(std::uint32_t index, std::uint32_t generation) {
    const std::uint32_t number = index / kChunk;
    if (generation == 0 || number >= chunks_.size() || !chunks_[number]) return nullptr;
    Chunk& chunk = *chunks_[number];
    return chunk.generation[index % kChunk] == generation ? chunk.at(index % kChunk) : nullptr;
  }
  const T* find(std::uint32_t index, std::uint32_t generation) const {
    return const_cast<Slab*>(this)->find(index, generation);
  }
  std::uint32_t generation(std::uint32_t index) const {
    return chunks_[index / kChunk]->generation[index % kChunk];
  }
  std::size_t size() const { return size_; }
  /// Whether there is an object of that index, which may be any.
  bool contains(std::uint32_t index) const {
    const std::uint32_t number = index / kChunk;
    return number < chunks_.size() && chunks_[number] &&
           chunks_[number]->generation[index % kChunk] != 0;
  }
  /// No object has this index or a higher one.
  std::uint32_t end() const { return static_cast<std::uint32_t>(chunks_.size()) * kChunk; }

  /// Calls `visit(index, object)` for each object in the order of the indexes: for lists that
  /// people read.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t number = 0; number < chunks_.size(); ++number) {
      if (!chunks_[number]) continue;
      for (std::uint32_t place = 0; place < kChunk; ++place) {
        if (chunks_[number]->generation[place] == 0) continue;
        visit(number * kChunk + place, std::as_const(*chunks_[number]->at(place)));
      }
    }
  }

 private:
  static_assert(kChunk <= 128);

  struct Chunk {
    Chunk() {
      for (std::uint32_t i = 0; i < kChunk; ++i) next_free[i] = static_cast<std::uint8_t>(i + 1);
    }
    T* at(std::uint32_t place) {
      return std::launder(reinterpret_cast<T*>(storage.data() + place * sizeof(T)));
    }

    alignas(T) std::array<std::byte, sizeof(T) * kChunk> storage;
    std::array<std::uint32_t, kChunk> generation{};  // zero: free
    std::array<std::uint8_t, kChunk> next_free;
    std::uint8_t first_free = 0;
    std::uint8_t used = 0;
    // Neighbours in the list of chunks with room.
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
  };

  std::uint32_t chunk_with_room() {
    if (with_room_ != kNone) return with_room_;
    while (!holes_.empty()) {
      const std::uint32_t hole = holes_.back();
      holes_.pop_back();
      if (hole < chunks_.size() && !chunks_[hole]) return open(hole);
    }
    chunks_.emplace_back();
    return open(static_cast<std::uint32_t>(chunks_.size() - 1));
  }
  std::uint32_t open(std::uint32_t number) {
    chunks_[number] = std::make_unique<Chunk>();
    link(number);
    return number;
  }

  /// Frees an empty chunk, unless it is the only one with room: the next object would want it back.
  void give_back(std::uint32_t number) {
    const Chunk& chunk = *chunks_[number];
    if (with_room_ == number && chunk.next == kNone) return;
    unlink(number);
    chunks_[number].reset();
    if (number + 1 != chunks_.size()) {
      holes_.push_back(number);
      return;
    }
    while (!chunks_.empty() && !chunks_.back()) chunks_.pop_back();
    if (chunks_.empty()) holes_.clear();
    if (chunks_.capacity() > 4 * chunks_.size() + 16) chunks_.shrink_to_fit();
    if (holes_.capacity() > 4 * holes_.size() + 16) holes_.shrink_to_fit();
  }

  void link(std::uint32_t number) {
    chunks_[number]->previous = kNone;
    chunks_[number]->next = with_room_;
    if (with_room_ != kNone) chunks_[with_room_]->previous = number;
    with_room_ = number;
  }
  void unlink(std::uint32_t number) {
    const Chunk& chunk = *chunks_[number];
    if (chunk.previous != kNone) chunks_[chunk.previous]->next = chunk.next;
    if (chunk.next != kNone) chunks_[chunk.next]->previous = chunk.previous;
    if (with_room_ == number) with_room_ = chunk.next;
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint32_t> holes_;  // where chunks_ is null; may hold stale numbers
  std::uint32_t with_room_ = kNone;
  std::uint32_t generation_ = 0;
  std::size_t size_ = 0;
};

}  // namespace hawser
