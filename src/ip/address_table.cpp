#include "ip/address_table.hpp"

#include <algorithm>

namespace hawser::ip {

namespace {

/// The address of `prefix` with all bits of the host set; only IPv4 networks of more than two
/// addresses have a broadcast address (RFC 3021 2.1).
std::optional<IpAddress> broadcast_of(const Prefix& prefix) {
  if (!prefix.address.is_v4() || prefix.length > 30) return std::nullopt;
  auto bytes = prefix.address.v4_bytes();
  for (std::size_t bit = prefix.length; bit < 32; ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80U >> (bit % 8)));
  }
  return IpAddress::v4(bytes);
}

void sort_and_unite(std::vector<IpAddress>& addresses) {
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
}

}  // namespace

bool AddressTable::add(const OwnAddress& address) {
  if (addresses_.size() >= kMaxAddresses ||
      find(address.interface, address.prefix.address) != nullptr) {
    return false;
  }
  addresses_.push_back(address);
  update();
  return true;
}

std::optional<OwnAddress> AddressTable::remove(InterfaceId interface, const IpAddress& address) {
  const std::size_t place = place_of(interface, address);
  if (place == addresses_.size()) return std::nullopt;
  const OwnAddress removed = addresses_[place];
  addresses_.erase(addresses_.begin() + static_cast<std::ptrdiff_t>(place));
  update();
  return removed;
}

/// addresses_.size() when there is none.
std::size_t AddressTable::place_of(InterfaceId interface, const IpAddress& address) const {
  const auto found = std::ranges::find_if(addresses_, [&](const OwnAddress& own) {
    return own.interface == interface && own.prefix.address == address;
  });
  return static_cast<std::size_t>(found - addresses_.begin());
}

const OwnAddress* AddressTable::find(InterfaceId interface, const IpAddress& address) const {
  const std::size_t place = place_of(interface, address);
  return place == addresses_.size() ? nullptr : &addresses_[place];
}

bool AddressTable::set_state(InterfaceId interface, const IpAddress& address, AddressState state) {
  const std::size_t place = place_of(interface, address);
  if (place == addresses_.size()) return false;
  addresses_[place].state = state;
  update();
  return true;
}

bool AddressTable::set_lifetime(Instant now, InterfaceId interface, const IpAddress& address,
                                Instant preferred_until, Instant valid_until) {
  const std::size_t place = place_of(interface, address);
  if (place == addresses_.size()) return false;
  OwnAddress& own = addresses_[place];
  own.preferred_until = preferred_until;
  own.valid_until = valid_until;
  if (own.is_usable()) {
    own.state = preferred_until > now ? AddressState::preferred : AddressState::deprecated;
  }
  update();
  return true;
}

bool AddressTable::defend(Instant now, InterfaceId interface, const IpAddress& address) {
  const std::size_t place = place_of(interface, address);
  if (place == addresses_.size()) return false;
  std::optional<Instant>& last = addresses_[place].defended_at;
  if (last && now - *last < kDefendInterval) return false;
  last = now;
  return true;
}

bool AddressTable::is_ours(const IpAddress& address) const {
  return std::ranges::binary_search(usable_, address) || address.is_loopback();
}

bool AddressTable::is_ours_on(InterfaceId interface, const IpAddress& address) const {
  const OwnAddress* entry = find(interface, address);
  return entry != nullptr && entry->is_usable();
}

bool AddressTable::is_broadcast(const IpAddress& address) const {
  return address.is_limited_broadcast() || std::ranges::binary_search(broadcast_, address);
}

bool AddressTable::is_unicast(const IpAddress& address) const {
  return !address.is_unspecified() && !address.is_multicast() && !is_broadcast(address);
}

void AddressTable::on_time(Instant now, std::vector<OwnAddress>& expired) {
  if (now < next_deadline_) return;
  for (auto entry = addresses_.begin(); entry != addresses_.end();) {
    if (entry->valid_until <= now) {
      expired.push_back(*entry);
      entry = addresses_.erase(entry);
      continue;
    }
    if (entry->state == AddressState::preferred && entry->preferred_until <= now) {
      entry->state = AddressState::deprecated;  // RFC4862-5.5.4
    }
    ++entry;
  }
  update();
}

void AddressTable::update() {
  usable_.clear();
  broadcast_.clear();
  next_deadline_ = kNever;
  for (const OwnAddress& own : addresses_) {
    if (own.is_usable()) usable_.push_back(own.prefix.address);
    if (const auto all = broadcast_of(own.prefix)) broadcast_.push_back(*all);
    next_deadline_ = std::min(next_deadline_, own.valid_until);
    if (own.state == AddressState::preferred) {
      next_deadline_ = std::min(next_deadline_, own.preferred_until);
    }
  }
  sort_and_unite(usable_);
  sort_and_unite(broadcast_);
}

}  // namespace hawser::ip
