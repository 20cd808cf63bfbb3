// A first-in first-out list of objects in a slab, linked through the objects themselves.
#pragma once

#include <cstdint>

namespace hawser {

/// What an object has in it to stand in one SlotList.
struct SlotLinks {
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::uint32_t previous = kNone;
  std::uint32_t next = kNone;
};

/// `links(index)` gives the SlotLinks of an object. Every call is O(1).
class SlotList {
 public:
  static constexpr std::uint32_t kNone = SlotLinks::kNone;

  bool empty() const { return head_ == kNone; }
  /// kNone when empty.
  std::uint32_t front() const { return head_; }

  template <typename LinksOf>
  void push_back(std::uint32_t index, LinksOf links) {
    links(index) = {tail_, kNone};
    if (tail_ != kNone) {
      links(tail_).next = index;
    } else {
      head_ = index;
    }
    tail_ = index;
  }

  template <typename LinksOf>
  void remove(std::uint32_t index, LinksOf links) {
    const SlotLinks gone = links(index);
    if (gone.previous != kNone) {
      links(gone.previous).next = gone.next;
    } else {
      head_ = gone.next;
    }
    if (gone.next != kNone) {
      links(gone.next).previous = gone.previous;
    } else {
      tail_ = gone.previous;
    }
  }

 private:
  std::uint32_t head_ = kNone;
  std::uint32_t tail_ = kNone;
};

}  // namespace hawser
