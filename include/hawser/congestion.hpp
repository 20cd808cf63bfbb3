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
// Detection and repair of loss lie outside (RFC 6582, RFC 6675). All windows are in bytes. An
// algorithm is used by the thread of its stack alone, has no clock but the `now` that it is told,
// and does not block.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string_view>

#include "hawser/tcp.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// What is true of the connection at the moment.
struct CongestionState {
  Instant now;
  std::uint32_t mss = 0;             ///< payload of a full segment, bytes; it may change
  std::uint32_t initial_window = 0;  ///< RFC 6928 2, for this MSS
  std::uint32_t outstanding = 0;     ///< sent and not acknowledged: FlightSize of RFC 5681
  TcpRecovery recovery{};
};

/// How fast a flight arrived: from the moment when the segment left that an acknowledgment is news
/// of (the one sent last, if it is of several) until now (draft-ietf-ccwg-bbr 4.1).
struct RateSample {
  std::uint32_t delivered = 0;        ///< bytes that arrived in `interval`
  Duration interval{};                ///< zero: there is no sample
  std::uint32_t prior_delivered = 0;  ///< AckSample::total_delivered when that segment left
  std::uint32_t in_flight = 0;        ///< bytes, when that segment had left
  std::uint32_t lost = 0;             ///< bytes found lost in `interval`
  bool app_limited = false;           ///< the program had nothing more to send then

  /// Bytes a second; zero without a sample.
  std::uint64_t rate() const {
    if (interval <= Duration::zero()) return 0;
    return std::uint64_t{delivered} * 1'000'000'000 / static_cast<std::uint64_t>(interval.count());
  }
};

/// What an acknowledgment told, the state being that after it.
struct AckSample : CongestionState {
  std::uint32_t acked = 0;      ///< bytes that it moved SND.UNA on by
  std::optional<Duration> rtt;  ///< its round-trip time, where it tells one (RFC 6298 3)
  /// The congestion window was what held the sender back: it may grow (RFC 7661).
  bool window_limited = false;
  // What follows is told to algorithms that model the path alone.
  std::uint32_t delivered = 0;        ///< bytes that it says have arrived, by ACK or SACK
  std::uint32_t total_delivered = 0;  ///< bytes that ever have, modulo 2^32
  std::uint32_t lost = 0;             ///< bytes found lost since the sample before
  std::uint32_t pipe = 0;             ///< bytes thought to be in the network (RFC 6675 4)
  RateSample rate{};
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
  timeout,        ///< all in flight counts as lost (RFC 6298)
  timeout_again,  ///< of what a timeout sent again: ssthresh stays (RFC 5681 3.1)
  mark,           ///< a router marked, and did not drop (RFC 3168); once for a flight
};

/// The members that an algorithm must have. It may also have
///
///   void on_recovered(const CongestionState&);  // what was in flight when recovery began is acked
///   void on_spurious(const CongestionState&);   // see below
///   std::uint64_t pacing_rate() const;          // bytes a second at which to send; 0: at once
///   static constexpr bool kModelsPath = true;
///   static constexpr bool kHeedsMarks = false;  // no data of its connections is to be marked
///
/// After CongestionSignal::mark nothing is repaired, so that no on_recovered follows.
///
/// An algorithm that models the path is told of every acknowledgment, those as well that only SACK,
/// after the losses that they show are known, and its window holds in fast recovery too, where RFC
/// 9937 rules otherwise.
///
/// When it turns out that nothing was lost, the algorithm becomes again the copy that was taken of
/// it before on_congestion, unless it has `on_spurious`, which is called instead, or cannot be
/// copied.
template <typename T>
concept CongestionControl =
    std::default_initializable<T> &&
    requires(T t, const T c, const CongestionStart& start, const AckSample& ack,
             CongestionSignal signal, const CongestionState& state) {
      t.on_start(start);
      t.on_ack(ack);  // of new data, in recovery as well
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
  bool models_path;
  bool heeds_marks;
  void (*make)(void* room);
  void (*destroy)(void* room);
  void (*copy)(void* room, const void* from);  ///< null: it is not to be copied
  void (*on_start)(void* room, const CongestionStart& start);
  void (*on_ack)(void* room, const AckSample& ack);
  void (*on_congestion)(void* room, CongestionSignal signal, const CongestionState& state);
  void (*on_recovered)(void* room, const CongestionState& state);
  void (*on_spurious)(void* room, const CongestionState& state);
  void (*on_idle)(void* room, const CongestionState& state);
  std::uint32_t (*cwnd)(const void* room);
  std::uint32_t (*ssthresh)(const void* room);
  std::uint64_t (*pacing_rate)(const void* room);  ///< null: it does not pace
};

