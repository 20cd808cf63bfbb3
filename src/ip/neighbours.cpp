#include "ip/neighbours.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace hawser::ip {

namespace {

/// Questions in a second, of those that have begun to be asked: what a scan of the network through
/// us costs the link (RFC 6583 6.1).
constexpr std::uint32_t kSolicitsPerSecond = 500;
/// The reachable time is drawn anew after so long (RFC 4861 6.3.4).
constexpr Duration kDrawAgain = std::chrono::hours(2);
// What a router may make of the times (RFC 4861 6.2.1 has the upper bound of the first).
constexpr Duration kLeastReachable = std::chrono::seconds(1);
constexpr Duration kMostReachable = std::chrono::hours(1);
constexpr Duration kLeastRetrans = std::chrono::milliseconds(100);
constexpr Duration kMostRetrans = std::chrono::seconds(10);

}  // namespace

Neighbours::Neighbours(Random random)
    : random_(random),
      timers_(TimerPlaceOf{&entries_}),
      solicit_limit_(kSolicitsPerSecond, kSolicitsPerSecond) {
  for (auto& key : hash_keys_) key = random_.next();
}

// ---- to send

NeighbourReference Neighbours::resolve(Instant now, InterfaceId interface,
                                       const IpAddress& next_hop, const IpAddress& source) {
  std::uint32_t index = find(interface, next_hop);
  if (index == kNone) {
    make_room(now, Part::incomplete);
    index = add(now, interface, next_hop, Part::incomplete);
    entries_[index].source = source;
    solicit(now, index);
  }
  Entry& entry = entries_[index];
  entry.source = source;
  if (entry.part == Part::heard) move_to(now, index, Part::used);
  return {index, entries_.generation(index), epoch_};
}

bool Neighbours::is_current(NeighbourReference reference) const {
  return reference.epoch == epoch_ &&
         entries_.find(reference.index, reference.generation) != nullptr;
}

const MacAddress* Neighbours::use(Instant now, NeighbourReference reference) {
  Entry& entry = entries_[reference.index];
  entry.last_used = now;
  switch (state_at(entry, now)) {
    case NeighbourState::incomplete:
      return nullptr;
    case NeighbourState::stale:  // RFC4861-7.3.3
      entry.state = NeighbourState::delay;
      entry.next_solicit = now + kDelayFirstProbe;
      timers_.arm_no_later(reference.index, entry.next_solicit);
      break;
    default:
      break;
  }
  return &entry.mac;
}

void Neighbours::hold(NeighbourReference reference, Packet packet) {
  Entry& entry = entries_[reference.index];
  assert(entry.state == NeighbourState::incomplete);
  const bool full = entry.held.size() >= kMaxHeld;
  if (full) {
    outputs_.emplace_back(
        Undeliverable{std::move(entry.held.front()), DropReason::neighbour_queue_full});
    entry.held.erase(entry.held.begin());
  } else if (held_ >= kMaxHeldInAll) {
    outputs_.emplace_back(Undeliverable{std::move(packet), DropReason::neighbour_queue_full});
    return;
  } else {
    ++held_;
  }
  entry.held.push_back(std::move(packet));
}

void Neighbours::confirm(Instant now, NeighbourReference reference) {
  if (!is_current(reference)) return;
  if (entries_[reference.index].state != NeighbourState::incomplete) {
    set_reachable(now, reference.index);
  }
}

void Neighbours::suspect(NeighbourReference reference) {
  if (!is_current(reference)) return;
  Entry& entry = entries_[reference.index];
  if (entry.state == NeighbourState::reachable) entry.state = NeighbourState::stale;
}

// ---- what was heard

void Neighbours::on_heard(Instant now, InterfaceId interface, const IpAddress& address,
                          const MacAddress& mac) {
  std::uint32_t index = find(interface, address);
  if (index == kNone) {
    if (!make_room(now, Part::heard)) return;
    index = add(now, interface, address, Part::heard);
    entries_[index].state = NeighbourState::stale;
    entries_[index].mac = mac;
    timers_.arm_no_later(index, now + kForget);
    return;
  }
  learn(now, index, mac);
}

