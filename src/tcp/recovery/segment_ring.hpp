// The segments in flight, one record each, in order of their sequence numbers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "hawser/seq_num.hpp"
#include "hawser/tcp.hpp"

namespace hawser::tcp {

/// Times are in microseconds modulo 2^32, which is 71 minutes.
struct SentSegment {
  SeqNum end;                 ///< it begins where the one before it ends
  std::uint32_t sent_us = 0;  ///< when it left last
  /// Its neighbours in the list that it is in, or itself where there is none.
  std::uint32_t previous = 0;
  std::uint32_t next = 0;
  // What the delivery rate needs to know of the moment when it left (delivery_rate.hpp).
  std::uint32_t delivered = 0;
  std::uint32_t delivered_us = 0;
  std::uint32_t first_sent_us = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t lost_before = 0;
  SendReason why_again{};  ///< while it is lost
  bool sacked : 1 = false;
  bool lost : 1 = false;   ///< and not sent again since
  bool again : 1 = false;  ///< it was sent more than once
  bool app_limited : 1 = false;
  bool merged : 1 = false;  ///< into one behind it: nothing of it is left
};

/// A queue of records that are known by numbers, which count up modulo 2^32. The first few lie in
/// place, so that a short exchange takes no memory of its own.
class SegmentRing {
 public:
  std::uint32_t first() const { return first_; }
  /// One behind the last.
  std::uint32_t last() const { return next_; }
  std::uint32_t size() const { return next_ - first_; }
  bool empty() const { return next_ == first_; }

  SentSegment& operator[](std::uint32_t number) { return room()[number & mask_]; }
  const SentSegment& operator[](std::uint32_t number) const {
    return heap_ ? heap_[number & mask_] : in_place_[number & mask_];
  }

  SentSegment& push_back() {
    if (size() > mask_) grow();
    SentSegment& fresh = room()[next_++ & mask_];
    fresh = {};
    return fresh;
  }
  void pop_front() { ++first_; }

  /// The first that ends behind `seq`, which lies below the end of the last.
  std::uint32_t find(SeqNum seq) const {
    std::uint32_t low = first_;
    std::uint32_t count = size();
    while (count > 0) {
      const std::uint32_t half = count / 2;
      if ((*this)[low + half].end <= seq) {
        low += half + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    return low;
  }

 private:
  static constexpr std::uint32_t kInPlace = 4;

  SentSegment* room() { return heap_ ? heap_.get() : in_place_.data(); }
  void grow() {
    const std::uint32_t room = 2 * (mask_ + 1);
    auto larger = std::make_unique<SentSegment[]>(room);
    for (std::uint32_t i = first_; i != next_; ++i) larger[i & (room - 1)] = (*this)[i];
    heap_ = std::move(larger);
    mask_ = room - 1;
  }

  std::uint32_t first_ = 0;
  std::uint32_t next_ = 0;
  std::uint32_t mask_ = kInPlace - 1;
  std::array<SentSegment, kInPlace> in_place_;
  std::unique_ptr<SentSegment[]> heap_;
};

/// Some of the segments of a ring in an order of their own; none is in two lists.
class SegmentList {
 public:
  bool empty() const { return size_ == 0; }
  std::uint32_t size() const { return size_; }
  std::uint32_t front() const { return head_; }
  std::uint32_t back() const { return tail_; }

  void push_back(SegmentRing& ring, std::uint32_t number) {
    if (empty()) return begin_with(ring, number);
    insert_after(ring, tail_, number);
  }
  void push_front(SegmentRing& ring, std::uint32_t number) {
    if (empty()) return begin_with(ring, number);
    ring[number].previous = number;
    ring[number].next = head_;
    ring[head_].previous = number;
    head_ = number;
    ++size_;
  }
  void insert_after(SegmentRing& ring, std::uint32_t place, std::uint32_t number) {
    SentSegment& segment = ring[number];
    segment.previous = place;
    segment.next = place == tail_ ? number : ring[place].next;
    if (place == tail_) {
      tail_ = number;
    } else {
      ring[segment.next].previous = number;
    }
    ring[place].next = number;
    ++size_;
  }
  void remove(SegmentRing& ring, std::uint32_t number) {
    const SentSegment& segment = ring[number];
    const bool is_head = number == head_;
    const bool is_tail = number == tail_;
    if (is_head) head_ = segment.next;
    if (is_tail) tail_ = segment.previous;
    if (!is_head) ring[segment.previous].next = is_tail ? segment.previous : segment.next;
    if (!is_tail) ring[segment.next].previous = is_head ? segment.next : segment.previous;
    --size_;
  }

 private:
  void begin_with(SegmentRing& ring, std::uint32_t number) {
    head_ = tail_ = number;
    ring[number].previous = ring[number].next = number;
    size_ = 1;
  }

  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace hawser::tcp
