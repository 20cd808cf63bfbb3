// What an algorithm of congestion control is to a connection, for those of the library and for your
// own: a class with the members of CongestionControl, a name for it, and that name in the settings.
//
//   struct Fixed {
//     void on_start(const CongestionStart&) {}
//     void on_ack(const AckSample&) {}
//     void on_congestion(CongestionSignal, const CongestionState&) {}
//     void on_idle(const CongestionState&) {}
//     std::uint32_t cwnd() const { return 100'000; }
//     std::uint32_t ssthresh() const { return 100'000; }
//   };
//   constexpr auto kFixed = congestion_algorithm<Fixed>("fixed");
//
//   config.congestion_algorithms.push_back(&kFixed);   // of a stack
//   settings.congestion_control = "fixed";             // of a connection
//
// Detection of loss and the pace of its repair lie outside (RFC 6675, RFC 8985, RFC 9937).
// All windows are in bytes. An algorithm is used by the thread of its stack alone, has no clock but
// the `now` that it is told, and does not block.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "hawser/seq_num.hpp"
#include "hawser/tcp.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// What is true of the connection at the moment.
struct CongestionState {
  Instant now;
  std::uint32_t mss = 0;             ///< payload of a full segment, bytes; it may change
  std::uint32_t initial_window = 0;  ///< RFC 6928 2, for this MSS
  std::uint32_t outstanding = 0;     ///< sent and not acknowledged: FlightSize of RFC 5681
  std::uint32_t in_flight = 0;       ///< of that, thought to be in the network: RFC 6675 pipe
  std::uint64_t delivered = 0;       ///< bytes that have reached the peer since the beginning
  SeqNum snd_una;                    ///< with snd_nxt: what tells one round trip from the next
  SeqNum snd_nxt;
  std::optional<Duration> min_rtt;  ///< of late; unset before the first sample
  TcpRecovery recovery{};
};

/// How fast data reached the peer while one segment was under way (draft-ietf-ccwg-bbr 4.1.2).
struct RateSample {
  std::uint32_t delivered = 0;       ///< bytes delivered from when the segment left until now
  Duration interval{};               ///< in which they were sent and delivered; zero: no sample
  std::uint64_t prior_delivered{};   ///< CongestionState::delivered when the segment left
  std::uint32_t tx_in_flight = 0;    ///< CongestionState::in_flight right after it left
  std::uint32_t lost = 0;            ///< bytes found lost since
  bool application_limited = false;  ///< for want of data: a lower bound of what the path can do

  /// Bytes a second; zero without a sample.
  std::uint64_t bytes_per_second() const {
    if (interval <= Duration::zero()) return 0;
    return std::uint64_t{delivered} * std::uint64_t{1'000'000'000} /
           static_cast<std::uint64_t>(interval.count());
  }
};

/// What an acknowledgment told, the state being that after it.
struct AckSample : CongestionState {
  std::uint32_t acked = 0;            ///< bytes that it moved SND.UNA on by
  std::uint32_t delivered_now = 0;    ///< bytes that it told the arrival of, by ACK or by SACK
  std::uint32_t lost_now = 0;         ///< bytes that were found lost through it
  std::uint32_t ecn_marked = 0;       ///< bytes that arrived with congestion experienced (AccECN)
  std::uint32_t prior_in_flight = 0;  ///< in_flight before it
  std::optional<Duration> rtt;        ///< its round-trip time, where it tells one
  /// The congestion window was what held the sender back: it may grow (RFC 7661).
  bool window_limited = false;
  RateSample rate;
};

/// How a connection begins to use an algorithm.
struct CongestionStart : CongestionState {
  /// The initial window; one segment when SYN or SYN-ACK were lost more than once (RFC 6928 2); or
  /// what the algorithm before this one had.
  std::uint32_t cwnd = 0;
  std::uint32_t ssthresh = 0;
};

enum class CongestionSignal : std::uint8_t {
  loss,           ///< found without a timeout; once for a flight
  ecn,            ///< the peer has seen congestion experienced; once for a round trip (RFC 3168)
  timeout,        ///< all in flight counts as lost (RFC 6298)
  timeout_again,  ///< of what a timeout sent again: ssthresh stays (RFC 5681 3.1)
};

/// The members that an algorithm must have. It may also have:
///
///   void on_recovered(const CongestionState&);
///       All that was in flight when recovery began has been acknowledged.
///   void on_spurious(const T& before, const CongestionState&);
///       Nothing had been lost. `before` is what the algorithm was when it was told so; without
///       this member it becomes that again (RFC 4015).
///   std::uint64_t pacing_rate() const;
///       Bytes a second; zero, and without this member: segments leave as the window lets them.
///   static constexpr bool kControlsRecovery = true;
///       cwnd() counts during fast recovery as well. Else proportional rate reduction (RFC 9937)
///       brings what is in flight from where it was to ssthresh().
template <typename T>
concept CongestionControl =
    std::default_initializable<T> && std::copyable<T> &&
    requires(T t, const T c, const CongestionStart& start, const AckSample& ack,
             CongestionSignal signal, const CongestionState& state) {
      t.on_start(start);
      t.on_ack(ack);  // of every ACK that says something new
      t.on_congestion(signal, state);
      t.on_idle(state);  // data is to be sent, but none was for an RTO (RFC 5681 4.1)
      { c.cwnd() } -> std::same_as<std::uint32_t>;
      { c.ssthresh() } -> std::same_as<std::uint32_t>;
    };

/// An algorithm as a connection holds it: its name, and how its members are reached. Made by
/// congestion_algorithm; it must outlive the stacks that know it.
struct CongestionAlgorithm {
  /// A state of this size lies in the connection, a larger one on the heap.
  static constexpr std::size_t kRoom = 16;

