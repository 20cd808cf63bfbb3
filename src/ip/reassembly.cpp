#include "ip/reassembly.hpp"

#include <algorithm>
#include <utility>

#include "core/copy.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::ip {

namespace {

constexpr std::uint32_t kNone = SlotList::kNone;
/// What a datagram costs beside its fragments, and a fragment beside the blocks of its bytes.
constexpr std::size_t kDatagramCost = 384;
constexpr std::size_t kFragmentCost = 512;
constexpr std::uint32_t kLargestPacket = 65535;
/// Tables that have grown beyond this give their memory back when they fall empty.
constexpr std::size_t kSmallTable = 256;

constexpr std::uint8_t kNotEct = 0;
constexpr std::uint8_t kCongestionExperienced = 3;

/// The memory that `packet` pins.
std::size_t cost_of(const Packet& packet) {
  std::size_t cost = kFragmentCost;
  for (const Slice& slice : packet.slices()) cost += slice.block_capacity();
  return cost;
}

/// RFC3168-5.3: congestion that one fragment met, all have met, unless the sender does not know
/// what that is: then some router is broken, and nothing may come of it.
std::optional<std::uint8_t> merge_ecn(std::uint8_t seen, std::uint8_t first) {
  const auto has = [seen](std::uint8_t codepoint) { return (seen >> codepoint & 1) != 0; };
  if (has(kCongestionExperienced)) {
    if (has(kNotEct)) return std::nullopt;
    return kCongestionExperienced;
  }
  return has(kNotEct) ? kNotEct : first;
}

bool same_bytes(const Packet& a, std::uint32_t at_a, const Packet& b, std::uint32_t at_b,
                std::uint32_t length) {
  std::array<std::byte, 256> x;
  std::array<std::byte, 256> y;
  while (length > 0) {
    const std::uint32_t n = std::min<std::uint32_t>(length, x.size());
    a.copy_to(at_a, std::span(x).first(n));
    b.copy_to(at_b, std::span(y).first(n));
    if (std::memcmp(x.data(), y.data(), n) != 0) return false;
    at_a += n;
    at_b += n;
    length -= n;
  }
  return true;
}

/// One IPv4 address, or the /64 of an IPv6 one, which any host may have to itself.
IpAddress charged_source(const IpAddress& source) {
  if (source.is_v4()) return source;
  auto bytes = source.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress::v6(bytes);
}

/// Makes the header of the first fragment that of a whole packet.
void finish_header(std::span<std::byte> packet, const wire::ParsedIp& first, std::size_t headers,
                   std::uint8_t ecn) {
  std::byte* at = packet.data();
  if (first.header.source.is_v4()) {
    wire::write8(at + 1, static_cast<std::uint8_t>(first.header.dscp << 2 | ecn));
    wire::write16(at + 2, static_cast<std::uint16_t>(packet.size()));
    wire::write16(at + 6, 0);
    wire::write16(at + 10, 0);
    wire::Checksum checksum;
    checksum.add(packet.first(headers));
    wire::write16(at + 10, checksum.value());
    return;
  }
  constexpr std::uint32_t kEcnBits = 3U << 20;
  wire::write32(at, (wire::read32(at) & ~kEcnBits) | std::uint32_t{ecn} << 20);
  wire::write16(at + 4, static_cast<std::uint16_t>(packet.size() - wire::kIpv6Header));
  wire::write8(at + first.fragment->announced_at, first.header.protocol);
}

}  // namespace

Reassembly::Reassembly(const IpConfig& config, BufferPool& pool, Random& random,
                       StackCounters& counters)
    : config_(&config),
      pool_(&pool),
      counters_(&counters),
      index_(0, Hash{KeyedHash(random)}),
      sources_(0, Hash{KeyedHash(random)}) {}

Packet Reassembly::on_fragment(Instant now, const wire::ParsedIp& parsed, Packet packet) {
  ++counters_->fragments_received;
  packet.truncate(parsed.header_bytes + parsed.payload_bytes);
  const auto index = find_or_create(now, parsed, packet.interface());
  if (!index) {
    drop(DropReason::fragment_memory);
    return {};
  }
  Datagram& datagram = datagrams_[*index];
  if (datagram.is_void) {
    drop(DropReason::fragment_overlap);
    return {};
  }
  if (const auto refused = insert(datagram, *index, parsed, std::move(packet))) {
    drop(*refused);
    if (*refused != DropReason::fragment_duplicate) make_void(*index, *refused);
    return {};
  }
  if (datagram.received != datagram.size) return {};
  Packet whole = assemble(datagram);
  if (whole) ++counters_->datagrams_reassembled;
  erase(*index, DropReason::count_);
  return whole;
}

