#include "swarm_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "swarm_draw.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

constexpr Duration kLong = 24h;

Impairment draw_impairment(Random& random) {
  Impairment impairment;
  constexpr std::array<std::uint64_t, 6> kRates = {0,          128'000,     1'000'000,
                                                   10'000'000, 100'000'000, 1'000'000'000};
  impairment.rate = one_of(random, kRates);
  impairment.delay = random.chance(0.2) ? 0ms : up_to(random, random.chance(0.2) ? 400ms : 40ms);
  if (random.chance(0.4)) impairment.jitter = up_to(random, 30ms);
  impairment.queue = random.chance(0.3) ? 3000 + random.below(30000) : 1U << 20;
  if (random.chance(0.7)) {
    constexpr std::array<double, 5> kLosses = {0.005, 0.02, 0.05, 0.15, 0.3};
    impairment.loss = one_of(random, kLosses);
  }
  if (random.chance(0.1)) impairment.burst = {0.01, 0.25};
  if (random.chance(0.3)) impairment.reorder = one_of(random, std::array{0.01, 0.1, 0.5});
  impairment.reorder_delay = 1us + up_to(random, 100ms);
  if (random.chance(0.3)) impairment.duplicate = one_of(random, std::array{0.01, 0.1, 0.5});
  if (random.chance(0.3)) impairment.corrupt = one_of(random, std::array{0.01, 0.05, 0.1});
  draw_marks(random, impairment);
  return impairment;
}

TcpSettings draw_settings(Random& random, const TcpConfig& config, bool timeouts_possible) {
  TcpSettings settings = config.defaults;
  settings.no_delay = random.chance(0.5);
  settings.ecn = one_of(random, std::array{TcpEcn::off, TcpEcn::passive, TcpEcn::on, TcpEcn::on});
  settings.send_buffer = static_cast<std::uint32_t>(
      random.chance(0.3) ? 1 + log_uniform(random, 4096) : 4096 + log_uniform(random, 1U << 20));
  settings.receive_buffer = static_cast<std::uint32_t>(
      random.chance(0.3) ? 512 + log_uniform(random, 4096) : 4096 + log_uniform(random, 1U << 20));
  // Some tune themselves, up to what was drawn for them.
  if (*settings.send_buffer % 4 == 0) {
    settings.max_send_buffer = *std::exchange(settings.send_buffer, std::nullopt);
  }
  if (*settings.receive_buffer % 4 == 0) {
    settings.max_receive_buffer = *std::exchange(settings.receive_buffer, std::nullopt);
  }
  if (timeouts_possible && random.chance(0.5)) {
    settings.keep_alive = true;
    settings.keep_alive_idle = 1s + up_to(random, 10s);
    settings.keep_alive_interval = 500ms + up_to(random, 3s);
    settings.keep_alive_count = static_cast<std::uint8_t>(1 + random.below(6));
  }
  return settings;
}

std::uint64_t draw_bytes(Random& random) {
  if (random.chance(0.15)) return 0;
  return log_uniform(random, random.chance(0.2) ? 400'000 : 40'000);
}

SidePlan draw_side(Random& random, const TcpConfig& config, bool timeouts_possible) {
  SidePlan side;
  side.bytes = draw_bytes(random);
  side.write_chunk = static_cast<std::uint32_t>(log_uniform(random, 64 * 1024));
  side.read_chunk = static_cast<std::uint32_t>(log_uniform(random, 64 * 1024));
  // A program that dawdles does so a bounded number of times.
  if (random.chance(0.3)) {
    side.write_chunk = std::max(side.write_chunk, static_cast<std::uint32_t>(side.bytes / 100 + 1));
    side.write_gap = up_to(random, random.chance(0.3) ? 3s : 100ms);
  }
  if (random.chance(0.3)) {
    side.read_chunk = std::max<std::uint32_t>(side.read_chunk, 512);
    side.read_gap = up_to(random, random.chance(0.3) ? 2s : 50ms);
  }
  if (random.chance(0.15)) side.first_read = up_to(random, 30s);
  if (random.chance(0.1)) side.urgent = random.unit() * 0.3;
  side.settings = draw_settings(random, config, timeouts_possible);
  return side;
}

/// Lets some programs leave before the end, at a byte or at a moment.
void draw_ending(Random& random, SidePlan& side) {
  if (!random.chance(0.2)) return;
  side.ending = random.chance(0.5) ? Ending::early_close : Ending::abort;
  side.leave_after = random.below(side.bytes + 1);
  if (random.chance(0.4)) {
    side.leave_at = up_to(random, random.chance(0.5) ? 200ms : 10s);
    side.leave_after = side.bytes + 1;
  }
}

Duration longest_pause(const SidePlan& side) {
  return std::max({side.write_gap, side.read_gap, side.first_read});
}

std::string describe(const SidePlan& s) {
  constexpr std::array<const char*, 4> kEndings = {"graceful", "answers", "early close", "abort"};
  std::string text =
      fmt::format("{} B by {} (gap {} ms), reads {} (gap {} ms, first {} ms), {}", s.bytes,
                  s.write_chunk, s.write_gap / 1ms, s.read_chunk, s.read_gap / 1ms,
                  s.first_read / 1ms, kEndings[static_cast<std::size_t>(s.ending)]);
  if (s.ending == Ending::early_close || s.ending == Ending::abort) {
    text += s.leave_at ? fmt::format(" after {} ms", *s.leave_at / 1ms)
                       : fmt::format(" after {} B", s.leave_after);
  }
  const auto size = [](const std::optional<std::uint32_t>& fixed, std::uint32_t most) {
    return fixed ? fmt::format("{}", *fixed) : fmt::format("up to {}", most);
  };
  return text + fmt::format(", sndbuf {}, rcvbuf {}, ecn {}{}{}{}",
                            size(s.settings.send_buffer, s.settings.max_send_buffer),
                            size(s.settings.receive_buffer, s.settings.max_receive_buffer),
                            to_string(s.settings.ecn), s.settings.no_delay ? ", nodelay" : "",
                            s.settings.keep_alive ? ", keep-alive" : "",
                            s.urgent > 0 ? ", urgent" : "");
}

/// A frame of a path is not delivered, or not as it was.
double failure(const Impairment& i) {
  const double in_bursts = i.burst.enter > 0 ? i.burst.enter / (i.burst.enter + i.burst.leave) : 0;
  return 1 - (1 - i.loss) * (1 - in_bursts) * (1 - i.corrupt);
}

}  // namespace