  std::string_view name;
  bool controls_recovery = false;
  void (*make)(void* room);
  void (*copy)(void* room, const void* from);
  void (*destroy)(void* room);
  void (*on_start)(void* room, const CongestionStart& start);
  void (*on_ack)(void* room, const AckSample& ack);
  void (*on_congestion)(void* room, CongestionSignal signal, const CongestionState& state);
  void (*on_recovered)(void* room, const CongestionState& state);
  void (*on_spurious)(void* room, const void* before, const CongestionState& state);
  void (*on_idle)(void* room, const CongestionState& state);
  std::uint32_t (*cwnd)(const void* room);
  std::uint32_t (*ssthresh)(const void* room);
  std::uint64_t (*pacing_rate)(const void* room);
};

namespace detail {

/// Reaches a T in the room of a connection, or where the pointer in there says.
template <CongestionControl T>
struct CongestionRoom {
  static constexpr bool kInPlace =
      sizeof(T) <= CongestionAlgorithm::kRoom && alignof(T) <= alignof(void*);

  static T& of(void* room) {
    if constexpr (kInPlace) {
      return *std::launder(static_cast<T*>(room));
    } else {
      return **std::launder(static_cast<T**>(room));
    }
  }
  static const T& of(const void* room) { return of(const_cast<void*>(room)); }
  template <typename... Arguments>
  static void make(void* room, Arguments&&... arguments) {
    if constexpr (kInPlace) {
      ::new (room) T(std::forward<Arguments>(arguments)...);
    } else {
      ::new (room) T*(new T(std::forward<Arguments>(arguments)...));
    }
  }
  static void destroy(void* room) {
    if constexpr (kInPlace) {
      std::destroy_at(&of(room));
    } else {
      delete &of(room);
    }
  }
  static void recovered(T& t, const CongestionState& state) {
    if constexpr (requires { t.on_recovered(state); }) t.on_recovered(state);
  }
  static void spurious(T& t, const T& before, const CongestionState& state) {
    if constexpr (requires { t.on_spurious(before, state); }) {
      t.on_spurious(before, state);
    } else {
      t = before;
    }
  }
  static std::uint64_t pacing_rate(const T& t) {
    if constexpr (requires { t.pacing_rate(); }) return t.pacing_rate();
    return 0;
  }
  static constexpr bool controls_recovery() {
    if constexpr (requires { T::kControlsRecovery; }) return T::kControlsRecovery;
    return false;
  }
};

}  // namespace detail

/// Makes T known under `name`, which must outlive it: a literal.
template <CongestionControl T>
constexpr CongestionAlgorithm congestion_algorithm(std::string_view name) {
  using Room = detail::CongestionRoom<T>;
  return {
      .name = name,
      .controls_recovery = Room::controls_recovery(),
      .make = [](void* room) { Room::make(room); },
      .copy = [](void* room, const void* from) { Room::make(room, Room::of(from)); },
      .destroy = [](void* room) { Room::destroy(room); },
      .on_start = [](void* room, const CongestionStart& s) { Room::of(room).on_start(s); },
      .on_ack = [](void* room, const AckSample& ack) { Room::of(room).on_ack(ack); },
      .on_congestion = [](void* room, CongestionSignal signal,
                          const CongestionState& s) { Room::of(room).on_congestion(signal, s); },
      .on_recovered = [](void* room,
                         const CongestionState& s) { Room::recovered(Room::of(room), s); },
      .on_spurious =
          [](void* room, const void* before, const CongestionState& s) {
            Room::spurious(Room::of(room), Room::of(before), s);
          },
      .on_idle = [](void* room, const CongestionState& s) { Room::of(room).on_idle(s); },
      .cwnd = [](const void* room) { return Room::of(room).cwnd(); },
      .ssthresh = [](const void* room) { return Room::of(room).ssthresh(); },
      .pacing_rate = [](const void* room) { return Room::pacing_rate(Room::of(room)); },
  };
}

}  // namespace hawser