std::optional<std::uint32_t> Reassembly::find_or_create(Instant now, const wire::ParsedIp& parsed,
                                                        InterfaceId interface) {
  const wire::IpHeader& header = parsed.header;
  const bool v4 = header.source.is_v4();
  const Key key{.source = header.source,
                .destination = header.destination,
                .identification = parsed.fragment->identification,
                .interface = header.source.is_link_local() ? interface : InterfaceId{},
                .protocol = v4 ? header.protocol : std::uint8_t{0},
                .v4 = static_cast<std::uint8_t>(v4)};
  if (const auto found = index_.find(key); found != index_.end()) return found->second;
  const IpAddress source = charged_source(header.source);
  if (!make_room(source, kDatagramCost, kNone)) return std::nullopt;
  const std::uint32_t index = datagrams_.emplace();
  Datagram& datagram = datagrams_[index];
  datagram.key = key;
  datagram.charged_to = source;
  // From the first fragment that arrives, and never longer (RFC1122-3.3.2, RFC8200-4.5).
  datagram.deadline = now + (v4 ? config_->reassembly_timeout_v4 : config_->reassembly_timeout_v6);
  index_.emplace(key, index);
  by_age(key).push_back(index, [&](std::uint32_t i) -> SlotLinks& { return datagrams_[i].by_age; });
  sources_[source].datagrams.push_back(
      index, [&](std::uint32_t i) -> SlotLinks& { return datagrams_[i].by_source; });
  charge(datagram, kDatagramCost);
  return index;
}

/// Nothing when the fragment is in its place.
std::optional<DropReason> Reassembly::insert(Datagram& datagram, std::uint32_t index,
                                             const wire::ParsedIp& parsed, Packet packet) {
  const wire::FragmentInfo& info = *parsed.fragment;
  const std::uint32_t begin = info.offset;
  const std::uint32_t end = begin + parsed.payload_bytes;
  if (const auto bad = check(datagram, info, end, parsed, packet)) return bad;
  if (datagram.fragments.size() == kMaxFragments) return DropReason::fragment_memory;
  if (begin != 0) packet.trim_front(parsed.header_bytes);
  packet = compact(std::move(packet));
  if (!packet) return DropReason::no_memory;
  const std::size_t cost = cost_of(packet);
  if (!make_room(datagram.charged_to, cost, index)) return DropReason::fragment_memory;
  charge(datagram, cost);
  if (begin == 0) {
    datagram.first = parsed;
    datagram.headers = info.header_at != 0 ? info.header_at : parsed.header_bytes;
  }
  if (!info.more) datagram.size = end;
  datagram.received += end - begin;
  datagram.ecn_seen = static_cast<std::uint8_t>(datagram.ecn_seen | 1U << parsed.header.ecn);
  datagram.verified &= packet.checksum() == ChecksumMark::verified;
  const auto place = std::ranges::partition_point(
      datagram.fragments, [begin](const Fragment& other) { return other.begin < begin; });
  datagram.fragments.insert(place, {begin, end, std::move(packet)});
  return std::nullopt;
}

/// RFC5722-4, RFC8200-4.5: whether it agrees with what is there.
std::optional<DropReason> Reassembly::check(const Datagram& datagram,
                                            const wire::FragmentInfo& info, std::uint32_t end,
                                            const wire::ParsedIp& parsed,
                                            const Packet& packet) const {
  const std::vector<Fragment>& fragments = datagram.fragments;
  const std::uint32_t begin = info.offset;
  const auto next = std::ranges::partition_point(
      fragments, [begin](const Fragment& other) { return other.begin < begin; });
  const bool last_known = datagram.size.has_value();
  if (next != fragments.end() && next->begin == begin && next->end == end &&
      info.more == !(datagram.size == end)) {
    const std::uint32_t skip = begin == 0 ? datagram.first->header_bytes : 0;
    if (same_bytes(next->packet, skip, packet, parsed.header_bytes, end - begin)) {
      return DropReason::fragment_duplicate;
    }
  }
  if (next != fragments.end() && next->begin < end) return DropReason::fragment_overlap;
  if (next != fragments.begin() && std::prev(next)->end > begin) {
    return DropReason::fragment_overlap;
  }
  // Two ends, or something behind the end.
  if (!info.more && (last_known || next != fragments.end())) return DropReason::fragment_overlap;
  if (info.more && last_known && end >= *datagram.size) return DropReason::fragment_overlap;
  return std::nullopt;
}

/// All of the datagram in one block: it has more fragments than a packet has slices, and headers
/// must be in one piece.
Packet Reassembly::assemble(Datagram& datagram) {
  const wire::ParsedIp& first = *datagram.first;
  const std::uint32_t total = datagram.headers + *datagram.size;
  const auto give_up = [&](DropReason why) {
    drop(why, datagram.fragments.size());
    return Packet{};
  };
  // The headers of the first fragment may be longer than those of the last, which were checked.
  const std::uint32_t fixed = first.header.source.is_v4() ? 0U : wire::kIpv6Header;
  if (total - fixed > kLargestPacket) return give_up(DropReason::bad_fragment);
  const auto ecn = merge_ecn(datagram.ecn_seen, first.header.ecn);
  if (!ecn) return give_up(DropReason::fragment_overlap);
  Slice block = pool_->take(total);
  Packet whole = pool_->take_packet();
  if (!block || !whole) return give_up(DropReason::no_memory);
  const std::span<std::byte> bytes = block.spare().first(total);
  datagram.fragments.front().packet.copy_to(0, bytes.first(datagram.headers));
  for (const Fragment& fragment : datagram.fragments) {
    const std::uint32_t skip = fragment.begin == 0 ? first.header_bytes : 0;
    fragment.packet.copy_to(
        skip, bytes.subspan(datagram.headers + fragment.begin, fragment.end - fragment.begin));
  }
  finish_header(bytes, first, datagram.headers, *ecn);
  block.extend(total);
  whole.append(std::move(block));
  whole.set_checksum(datagram.verified ? ChecksumMark::verified : ChecksumMark::in_frame);
  whole.set_interface(datagram.fragments.front().packet.interface());
  return whole;
}

