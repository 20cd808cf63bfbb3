// What must hold for any sequence of fragments that ip::Reassembly is given: it makes exactly the
// datagrams that a plain model makes, and keeps nothing when all time is over. The fuzzer here and
// the test of random sequences in tests/ip/ both call it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "fuzz/wire_targets.hpp"
#include "ip/reassembly.hpp"
#include "wire/ip.hpp"

namespace hawser::fuzz {

/// Four bytes of input are one fragment, so that short inputs make many collisions.
struct FragmentPlan {
  static constexpr std::size_t kBytes = 4;

  explicit FragmentPlan(std::span<const std::byte, kBytes> from)
      : v4((wire::read8(&from[0]) & 1) != 0),
        more((wire::read8(&from[0]) & 2) != 0),
        identification(wire::read8(&from[0]) >> 2 & 3),
        late((wire::read8(&from[0]) & 0xf0) == 0xf0),
        begin((wire::read8(&from[1]) & 7U) * 8U),
        size(1U + wire::read8(&from[2]) % 32U),
        fill(wire::read8(&from[3]) & 1U) {
    if (more) size = (size + 7) / 8 * 8;
  }

  std::uint32_t end() const { return begin + size; }

  bool v4;
  bool more;
  std::uint32_t identification;
  bool late;  ///< some seconds after the last
  std::uint32_t begin;
  std::uint32_t size;
  std::uint8_t fill;  ///< every byte of the payload
};

/// What reassembly is, written down without regard for time and memory.
class ReassemblyModel {
 public:
  /// The payload of the datagram that `plan` completes.
  std::optional<std::vector<std::byte>> take(Instant now, const FragmentPlan& plan) {
    const std::uint32_t key = plan.identification * 2 + (plan.v4 ? 1 : 0);
    Datagram& datagram = datagrams_[key];
    if (datagram.expires <= now) datagram = {};
    if (datagram.pieces.empty() && !datagram.is_void) {
      datagram.expires = now + std::chrono::seconds(plan.v4 ? 30 : 60);
    }
    if (datagram.is_void) return std::nullopt;
    for (const FragmentPlan& other : datagram.pieces) {
      if (same(other, plan)) return std::nullopt;
      const bool overlap = plan.begin < other.end() && other.begin < plan.end();
      const bool beyond = (!plan.more && (!other.more || other.end() > plan.end())) ||
                          (!other.more && plan.end() >= other.end());
      if (overlap || beyond) {
        datagram.is_void = true;
        return std::nullopt;
      }
    }
    datagram.pieces.push_back(plan);
    auto whole = join(datagram.pieces);
    if (whole) datagrams_.erase(key);
    return whole;
  }

 private:
  struct Datagram {
    std::vector<FragmentPlan> pieces;
    Instant expires = kNever;
    bool is_void = false;
  };

  static bool same(const FragmentPlan& a, const FragmentPlan& b) {
    return a.begin == b.begin && a.size == b.size && a.more == b.more && a.fill == b.fill;
  }
  static std::optional<std::vector<std::byte>> join(std::vector<FragmentPlan> pieces) {
    std::ranges::sort(pieces, {}, &FragmentPlan::begin);
    std::vector<std::byte> bytes;
    for (const FragmentPlan& piece : pieces) {
      if (piece.begin != bytes.size()) return std::nullopt;
      bytes.insert(bytes.end(), piece.size, std::byte{piece.fill});
    }
    if (pieces.back().more) return std::nullopt;
    return bytes;
  }

  std::map<std::uint32_t, Datagram> datagrams_;
};

inline Violation check_reassembly(BufferPool& pool, std::span<const std::byte> input) {
  const std::size_t before = pool.bytes_in_use();
  const IpConfig config;
  Random random(1);
  StackCounters counters;
  ip::Reassembly reassembly(config, pool, random, counters);
  ReassemblyModel model;
  Instant now{std::chrono::hours(1)};
  for (; input.size() >= FragmentPlan::kBytes; input = input.subspan(FragmentPlan::kBytes)) {
    const FragmentPlan plan(input.first<FragmentPlan::kBytes>());
    if (plan.late) now += std::chrono::seconds(7);
    while (reassembly.poll_expired(now)) {
    }
    if (reassembly.next_deadline() <= now) return "a deadline stays in the past";
    const IpAddress address = plan.v4 ? IpAddress::v4(10, 0, 0, 1) : *IpAddress::parse("fd00::1");
    Packet packet = packet_of(pool, std::vector<std::byte>(plan.size, std::byte{plan.fill}));
    wire::push_fragment(packet, {.source = address, .destination = address, .protocol = 17},
                        {.identification = plan.identification,
                         .offset = static_cast<std::uint16_t>(plan.begin),
                         .more = plan.more});
    const auto parsed = wire::parse_ip(packet.head(), packet.size());
    // An atomic one, or one that is refused at the door.
    if (!parsed || !parsed->fragment) continue;
    const auto expected = model.take(now, plan);
    const Packet whole = reassembly.on_fragment(now, *parsed, std::move(packet));
    if (expected.has_value() != static_cast<bool>(whole)) return "a datagram too many or too few";
    if (!whole) continue;
    const auto result = wire::parse_ip(whole.head(), whole.size());
    if (!result || result->fragment) return "what was put together is refused";
    std::vector<std::byte> payload(result->payload_bytes);
    whole.copy_to(result->header_bytes, payload);
    if (payload != *expected) return "other bytes than were sent";
  }
  while (reassembly.poll_expired(now + std::chrono::seconds(60))) {
  }
  if (reassembly.memory() != 0 || reassembly.datagrams() != 0) return "something is kept for ever";
  if (pool.bytes_in_use() != before) return "memory of the pool is kept";
  return nullptr;
}

}  // namespace hawser::fuzz
