// A list in place with room for a fixed number of objects, for what hostile input must not grow.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace hawser {

template <typename T, std::size_t kRoom>
class FixedList {
 public:
  static constexpr std::size_t kMaxSize = kRoom;

  /// False, and nothing changes, when it is full.
  constexpr bool push_back(const T& value) {
    if (size_ == kRoom) return false;
    items_[size_++] = value;
    return true;
  }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T& operator[](std::size_t at) const { return items_[at]; }
  constexpr const T* begin() const { return items_.data(); }
  constexpr const T* end() const { return items_.data() + size_; }
  constexpr T* begin() { return items_.data(); }
  constexpr T* end() { return items_.data() + size_; }

  friend constexpr bool operator==(const FixedList& a, const FixedList& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<T, kRoom> items_{};
  std::size_t size_ = 0;
};

}  // namespace hawser
