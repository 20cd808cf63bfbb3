// Plans of the kind "recovery": longer streams, and one trouble after the other for those who
// repair losses.
#include <fmt/format.h>

#include <array>

#include "swarm_draw.hpp"
#include "swarm_plan.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kOtherThanTcp = 0x10551;  // so that the same seed draws something else

/// Loses nothing, and keeps order and bytes.
Impairment faultless(const Impairment& like) {
  Impairment clean;
  clean.rate = like.rate;
  clean.delay = like.delay;
  clean.queue = like.queue;
  clean.mark = like.mark;
  clean.mark_above = like.mark_above;
  return clean;
}

void lose_in_bursts(Random& random, Plan& plan) {
  for (Impairment* way : {&plan.a_to_b, &plan.b_to_a}) {
    way->burst.leave = one_of(random, std::array{0.02, 0.1, 0.3});
    way->burst.enter = way->burst.leave * one_of(random, std::array{0.01, 0.1, 0.4});
    way->burst.longest = 10ms + up_to(random, 2s);
  }
}

void lose_almost_a_third(Random& /*random*/, Plan& plan) {
  plan.a_to_b.loss = plan.b_to_a.loss = 0.3;
}

void lose_one_way_only(Random& random, Plan& plan) {
  Impairment& way = random.chance(0.5) ? plan.a_to_b : plan.b_to_a;
  Impairment& back = &way == &plan.a_to_b ? plan.b_to_a : plan.a_to_b;
  way = faultless(way);
  back.loss = one_of(random, std::array{0.05, 0.3, 0.5});
}

/// What comes back arrives in bunches.
void compress_one_way(Random& random, Plan& plan) {
  Impairment& way = random.chance(0.5) ? plan.a_to_b : plan.b_to_a;
  way.jitter = 50ms + up_to(random, 1s);
}

/// Frames are overtaken by whole windows.
void reorder_widely(Random& random, Plan& plan) {
  for (Impairment* way : {&plan.a_to_b, &plan.b_to_a}) {
    way->reorder = one_of(random, std::array{0.02, 0.1, 0.3});
    way->reorder_delay = 100ms + up_to(random, 3s);
  }
}

/// Windows close, and some updates that open them are lost.
void close_windows(Random& random, Plan& plan) {
  for (ConnectionPlan& connection : plan.connections) {
    for (SidePlan* side : {&connection.a, &connection.b}) {
      if (random.chance(0.3)) continue;
      side->settings.receive_buffer = static_cast<std::uint32_t>(512 + random.below(4096));
      side->first_read = up_to(random, 20s);
      side->read_gap = up_to(random, 500ms);
      side->read_chunk = std::max<std::uint32_t>(side->read_chunk, 512);
    }
  }
  plan.a_to_b.loss = plan.b_to_a.loss = one_of(random, std::array{0.05, 0.2, 0.3});
}

PathChange change_of(Random& random, const Plan& plan) {
  const Instant at = Instant(1s) + up_to(random, random.chance(0.5) ? 2s : 20s);
  return {at, plan.a_to_b, plan.b_to_a};
}

/// From some moment on the path carries only smaller packets, and says so or does not.
void narrow_the_path(Random& random, Plan& plan) {
  PathChange change = change_of(random, plan);
  const bool v4 = plan.family == Family::ipv4;
  const std::uint32_t mtu = v4 ? one_of(random, std::array{576U, 1006U, 1400U}) : 1280U;
  const bool silent = random.chance(0.7);
  for (Impairment* way : {&change.a_to_b, &change.b_to_a}) {
    way->mtu = mtu;
    way->mtu_silent = silent;
  }
  plan.changes.push_back(change);
}

/// The packets go another way, which is longer or shorter, faster or slower.
void change_the_path(Random& random, Plan& plan) {
  constexpr std::array<std::uint64_t, 4> kRates = {128'000, 1'000'000, 10'000'000, 100'000'000};
  const auto count = 1 + random.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    PathChange change = change_of(random, plan);
    const Duration delay = up_to(random, random.chance(0.3) ? 1s : 100ms);
    for (Impairment* way : {&change.a_to_b, &change.b_to_a}) {
      way->delay = delay;
      way->rate = one_of(random, kRates);
    }
    plan.changes.push_back(change);
  }
}

constexpr std::array kTroubles = {lose_in_bursts,   lose_almost_a_third, lose_one_way_only,
                                  compress_one_way, reorder_widely,      close_windows,
                                  narrow_the_path,  change_the_path};

/// Streams long enough for windows of hundreds of segments.
void lengthen(Random& random, SidePlan& side) {
  side.settings.congestion_control = random.chance(0.5) ? "cubic" : "reno";
  if (!random.chance(0.4) || side.ending == Ending::early_close || side.ending == Ending::abort) {
    return;
  }
  side.bytes = 100'000 + log_uniform(random, 2'000'000);
  side.write_chunk = 64 * 1024;
  side.read_chunk = 64 * 1024;
  side.write_gap = side.read_gap = 0s;
  side.settings.send_buffer = static_cast<std::uint32_t>(64 * 1024 + log_uniform(random, 1 << 20));
}

}  // namespace

Plan draw_recovery_plan(std::uint64_t seed) {
  Plan plan = draw_plan(seed ^ kOtherThanTcp);
  plan.seed = seed;
  Random random(~seed);
  if (random.chance(0.5)) {
    plan.a_to_b = faultless(plan.a_to_b);
    plan.b_to_a = faultless(plan.b_to_a);
  }
  plan.connections.resize(std::min<std::size_t>(plan.connections.size(), 4));
  for (ConnectionPlan& connection : plan.connections) {
    lengthen(random, connection.a);
    lengthen(random, connection.b);
    const auto widen = [&random](SidePlan& from, SidePlan& to) {
      if (from.bytes < 100'000) return;
      to.read_chunk = 64 * 1024;
      to.read_gap = 0s;
      to.settings.receive_buffer =
          static_cast<std::uint32_t>(64 * 1024 + log_uniform(random, 1 << 20));
    };
    widen(connection.a, connection.b);
    widen(connection.b, connection.a);
  }
  const auto troubles = 1 + random.below(3);
  for (std::uint64_t i = 0; i < troubles; ++i) one_of(random, kTroubles)(random, plan);
  return plan;
}

}  // namespace hawser::swarm