std::optional<Reassembly::Expired> Reassembly::poll_expired(Instant now) {
  const std::uint32_t index = oldest(kNone);
  if (index == kNone || datagrams_[index].deadline > now) return std::nullopt;
  Datagram& datagram = datagrams_[index];
  Expired expired;
  drop(DropReason::fragment_timeout, datagram.fragments.size());
  if (datagram.first) expired.first_fragment = std::move(datagram.fragments.front().packet);
  erase(index, DropReason::count_);
  return expired;
}

Instant Reassembly::next_deadline() const {
  const std::uint32_t index = oldest(kNone);
  return index == kNone ? kNever : datagrams_[index].deadline;
}

/// The one whose time is over first, but for `keep`; kNone when there is no other.
std::uint32_t Reassembly::oldest(std::uint32_t keep) const {
  std::uint32_t best = kNone;
  for (const SlotList* list : {&by_age_v4_, &by_age_v6_}) {
    std::uint32_t index = list->front();
    if (index != kNone && index == keep) index = datagrams_[index].by_age.next;
    if (index == kNone) continue;
    if (best == kNone || datagrams_[index].deadline < datagrams_[best].deadline) best = index;
  }
  return best;
}

/// Gives up the oldest until `memory` more bytes from `source` are within the bounds; never `keep`.
bool Reassembly::make_room(const IpAddress& source, std::size_t memory, std::uint32_t keep) {
  for (;;) {
    const auto found = sources_.find(source);
    const std::size_t of_source = found == sources_.end() ? 0 : found->second.memory;
    if (of_source + memory <= config_->reassembly_memory_per_source) break;
    if (found == sources_.end()) return false;
    std::uint32_t victim = found->second.datagrams.front();
    if (victim == keep) victim = datagrams_[victim].by_source.next;
    if (victim == kNone) return false;
    erase(victim, DropReason::fragment_memory);
  }
  while (memory_ + memory > config_->reassembly_memory) {
    const std::uint32_t victim = oldest(keep);
    if (victim == kNone) return false;
    erase(victim, DropReason::fragment_memory);
  }
  return true;
}

void Reassembly::charge(Datagram& datagram, std::size_t memory) {
  datagram.memory += memory;
  memory_ += memory;
  sources_[datagram.charged_to].memory += memory;
}

/// What is there goes, and what is still to come is kept away until its time is over.
void Reassembly::make_void(std::uint32_t index, DropReason why) {
  Datagram& datagram = datagrams_[index];
  drop(why, datagram.fragments.size());
  datagram.fragments = std::vector<Fragment>();
  datagram.first.reset();
  datagram.is_void = true;
  const std::size_t freed = std::exchange(datagram.memory, kDatagramCost) - kDatagramCost;
  memory_ -= freed;
  sources_[datagram.charged_to].memory -= freed;
}

/// With `why`, its fragments are counted as dropped.
void Reassembly::erase(std::uint32_t index, DropReason why) {
  Datagram& datagram = datagrams_[index];
  if (why != DropReason::count_) drop(why, datagram.fragments.size());
  memory_ -= datagram.memory;
  const auto source = sources_.find(datagram.charged_to);
  source->second.memory -= datagram.memory;
  source->second.datagrams.remove(
      index, [&](std::uint32_t i) -> SlotLinks& { return datagrams_[i].by_source; });
  by_age(datagram.key).remove(index, [&](std::uint32_t i) -> SlotLinks& {
    return datagrams_[i].by_age;
  });
  if (source->second.datagrams.empty()) sources_.erase(source);
  index_.erase(datagram.key);
  datagrams_.erase(index);
  if (datagrams_.size() == 0 && index_.capacity() > kSmallTable) {
    index_ = decltype(index_)(0, index_.hash_function());
    sources_ = decltype(sources_)(0, sources_.hash_function());
  }
}

/// A packet whose few bytes are in large blocks, as a device may give it, is copied into a small
/// one; false without memory.
Packet Reassembly::compact(Packet packet) {
  const std::uint32_t size = packet.size();
  const std::size_t small = kFragmentCost + BufferPool::kSmallBlock;
  if (size > BufferPool::kSmallBlock || cost_of(packet) <= small) return packet;
  Slice block = pool_->take(size);
  Packet copy = pool_->take_packet();
  if (!block || !copy) return {};
  packet.copy_to(0, block.spare().first(size));
  block.extend(size);
  copy.append(std::move(block));
  copy.set_checksum(packet.checksum());
  copy.set_interface(packet.interface());
  return copy;
}

}  // namespace hawser::ip
