// The congestion control of one connection: any algorithm (hawser/congestion.hpp), by value.
// congestion.cpp has the list of those that the library knows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "hawser/congestion.hpp"

namespace hawser::tcp {

/// The algorithm of this name: one that the configuration brings, or one of ours. Null when there
/// is none.
const CongestionAlgorithm* find_congestion(const TcpConfig& config, std::string_view name);

class Congestion {
 public:
  explicit Congestion(const CongestionAlgorithm& algorithm) : algorithm_(&algorithm) {
    algorithm_->make(room());
  }
  Congestion(const Congestion&) = delete;
  Congestion& operator=(const Congestion&) = delete;
  ~Congestion() { algorithm_->destroy(room()); }

  /// Begins anew with another one; its on_start is the caller's.
  void change_to(const CongestionAlgorithm& other) {
    algorithm_->destroy(room());
    algorithm_ = &other;
    algorithm_->make(room());
  }
  /// As it is now; null when it is not to be copied.
  std::unique_ptr<Congestion> copy() const {
    if (algorithm_->copy == nullptr) return nullptr;
    return std::unique_ptr<Congestion>(new Congestion(*algorithm_, room()));
  }
  /// Becomes as `other` is, which is of the same algorithm.
  void restore(const Congestion& other) {
    algorithm_->destroy(room());
    algorithm_->copy(room(), other.room());
  }
  const CongestionAlgorithm& algorithm() const { return *algorithm_; }
  void on_start(const CongestionStart& start) { algorithm_->on_start(room(), start); }
  void on_ack(const AckSample& ack) { algorithm_->on_ack(room(), ack); }
  void on_congestion(CongestionSignal signal, const CongestionState& state) {
    algorithm_->on_congestion(room(), signal, state);
  }
  void on_recovered(const CongestionState& state) { algorithm_->on_recovered(room(), state); }
  void on_spurious(const CongestionState& state) { algorithm_->on_spurious(room(), state); }
  void on_idle(const CongestionState& state) { algorithm_->on_idle(room(), state); }
  /// At least one segment may always be in flight, whatever the algorithm says: the caller's part.
  std::uint32_t cwnd() const { return algorithm_->cwnd(room()); }
  std::uint32_t ssthresh() const { return algorithm_->ssthresh(room()); }
  bool models_path() const { return algorithm_->models_path; }
  bool may_pace() const { return algorithm_->pacing_rate != nullptr; }
  bool heeds_marks() const { return algorithm_->heeds_marks; }
  /// Bytes a second; 0: it does not pace.
  std::uint64_t pacing_rate() const {
    return algorithm_->pacing_rate == nullptr ? 0 : algorithm_->pacing_rate(room());
  }

 private:
  Congestion(const CongestionAlgorithm& algorithm, const void* from) : algorithm_(&algorithm) {
    algorithm_->copy(room(), from);
  }
  void* room() { return room_.data(); }
  const void* room() const { return room_.data(); }

  const CongestionAlgorithm* algorithm_;
  alignas(void*) std::array<std::byte, CongestionAlgorithm::kRoom> room_;
};

static_assert(sizeof(Congestion) == 24);

/// No window field, however scaled, allows more bytes (RFC 7323 2.3).
inline constexpr std::uint32_t kMaxWindow = std::uint32_t{1} << 30;

/// Bytes by which slow start widens the window: at most two segments for an acknowledgment, one
/// after a timeout (RFC 5681 3.1, RFC 3465 2.2 and 2.3).
constexpr std::uint32_t slow_start_growth(std::uint32_t acked, std::uint32_t mss,
                                          bool after_timeout) {
  return std::min(acked, after_timeout ? mss : 2 * mss);
}

/// The initial window of RFC 6928 2 for `segments` (there 10) of them, in bytes:
/// min(10 * MSS, max(2 * MSS, 14600)).
constexpr std::uint32_t initial_window(std::uint32_t mss, std::uint16_t segments) {
  const std::uint32_t full = std::uint32_t{segments} * mss;
  const std::uint32_t ethernet = std::uint32_t{segments} * 1460;
  return std::max(mss, std::min(full, std::max(2 * mss, ethernet)));
}

}  // namespace hawser::tcp