TcpConfig draw_config(Random& random, bool timeouts_possible) {
  TcpConfig config;
  config.timestamps = random.chance(0.7);
  config.sack = random.chance(0.7);
  // Of listeners, whose settings nobody draws.
  config.defaults.ecn = one_of(random, std::array{TcpEcn::off, TcpEcn::passive});
  config.window_scaling = random.chance(0.7);
  config.delayed_ack = one_of(random, std::array<Duration, 3>{0ms, 40ms, 200ms});
  config.min_rto = one_of(random, std::array<Duration, 3>{50ms, 200ms, 1s});
  config.max_rto = 60s;
  config.msl = one_of(random, std::array<Duration, 3>{5s, 30s, 60s});
  config.initial_window = random.chance(0.3) ? static_cast<std::uint16_t>(1 + random.below(4)) : 10;
  config.user_timeout = timeouts_possible ? 30s + up_to(random, 60s) : kLong;
  config.syn_timeout = timeouts_possible ? Duration(190s) : kLong;
  return config;
}

ConnectionPlan draw_connection(Random& random, const Ends& ends, std::uint16_t index) {
  ConnectionPlan connection;
  connection.start = Instant(1s) + up_to(random, random.chance(0.5) ? 0s : 3s);
  connection.a_connects = random.chance(0.5);
  connection.simultaneous = random.chance(0.1);
  if (connection.simultaneous && random.chance(0.5)) {
    connection.second_start = up_to(random, ends.round_trip);
  }
  if (connection.simultaneous || random.chance(0.5)) {
    connection.local_port = static_cast<std::uint16_t>(10000 + index);
  }
  connection.a = draw_side(random, ends.a, ends.timeouts_possible);
  connection.b = draw_side(random, ends.b, ends.timeouts_possible);
  // Through a buffer of a few bytes a long stream would take a frame for each of them.
  const auto bound = [](SidePlan& from, const SidePlan& to) {
    const std::uint64_t buffer =
        std::min(from.settings.send_buffer.value_or(from.settings.max_send_buffer),
                 to.settings.largest_receive_buffer());
    from.bytes = std::min(from.bytes, 500 * buffer);
  };
  bound(connection.a, connection.b);
  bound(connection.b, connection.a);
  // Somebody has to take leave first: the end that connects, which also has to say something, for
  // a listener that lost its half of a handshake learns from nothing else.
  SidePlan& passive = connection.a_connects ? connection.b : connection.a;
  SidePlan& active = connection.a_connects ? connection.a : connection.b;
  if (!connection.simultaneous && random.chance(0.3)) passive.ending = Ending::answers;
  draw_ending(random, active);
  draw_ending(random, passive);
  return connection;
}