void Neighbours::on_overheard(Instant now, InterfaceId interface, const IpAddress& address,
                              const MacAddress& mac) {
  const std::uint32_t index = find(interface, address);
  if (index != kNone) learn(now, index, mac);
}

/// RFC4861-7.2.3: another address than was known makes the entry stale; the same changes nothing.
void Neighbours::learn(Instant now, std::uint32_t index, const MacAddress& mac) {
  Entry& entry = entries_[index];
  if (entry.part == Part::heard) entry.last_used = now;
  if (entry.state != NeighbourState::incomplete && entry.mac == mac) return;
  const bool was_incomplete = entry.state == NeighbourState::incomplete;
  set_mac(now, index, mac);
  // What is being asked of the old station is of no use any more.
  entries_[index].state = NeighbourState::stale;
  if (was_incomplete) deliver_held(entries_[index]);
}

void Neighbours::on_advertisement(Instant now, InterfaceId interface, const IpAddress& address,
                                  const Advertised& advertised) {
  const std::uint32_t index = find(interface, address);
  if (index == kNone) return;  // RFC4861-7.2.5: nobody wants to know
  Entry& entry = entries_[index];
  const bool was_incomplete = entry.state == NeighbourState::incomplete;
  const bool differs = advertised.mac && (was_incomplete || *advertised.mac != entry.mac);
  if (was_incomplete && !advertised.mac) return;
  if (!was_incomplete && differs && !advertised.override_cache) {
    if (state_at(entry, now) == NeighbourState::reachable) entry.state = NeighbourState::stale;
    return;
  }
  if (differs) {
    set_mac(now, index, *advertised.mac);
    if (!advertised.solicited) entry.state = NeighbourState::stale;
  }
  if (advertised.solicited) set_reachable(now, index);
  if (advertised.router) set_router(interface, address, *advertised.router);
  if (was_incomplete) deliver_held(entry);
}

void Neighbours::on_arp_reply(Instant now, InterfaceId interface, const IpAddress& address,
                              const MacAddress& mac) {
  const std::uint32_t index = find(interface, address);
  if (index == kNone) return;
  const NeighbourState state = entries_[index].state;
  const bool asked = state == NeighbourState::incomplete || state == NeighbourState::probe;
  on_advertisement(now, interface, address,
                   {.mac = mac, .solicited = asked, .override_cache = true});
}

void Neighbours::set_router(InterfaceId interface, const IpAddress& address, bool is_router) {
  const std::uint32_t index = find(interface, address);
  if (index == kNone) return;
  Entry& entry = entries_[index];
  if (entry.is_router && !is_router) outputs_.emplace_back(RouterCeased{interface, address});
  entry.is_router = is_router;
}

/// RFC4861-6.3.4: at most an hour, and not so short that all would be asked all the time.
void Neighbours::set_reachable_time(InterfaceId interface, Duration mean) {
  Timing& timing = timing_of(interface);
  mean = std::clamp<Duration>(mean, kLeastReachable, kMostReachable);
  if (timing.mean_reachable != mean) timing.reachable = Duration::zero();
  timing.mean_reachable = mean;
}

void Neighbours::set_retrans_timer(InterfaceId interface, Duration timer) {
  timing_of(interface).retransmit = std::clamp<Duration>(timer, kLeastRetrans, kMostRetrans);
}

// ---- states

void Neighbours::solicit(Instant now, std::uint32_t index) {
  Entry& entry = entries_[index];
  entry.next_solicit = now + timing_of(entry.interface).retransmit;
  timers_.arm_no_later(index, entry.next_solicit);
  const bool incomplete = entry.state == NeighbourState::incomplete;
  if (incomplete && !solicit_limit_.take(now)) return;  // its turn comes
  ++entry.solicits;
  outputs_.emplace_back(Solicit{entry.interface, entry.address, entry.source,
                                incomplete ? std::nullopt : std::optional(entry.mac)});
}

void Neighbours::set_mac(Instant now, std::uint32_t index, const MacAddress& mac) {
  Entry& entry = entries_[index];
  entry.mac = mac;
  entry.since = now;
  if (entry.state != NeighbourState::incomplete) return;
  entry.last_used = now;
  move_to(now, index, Part::used);
}

