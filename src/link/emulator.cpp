#include "link/emulator.hpp"

#include <algorithm>
#include <utility>

#include "core/random.hpp"
#include "sim/bottleneck.hpp"

namespace hawser::link {

namespace {

/// Frames that are taken from one device in a turn: more than the queue of a TAP holds.
constexpr std::size_t kMostArriving = 2048;
constexpr std::size_t kMostLeaving = 64;
/// Memory that a turn may take beyond the limit at which none is taken any more.
constexpr std::size_t kReserve = std::size_t{32} << 20;

/// When the `number`-th of `count` frames came, of which nothing is known but that all came after
/// `from` and the last one by `now`.
Instant spread(Instant from, Instant now, std::size_t number, std::size_t count) {
  const auto span = static_cast<double>((now - from).count());
  const double share = static_cast<double>(number + 1) / static_cast<double>(count);
  return number + 1 == count ? now : from + Duration(static_cast<Duration::rep>(span * share));
}

}  // namespace

Emulator::Emulator(EmulatorEnd first, EmulatorEnd second, const EmulatorConfig& config)
    : pool_(config.memory_limit + kReserve),
      memory_limit_(config.memory_limit),
      seed_(config.seed),
      ends_{std::move(first), std::move(second)},
      directions_{Direction(config.impairments[0], Random(config.seed), pool_,
                            ends_[0].device->mac().has_value()),
                  Direction(config.impairments[1], Random(config.seed).fork(), pool_,
                            ends_[1].device->mac().has_value())} {}

void Emulator::turn(Instant now) {
  const Instant from = std::clamp(was_due_, std::min(last_turn_, now), now);
  for (const Way way : kWays) {
    if (takes(way)) take_in(way, from, now);
  }
  for (const Way way : kWays) flush(way, now);
  last_turn_ = now;
  was_due_ = next_deadline();
}

void Emulator::take_in(Way way, Instant from, Instant now) {
  source(way).read(now, pool_, arriving_, kMostArriving);
  const auto& tell = ends_[index(way)].arrivals;
  const std::span<const Instant> arrivals = tell ? tell() : std::span<const Instant>{};
  const std::size_t count = arriving_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool known = i < arrivals.size();
    const Instant entered = known ? arrivals[i] : spread(from, now, i, count);
    enter(way, known ? entered : now, std::move(arriving_[i]), entered);
  }
  arriving_.clear();
}

/// What does not pass meets a router, as in a World.
void Emulator::enter(Way way, Instant now, Packet frame, Instant entered) {
  sim::ImpairedPath& path = directions_[index(way)].path;
  const Impairment& impairment = path.impairment();
  const bool narrow =
      impairment.mtu != 0 && frame.size() > impairment.mtu && !impairment.mtu_silent;
  const Packet seen = narrow ? frame.share() : Packet{};
  const FrameVerdict verdict = path.on_frame(now, std::move(frame), entered);
  if (verdict.fate != FrameFate::too_big || !seen) return;
  const bool ethernet = source(way).mac().has_value();
  sim::AtBottleneck answer = sim::meet_bottleneck(seen, ethernet, impairment.mtu, pool_);
  for (Packet& fragment : answer.fragments) path.on_frame(now, std::move(fragment), entered);
  if (answer.error) directions_[index(opposite(way))].path.on_frame(now, std::move(answer.error));
}

void Emulator::flush(Way way, Instant now) {
  Direction& direction = directions_[index(way)];
  Device& device = source(opposite(way));
  std::vector<Packet>& leaving = direction.leaving;
  do {
    if (leaving.empty()) direction.path.poll_frames(now, leaving, kMostLeaving);
    const std::size_t taken = device.write(now, leaving);
    leaving.erase(leaving.begin(), leaving.begin() + static_cast<std::ptrdiff_t>(taken));
  } while (leaving.empty() && direction.path.next_deadline() <= now);
}

bool Emulator::takes(Way way) const {
  return directions_[index(way)].leaving.empty() && pool_.bytes_in_use() < memory_limit_;
}

Instant Emulator::next_deadline() const {
  Instant next = kNever;
  for (const Way way : kWays) {
    const Direction& direction = directions_[index(way)];
    next = std::min(next, ends_[index(way)].device->next_deadline());
    // A device that is blocked tells by its descriptor.
    if (direction.leaving.empty()) next = std::min(next, direction.path.next_deadline());
  }
  return next;
}

std::size_t Emulator::in_flight(Way way) const {
  const Direction& direction = directions_[index(way)];
  return direction.path.in_flight() + direction.leaving.size();
}

}  // namespace hawser::link