std::string describe(const Impairment& i) {
  return fmt::format(
      "{} bit/s, delay {}, jitter {}, queue {} B, loss {:.1f}%{}, reorder {:.0f}% by {}, duplicate "
      "{:.0f}%, corrupt {:.0f}%, mark {:.0f}% and above {} B{}",
      i.rate, i.delay / 1us, i.jitter / 1us, i.queue, i.loss * 100,
      i.burst.enter > 0 ? " and bursts" : "", i.reorder * 100, i.reorder_delay / 1us,
      i.duplicate * 100, i.corrupt * 100, i.mark * 100, i.mark_above,
      i.mtu == 0 ? "" : fmt::format(", mtu {}{}", i.mtu, i.mtu_silent ? " silently" : ""));
}

std::string describe(const TcpConfig& c) {
  return fmt::format(
      "timestamps {}, sack {}, scaling {}, delayed ack {} ms, min rto {} ms, msl {} s, iw {}",
      c.timestamps, c.sack, c.window_scaling, c.delayed_ack / 1ms, c.min_rto / 1ms, c.msl / 1s,
      c.initial_window);
}

std::string describe(const ConnectionPlan& c) {
  return fmt::format("at {} ms, {}\n    a: {}\n    b: {}\n", c.start.time_since_epoch() / 1ms,
                     c.simultaneous ? "simultaneous" : (c.a_connects ? "a to b" : "b to a"),
                     describe(c.a), describe(c.b));
}

Duration time_of_retransmissions(double loss, Duration max_rto) {
  const int attempts = static_cast<int>(std::ceil(std::log(1e-10) / std::log(loss))) + 2;
  Duration total{};
  Duration rto = 3s;
  for (int i = 0; i < attempts; ++i) {
    total += rto;
    rto = std::min(2 * rto, max_rto);
  }
  return total;
}

Duration longest_pause(const ConnectionPlan& connection) {
  return longest_pause(connection.a) + longest_pause(connection.b);
}

double Plan::round_trip_loss() const {
  double loss = 1 - (1 - failure(a_to_b)) * (1 - failure(b_to_a));
  for (const PathChange& change : changes) {
    loss = std::max(loss, 1 - (1 - failure(change.a_to_b)) * (1 - failure(change.b_to_a)));
  }
  return loss;
}