namespace detail {

/// Reaches a T in the room of a connection, or where the pointer in there says.
template <CongestionControl T>
struct CongestionRoom {
  static constexpr bool kInPlace =
      sizeof(T) <= CongestionAlgorithm::kRoom && alignof(T) <= alignof(void*);
  static constexpr bool kHearsOfSpurious =
      requires(T t, const CongestionState& state) { t.on_spurious(state); };

  static T& of(void* room) {
    if constexpr (kInPlace) {
      return *std::launder(static_cast<T*>(room));
    } else {
      return **std::launder(static_cast<T**>(room));
    }
  }
  static const T& of(const void* room) { return of(const_cast<void*>(room)); }
  static void make(void* room) {
    if constexpr (kInPlace) {
      ::new (room) T();
    } else {
      ::new (room) T*(new T());
    }
  }
  static void destroy(void* room) {
    if constexpr (kInPlace) {
      std::destroy_at(&of(room));
    } else {
      delete &of(room);
    }
  }
  static constexpr auto copy() -> void (*)(void*, const void*) {
    if constexpr (std::copy_constructible<T> && !kHearsOfSpurious) {
      return [](void* room, const void* from) {
        if constexpr (kInPlace) {
          ::new (room) T(of(from));
        } else {
          ::new (room) T*(new T(of(from)));
        }
      };
    }
    return nullptr;
  }
  static void spurious(T& t, const CongestionState& state) {
    if constexpr (kHearsOfSpurious) t.on_spurious(state);
  }
  static void recovered(T& t, const CongestionState& state) {
    if constexpr (requires { t.on_recovered(state); }) t.on_recovered(state);
  }
  static constexpr bool models_path() {
    if constexpr (requires { T::kModelsPath; }) return T::kModelsPath;
    return false;
  }
  static constexpr bool heeds_marks() {
    if constexpr (requires { T::kHeedsMarks; }) return T::kHeedsMarks;
    return true;
  }
  static constexpr auto pacing_rate() -> std::uint64_t (*)(const void*) {
    if constexpr (requires(const T& t) { t.pacing_rate(); }) {
      return [](const void* room) -> std::uint64_t { return of(room).pacing_rate(); };
    }
    return nullptr;
  }
};

}  // namespace detail

/// Makes T known under `name`, which must outlive it: a literal.
template <CongestionControl T>
constexpr CongestionAlgorithm congestion_algorithm(std::string_view name) {
  using Room = detail::CongestionRoom<T>;
  return {
      .name = name,
      .models_path = Room::models_path(),
      .heeds_marks = Room::heeds_marks(),
      .make = Room::make,
      .destroy = Room::destroy,
      .copy = Room::copy(),
      .on_start = [](void* room, const CongestionStart& s) { Room::of(room).on_start(s); },
      .on_ack = [](void* room, const AckSample& ack) { Room::of(room).on_ack(ack); },
      .on_congestion = [](void* room, CongestionSignal signal,
                          const CongestionState& s) { Room::of(room).on_congestion(signal, s); },
      .on_recovered = [](void* room,
                         const CongestionState& s) { Room::recovered(Room::of(room), s); },
      .on_spurious = [](void* room,
                        const CongestionState& s) { Room::spurious(Room::of(room), s); },
      .on_idle = [](void* room, const CongestionState& s) { Room::of(room).on_idle(s); },
      .cwnd = [](const void* room) { return Room::of(room).cwnd(); },
      .ssthresh = [](const void* room) { return Room::of(room).ssthresh(); },
      .pacing_rate = Room::pacing_rate(),
  };
}

}  // namespace hawser