void Neighbours::set_reachable(Instant now, std::uint32_t index) {
  Entry& entry = entries_[index];
  Timing& timing = timing_of(entry.interface);
  if (timing.reachable == Duration::zero() || now - timing.drawn_at > kDrawAgain) {
    // RFC4861-6.3.2: between half of the mean and half as much again.
    const auto mean = static_cast<std::uint64_t>(timing.mean_reachable.count());
    timing.reachable = timing.mean_reachable / 2 + Duration(random_.below(mean + 1));
    timing.drawn_at = now;
  }
  if (entry.state != NeighbourState::reachable) {
    entry.state = NeighbourState::reachable;
    outputs_.emplace_back(NeighbourFound{entry.interface, entry.address});
  }
  entry.since = now;
  entry.reachable_until = now + timing.reachable;
}

void Neighbours::deliver_held(Entry& entry) {
  held_ -= entry.held.size();
  for (Packet& packet : entry.held) outputs_.emplace_back(Deliver{std::move(packet), entry.mac});
  std::vector<Packet>().swap(entry.held);
}

void Neighbours::give_up_held(Entry& entry, DropReason reason) {
  held_ -= entry.held.size();
  for (Packet& packet : entry.held) outputs_.emplace_back(Undeliverable{std::move(packet), reason});
  std::vector<Packet>().swap(entry.held);
}

void Neighbours::lose(std::uint32_t index) {
  Entry& entry = entries_[index];
  give_up_held(entry, DropReason::no_neighbour);
  outputs_.emplace_back(NeighbourLost{entry.interface, entry.address});
  erase(index);
}

NeighbourState Neighbours::state_at(const Entry& entry, Instant now) const {
  return entry.state == NeighbourState::reachable && now >= entry.reachable_until
             ? NeighbourState::stale
             : entry.state;
}

// ---- time

Instant Neighbours::deadline_of(const Entry& entry) const {
  switch (entry.state) {
    case NeighbourState::reachable:
    case NeighbourState::stale:
      return entry.last_used + kForget;
    default:
      return entry.next_solicit;
  }
}

void Neighbours::on_time(Instant now) {
  while (timers_.earliest() <= now) {
    const std::uint32_t index = timers_.first();
    const Instant deadline = deadline_of(entries_[index]);
    if (deadline > now) {
      timers_.rearm_first(deadline);
    } else {
      fire(now, index);
    }
  }
}

void Neighbours::fire(Instant now, std::uint32_t index) {
  Entry& entry = entries_[index];
  switch (entry.state) {
    case NeighbourState::delay:
      entry.state = NeighbourState::probe;
      entry.solicits = 0;
      break;
    case NeighbourState::incomplete:
    case NeighbourState::probe:
      if (entry.solicits >= kMaxSolicits) return lose(index);
      break;
    default:
      return erase(index);
  }
  timers_.rearm_first(now + timing_of(entry.interface).retransmit);
  solicit(now, index);
}

std::optional<NeighbourOutput> Neighbours::poll_output() {
  if (outputs_.empty()) return std::nullopt;
  std::optional<NeighbourOutput> output(std::move(outputs_.front()));
  outputs_.pop_front();
  return output;
}

std::vector<NeighbourInfo> Neighbours::list(Instant now) const {
  std::vector<NeighbourInfo> result;
  for (const SlotList& part : parts_) {
    for (std::uint32_t index = part.front(); index != kNone; index = entries_[index].links.next) {
      const Entry& entry = entries_[index];
      const bool known = entry.state != NeighbourState::incomplete;
      result.push_back({.address = entry.address,
                        .interface = entry.interface,
                        .mac = known ? std::optional(entry.mac) : std::nullopt,
                        .state = state_at(entry, now),
                        .is_router = entry.is_router,
                        .age = now - entry.since});
    }
  }
  std::ranges::sort(result, {}, [](const NeighbourInfo& info) {
    return std::pair(info.interface, info.address);
  });
  return result;
}

Neighbours::Timing& Neighbours::timing_of(InterfaceId interface) {
  const auto number = static_cast<std::size_t>(interface);
  if (number >= timings_.size()) timings_.resize(number + 1);
  return timings_[number];
}

}  // namespace hawser::ip