Duration Plan::patience() const {
  double loss = std::max(round_trip_loss(), 0.01);
  for (const Impairment* way : {&a_to_b, &b_to_a}) {
    // A burst is counted in frames: a connection that sends seldom sits through all of it, if it
    // does not end by itself.
    const bool endless = way->burst.longest == Duration::max();
    if (way->burst.enter > 0 && endless) loss = std::max(loss, 1 - way->burst.leave);
  }
  Duration total = time_of_retransmissions(loss, tcp_a.max_rto);
  for (const PathChange& change : changes) {
    // Each size that is tried after some timeouts may be too large again (RFC 4821 7.7).
    if (change.a_to_b.mtu != 0) total += 10 * tcp_a.max_rto;
  }
  for (const Partition& partition : partitions) total += 2 * partition.length + tcp_a.max_rto;
  for (const ConnectionPlan& connection : connections) {
    total += longest_pause(connection);
  }
  return total + 60s;  // for queues to drain on the slowest link
}

std::string Plan::describe() const {
  std::string text =
      fmt::format("seed {}: {}, mtu {}/{}, backlog {}{}\n  a->b {}\n  b->a {}\n  a: {}\n  b: {}\n",
                  seed, family == Family::ipv4 ? "IPv4" : "IPv6", mtu_a, mtu_b, backlog,
                  timeouts_possible ? ", short timeouts" : "", swarm::describe(a_to_b),
                  swarm::describe(b_to_a), swarm::describe(tcp_a), swarm::describe(tcp_b));
  for (std::size_t i = 0; i < connections.size(); ++i) {
    text += fmt::format("  #{} {}", i, swarm::describe(connections[i]));
  }
  for (const PathChange& change : changes) {
    text += fmt::format("  from {} ms on\n    a->b {}\n    b->a {}\n",
                        change.at.time_since_epoch() / 1ms, swarm::describe(change.a_to_b),
                        swarm::describe(change.b_to_a));
  }
  for (const Partition& p : partitions) {
    text += fmt::format("  partition at {} ms for {} ms\n", p.begin.time_since_epoch() / 1ms,
                        p.length / 1ms);
  }
  return text;
}

Plan draw_plan(std::uint64_t seed) {
  Random random(seed);
  Plan plan;
  plan.seed = seed;
  plan.family = random.chance(0.5) ? Family::ipv4 : Family::ipv6;
  constexpr std::array<std::uint32_t, 5> kMtus4 = {296, 576, 1400, 1500, 9000};
  constexpr std::array<std::uint32_t, 3> kMtus6 = {1280, 1500, 9000};
  const bool v4 = plan.family == Family::ipv4;
  plan.mtu_a = v4 ? one_of(random, kMtus4) : one_of(random, kMtus6);
  plan.mtu_b =
      random.chance(0.8) ? plan.mtu_a : (v4 ? one_of(random, kMtus4) : one_of(random, kMtus6));
  plan.a_to_b = draw_impairment(random);
  plan.b_to_a = random.chance(0.5) ? plan.a_to_b : draw_impairment(random);
  plan.timeouts_possible = random.chance(0.15);
  plan.tcp_a = draw_config(random, plan.timeouts_possible);
  plan.tcp_b = draw_config(random, plan.timeouts_possible);
  if (random.chance(0.2)) {
    const auto count = 1 + random.below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      plan.partitions.push_back({Instant(1s) + up_to(random, random.chance(0.5) ? 1s : 20s),
                                 1ms + up_to(random, random.chance(0.5) ? 2s : 60s)});
    }
  }
  const auto connections = static_cast<std::uint16_t>(log_uniform(random, 12));
  plan.backlog = random.chance(0.85) ? 64 : static_cast<std::uint32_t>(1 + random.below(3));
  for (std::uint16_t i = 0; i < connections; ++i) {
    plan.connections.push_back(draw_connection(
        random,
        {plan.tcp_a, plan.tcp_b, plan.timeouts_possible, plan.a_to_b.delay + plan.b_to_a.delay},
        i));
  }
  return plan;
}

}  // namespace hawser::swarm
