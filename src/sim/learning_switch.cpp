#include "sim/learning_switch.hpp"

#include <algorithm>

namespace hawser::sim {

namespace {

constexpr std::size_t kAddressBytes = 6;
constexpr std::size_t kHeaderBytes = 14;

MacAddress address_at(std::span<const std::byte> bytes) {
  std::array<std::uint8_t, kAddressBytes> address{};
  std::ranges::transform(bytes.first(kAddressBytes), address.begin(),
                         [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return MacAddress(address);
}

std::uint64_t key_of(const MacAddress& address) {
  std::uint64_t key = 0;
  for (const std::uint8_t byte : address.bytes()) key = key << 8U | byte;
  return key;
}

/// 01:80:c2:00:00:00 to 0f is for the switch itself and goes no further (IEEE 802.1D 7.12.6).
bool is_for_switches(const MacAddress& address) { return key_of(address) >> 4U == 0x0180c200000U; }

}  // namespace

LearningSwitch::Decision LearningSwitch::on_frame(Instant now, std::uint32_t port,
                                                  const Packet& frame) {
  ++counters_.frames;
  if (frame.size() < kHeaderBytes) {
    ++counters_.malformed;
    return {Way::nowhere};
  }
  std::array<std::byte, kHeaderBytes> header{};
  frame.copy_to(0, header);
  const MacAddress destination = address_at(header);
  const MacAddress source = address_at(std::span(header).subspan(kAddressBytes));
  forget_old(now);
  if (!source.is_multicast() && !source.is_unspecified()) learn(now, source, port);

  if (is_for_switches(destination)) {
    ++counters_.filtered;
    return {Way::nowhere};
  }
  const auto found = by_address_.find(key_of(destination));
  if (destination.is_multicast() || found == by_address_.end()) {
    ++counters_.flooded;
    return {Way::to_all};
  }
  if (found->second->port == port) {
    ++counters_.filtered;
    return {Way::nowhere};
  }
  ++counters_.forwarded;
  return {Way::to_port, found->second->port};
}

void LearningSwitch::forget_old(Instant now) {
  while (!entries_.empty() && now - entries_.front().seen >= config_.ageing) {
    by_address_.erase(key_of(entries_.front().address));
    entries_.pop_front();
  }
}

void LearningSwitch::learn(Instant now, const MacAddress& address, std::uint32_t port) {
  const auto found = by_address_.find(key_of(address));
  if (found != by_address_.end()) {
    const Entries::iterator entry = found->second;
    if (entry->port != port) ++counters_.moved;
    entry->port = port;
    entry->seen = now;
    entries_.splice(entries_.end(), entries_, entry);
    return;
  }
  if (config_.table == 0) return;
  if (entries_.size() >= config_.table) {
    ++counters_.displaced;
    by_address_.erase(key_of(entries_.front().address));
    entries_.pop_front();
  }
  entries_.push_back({address, port, now});
  by_address_.emplace(key_of(address), std::prev(entries_.end()));
}

}  // namespace hawser::sim
