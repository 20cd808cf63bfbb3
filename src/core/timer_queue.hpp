// Deadlines of many objects, the earliest first: an indexed 4-ary heap with exact instants. Only
// objects that wait for something have an entry.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "hawser/time.hpp"

namespace hawser {

/// Each object is a number; `position(id)` gives a reference to the std::uint32_t in which the
/// object keeps its place in the heap, kUnarmed at first. Deadlines that are equal come in the
/// order of the numbers, so that the same inputs give the same order.
template <typename PositionOf>
class TimerQueue {
 public:
  static constexpr std::uint32_t kUnarmed = 0xffffffff;

  explicit TimerQueue(PositionOf position) : position_(std::move(position)) {}

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  /// kNever when nobody waits.
  Instant earliest() const { return heap_.empty() ? kNever : heap_.front().at; }
  /// The object with the earliest deadline; there must be one.
  std::uint32_t first() const { return heap_.front().id; }

  /// Makes sure that `id` comes up at `at` or before. A deadline that moved later is left to come
  /// up early: its owner then looks again, which costs less than to move it each time.
  void arm_no_later(std::uint32_t id, Instant at) {
    const std::uint32_t place = position_(id);
    if (place == kUnarmed) {
      heap_.push_back({at, id});
      sift_up(static_cast<std::uint32_t>(heap_.size() - 1));
    } else if (at < heap_[place].at) {
      heap_[place].at = at;
      sift_up(place);
    }
  }

  /// Moves the deadline of the first object, which has just come up, to a later one; kNever
  /// disarms it.
  void rearm_first(Instant at) {
    if (at == kNever) {
      disarm(first());
      return;
    }
    heap_.front().at = at;
    sift_down(0);
  }

  void disarm(std::uint32_t id) {
    const std::uint32_t place = std::exchange(position_(id), kUnarmed);
    if (place == kUnarmed) return;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (heap_.capacity() > 4 * heap_.size() + 64) heap_.shrink_to_fit();
    if (place == heap_.size()) return;
    heap_[place] = last;
    position_(last.id) = place;
    sift_up(place);
    sift_down(position_(last.id));
  }

 private:
  struct Entry {
    Instant at;
    std::uint32_t id;

    bool operator<(const Entry& other) const {
      return at != other.at ? at < other.at : id < other.id;
    }
  };

  void sift_up(std::uint32_t place) {
    const Entry entry = heap_[place];
    while (place > 0) {
      const std::uint32_t parent = (place - 1) / 4;
      if (!(entry < heap_[parent])) break;
      put(place, heap_[parent]);
      place = parent;
    }
    put(place, entry);
  }

  void sift_down(std::uint32_t place) {
    const Entry entry = heap_[place];
    const auto size = static_cast<std::uint32_t>(heap_.size());
    for (;;) {
      const std::uint32_t first_child = 4 * place + 1;
      if (first_child >= size) break;
      std::uint32_t least = first_child;
      const std::uint32_t end = std::min(first_child + 4, size);
      for (std::uint32_t child = first_child + 1; child < end; ++child) {
        if (heap_[child] < heap_[least]) least = child;
      }
      if (!(heap_[least] < entry)) break;
      put(place, heap_[least]);
      place = least;
    }
    put(place, entry);
  }

  void put(std::uint32_t place, const Entry& entry) {
    heap_[place] = entry;
    position_(entry.id) = place;
  }

  PositionOf position_;
  std::vector<Entry> heap_;
};

}  // namespace hawser
