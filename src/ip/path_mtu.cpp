#include "ip/path_mtu.hpp"

#include <algorithm>
#include <array>

namespace hawser::ip {

namespace {

/// MTUs of the networks of their time, from large to small (RFC 1191 7.1).
constexpr std::array<std::uint32_t, 10> kPlateaus = {32000, 17914, 8166, 4352, 2002,
                                                     1492,  1006,  508,  296,  68};

}  // namespace

std::optional<std::uint32_t> claimed_mtu(Family family, std::uint32_t mtu,
                                         std::uint32_t packet_bytes) {
  if (family == Family::ipv6) {
    if (mtu < kMinPathMtuV6 || mtu >= packet_bytes) return std::nullopt;
    return mtu;
  }
  if (mtu == 0) {  // RFC1191-5: the next lower plateau
    const auto plateau = std::ranges::find_if(
        kPlateaus, [packet_bytes](std::uint32_t size) { return size < packet_bytes; });
    if (plateau == kPlateaus.end()) return std::nullopt;
    return *plateau;
  }
  if (mtu >= packet_bytes) return std::nullopt;
  return mtu;
}

PathMtu::PathMtu(std::size_t capacity, Duration lifetime, Random& random)
    : capacity_(capacity), lifetime_(lifetime), index_(0, Hash{KeyedHash(random)}) {}

std::optional<PathMtu::Entry> PathMtu::find(Instant now, const IpAddress& destination) const {
  if (index_.empty()) return std::nullopt;
  const auto found = index_.find(destination);
  if (found == index_.end() || entries_[found->second].expires <= now) return std::nullopt;
  return entries_[found->second].entry;
}

std::uint32_t PathMtu::get(Instant now, const IpAddress& destination, std::uint32_t mtu) const {
  const auto known = find(now, destination);
  return known ? std::min(known->mtu, mtu) : mtu;
}

PathMtu::Entry PathMtu::lower(Instant now, const IpAddress& destination, std::uint32_t mtu) {
  const std::uint32_t least = destination.is_v4() ? kMinPathMtuV4 : kMinPathMtuV6;
  Entry entry{.mtu = std::max(mtu, least), .cut = destination.is_v4() && mtu < least};
  if (const auto known = find(now, destination)) {
    entry.mtu = std::min(entry.mtu, known->mtu);
    entry.cut |= known->cut;
  }
  put(now, destination, entry);
  return entry;
}

void PathMtu::on_found(Instant now, const IpAddress& destination, std::uint32_t mtu,
                       bool larger_is_lost) {
  const auto known = find(now, destination);
  if (!larger_is_lost && (!known || known->mtu >= mtu)) return;
  put(now, destination,
      {.mtu = std::max(mtu, destination.is_v4() ? kMinPathMtuV4 : kMinPathMtuV6), .cut = false});
}

void PathMtu::put(Instant now, const IpAddress& destination, const Entry& entry) {
  if (const auto found = index_.find(destination); found != index_.end()) erase(found->second);
  if (entries_.size() >= capacity_) erase(by_age_.front());
  const std::uint32_t index = entries_.emplace();
  entries_[index] = {destination, now + lifetime_, entry, {}};
  index_.emplace(destination, index);
  by_age_.push_back(index, [&](std::uint32_t i) -> SlotLinks& { return entries_[i].links; });
}

void PathMtu::on_time(Instant now) {
  while (!by_age_.empty() && entries_[by_age_.front()].expires <= now) erase(by_age_.front());
}

Instant PathMtu::next_deadline() const {
  return by_age_.empty() ? kNever : entries_[by_age_.front()].expires;
}

void PathMtu::erase(std::uint32_t index) {
  by_age_.remove(index, [&](std::uint32_t i) -> SlotLinks& { return entries_[i].links; });
  index_.erase(entries_[index].destination);
  entries_.erase(index);
}

}  // namespace hawser::ip
