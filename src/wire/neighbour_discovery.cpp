#include "wire/neighbour_discovery.hpp"

#include <cassert>
#include <cstring>
#include <span>
#include <utility>

#include "core/copy.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::wire {

namespace {

using Bytes = std::span<const std::byte>;
using Parsed = std::expected<NeighbourMessage, DropReason>;

enum Type : std::uint8_t {
  kRouterSolicitation = 133,
  kRouterAdvertisement = 134,
  kNeighbourSolicitation = 135,
  kNeighbourAdvertisement = 136,
  kRedirect = 137,
};

enum Option : std::uint8_t {
  kSourceMac = 1,
  kTargetMac = 2,
  kPrefix = 3,
  kMtu = 5,
  kNonce = 14,
  kDnsServers = 25,
};

constexpr std::size_t kUnit = 8;  // of the length of an option, bytes
constexpr std::size_t kSolicitationBytes = 24;
constexpr std::size_t kRouterSolicitationBytes = 8;
constexpr std::size_t kRouterAdvertisementBytes = 16;
constexpr std::size_t kRedirectBytes = 40;
constexpr std::size_t kPrefixBytes = 32;
constexpr std::size_t kAddressBytes = 16;

// Flags of the messages and of prefix information.
constexpr std::uint8_t kRouterFlag = 0x80;
constexpr std::uint8_t kSolicitedFlag = 0x40;
constexpr std::uint8_t kOverrideFlag = 0x20;
constexpr std::uint8_t kManagedFlag = 0x80;
constexpr std::uint8_t kOtherFlag = 0x40;
constexpr unsigned kPreferenceShift = 3;  // RFC 4191 2.2
constexpr std::uint8_t kOnLinkFlag = 0x80;
constexpr std::uint8_t kAutonomousFlag = 0x40;

std::unexpected<DropReason> bad() { return std::unexpected(DropReason::bad_neighbour_message); }

IpAddress read_address(const std::byte* from) {
  std::array<std::uint8_t, kAddressBytes> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return IpAddress::v6(bytes);
}

MacAddress read_mac(const std::byte* from) {
  std::array<std::uint8_t, 6> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return MacAddress(bytes);
}

/// Visits the options, each as its type and all of its bytes. False when one has length zero, ends
/// behind the message, or is refused by `visit` (RFC4861-4.6).
template <typename Visit>
bool for_each_option(Bytes options, Visit visit) {
  while (!options.empty()) {
    if (options.size() < 2) return false;
    const std::size_t length = read8(&options[1]) * kUnit;
    if (length == 0 || length > options.size()) return false;
    if (!visit(read8(options.data()), options.first(length))) return false;
    options = options.subspan(length);
  }
  return true;
}

/// RFC 4861 4.6.1. The first of several counts. False for an address that no station can have.
bool read_mac_option(Bytes option, std::optional<MacAddress>& mac) {
  if (option.size() != kUnit) return false;
  const MacAddress address = read_mac(&option[2]);
  if (address.is_multicast() || address.is_unspecified()) return false;
  if (!mac) mac = address;
  return true;
}

void read_nonce(Bytes option, std::optional<Nonce>& nonce) {
  if (option.size() != kUnit || nonce) return;
  nonce.emplace();
  std::memcpy(nonce->data(), &option[2], nonce->size());
}

void read_prefix(Bytes option, RouterAdvertisement& into) {
  if (option.size() != kPrefixBytes || read8(&option[2]) > 128) return;
  const std::uint8_t flags = read8(&option[3]);
  into.prefixes.push_back({.prefix = {read_address(&option[16]), read8(&option[2])},
                           .on_link = (flags & kOnLinkFlag) != 0,
                           .autonomous = (flags & kAutonomousFlag) != 0,
                           .valid_seconds = read32(&option[4]),
                           .preferred_seconds = read32(&option[8])});
}

/// RFC 8106 5.3.1: a length that is not of whole addresses makes it no option.
void read_dns_servers(Bytes option, RouterAdvertisement& into) {
  if (option.size() < kUnit + kAddressBytes || (option.size() - kUnit) % kAddressBytes != 0) return;
  for (std::size_t at = kUnit; at < option.size(); at += kAddressBytes) {
    into.dns_servers.push_back({read_address(&option[at]), read32(&option[4])});
  }
}

/// RFC 4861 7.1.1
Parsed parse_solicitation(Bytes message, const IpHeader& ip) {
  if (message.size() < kSolicitationBytes) return bad();
  NeighbourSolicitation result;
  result.target = read_address(&message[8]);
  const bool good = for_each_option(message.subspan(kSolicitationBytes), [&](auto type, Bytes o) {
    if (type == kSourceMac) return read_mac_option(o, result.source_mac);
    if (type == kNonce) read_nonce(o, result.nonce);
    return true;
  });
  if (!good || result.target.is_multicast() || result.target.is_v4()) return bad();
  if (ip.source.is_unspecified() &&
      (result.source_mac || ip.destination != solicited_node(result.target))) {
    return bad();
  }
  return result;
}

/// RFC 4861 7.1.2
Parsed parse_advertisement(Bytes message, const IpHeader& ip) {
  if (message.size() < kSolicitationBytes) return bad();
  const std::uint8_t flags = read8(&message[4]);
  NeighbourAdvertisement result;
  result.target = read_address(&message[8]);
  result.router = (flags & kRouterFlag) != 0;
  result.solicited = (flags & kSolicitedFlag) != 0;
  result.override_cache = (flags & kOverrideFlag) != 0;
  const bool good = for_each_option(message.subspan(kSolicitationBytes), [&](auto type, Bytes o) {
    return type != kTargetMac || read_mac_option(o, result.target_mac);
  });
  if (!good || result.target.is_multicast() || result.target.is_v4()) return bad();
  if (ip.destination.is_multicast() && result.solicited) return bad();
  return result;
}

/// RFC 4861 6.1.1
Parsed parse_router_solicitation(Bytes message, const IpHeader& ip) {
  RouterSolicitation result;
  const bool good =
      for_each_option(message.subspan(kRouterSolicitationBytes), [&](auto type, Bytes o) {
        return type != kSourceMac || read_mac_option(o, result.source_mac);
      });
  if (!good || (ip.source.is_unspecified() && result.source_mac)) return bad();
  return result;
}

/// RFC 4191 2.2: the reserved value is medium, and so is that of a router that is none.
RouterPreference preference_of(std::uint8_t flags, std::uint16_t lifetime) {
  const unsigned bits = (flags >> kPreferenceShift) & 3U;
  if (lifetime == 0 || bits == 0 || bits == 2) return RouterPreference::medium;
  return bits == 1 ? RouterPreference::high : RouterPreference::low;
}

/// RFC 4861 6.1.2
Parsed parse_router_advertisement(Bytes message, const IpHeader& ip) {
  if (message.size() < kRouterAdvertisementBytes || !ip.source.is_link_local()) return bad();
  const std::uint8_t flags = read8(&message[5]);
  RouterAdvertisement result;
  result.hop_limit = read8(&message[4]);
  result.managed = (flags & kManagedFlag) != 0;
  result.other = (flags & kOtherFlag) != 0;
  result.lifetime_seconds = read16(&message[6]);
  result.preference = preference_of(flags, result.lifetime_seconds);
  result.reachable_ms = read32(&message[8]);
  result.retransmit_ms = read32(&message[12]);
  const bool good =
      for_each_option(message.subspan(kRouterAdvertisementBytes), [&](auto type, Bytes o) {
        switch (type) {
          case kSourceMac:
            return read_mac_option(o, result.source_mac);
          case kPrefix:
            read_prefix(o, result);
            return true;
          case kMtu:
            if (o.size() == kUnit) result.mtu = read32(&o[4]);
            return true;
          case kDnsServers:
            read_dns_servers(o, result);
            return true;
          default:
            return true;
        }
      });
  if (!good) return bad();
  return result;
}

/// RFC 4861 8.1
Parsed parse_redirect(Bytes message, const IpHeader& ip) {
  if (message.size() < kRedirectBytes || !ip.source.is_link_local()) return bad();
  Redirect result;
  result.target = read_address(&message[8]);
  result.destination = read_address(&message[24]);
  const bool good = for_each_option(message.subspan(kRedirectBytes), [&](auto type, Bytes o) {
    return type != kTargetMac || read_mac_option(o, result.target_mac);
  });
  if (!good || result.destination.is_multicast() || result.destination.is_v4()) return bad();
  if (!result.target.is_link_local() && result.target != result.destination) return bad();
  return result;
}

bool checksum_ok(const Packet& message, const IpHeader& ip) {
  Checksum checksum;
  checksum.add_pseudo_header(ip.source, ip.destination,
                             static_cast<std::uint8_t>(IpProtocol::icmpv6), message.size());
  checksum.add(message);
  return checksum.value() == 0;
}

/// Writes a message into room that holds the longest that can be made.
class Writer {
 public:
  void put8(std::uint8_t value) { write8(take(1), value); }
  void put16(std::uint16_t value) { write16(take(2), value); }
  void put32(std::uint32_t value) { write32(take(4), value); }
  void put(const IpAddress& address) {
    assert(!address.is_v4());
    std::memcpy(take(kAddressBytes), address.bytes().data(), kAddressBytes);
  }
  void put(std::uint8_t option, const std::optional<MacAddress>& mac) {
    if (mac) put_six(option, mac->bytes());
  }
  void put_six(std::uint8_t option, const std::array<std::uint8_t, 6>& bytes) {
    put8(option);
    put8(1);
    std::memcpy(take(bytes.size()), bytes.data(), bytes.size());
  }
  /// Type, code and the room of the checksum.
  void begin(std::uint8_t type) { put32(std::uint32_t{type} << 24); }
  std::span<std::byte> written() { return std::span(bytes_).first(used_); }

 private:
  // A router advertisement, all options of it, each server in an option of its own.
  static constexpr std::size_t kRoom =
      kRouterAdvertisementBytes + 2 * kUnit +
      decltype(RouterAdvertisement::prefixes)::kMaxSize * kPrefixBytes +
      decltype(RouterAdvertisement::dns_servers)::kMaxSize * (kUnit + kAddressBytes);

  std::byte* take(std::size_t bytes) {
    assert(used_ + bytes <= kRoom);
    used_ += bytes;
    return bytes_.data() + used_ - bytes;
  }

  std::array<std::byte, kRoom> bytes_;
  std::size_t used_ = 0;
};

void write(Writer& to, const NeighbourSolicitation& message) {
  to.begin(kNeighbourSolicitation);
  to.put32(0);
  to.put(message.target);
  to.put(kSourceMac, message.source_mac);
  if (message.nonce) to.put_six(kNonce, *message.nonce);
}

void write(Writer& to, const NeighbourAdvertisement& message) {
  to.begin(kNeighbourAdvertisement);
  to.put8(static_cast<std::uint8_t>((message.router ? kRouterFlag : 0) |
                                    (message.solicited ? kSolicitedFlag : 0) |
                                    (message.override_cache ? kOverrideFlag : 0)));
  to.put8(0);
  to.put16(0);
  to.put(message.target);
  to.put(kTargetMac, message.target_mac);
}

void write(Writer& to, const RouterSolicitation& message) {
  to.begin(kRouterSolicitation);
  to.put32(0);
  to.put(kSourceMac, message.source_mac);
}

void write(Writer& to, const RouterAdvertisement& message) {
  to.begin(kRouterAdvertisement);
  to.put8(message.hop_limit);
  const unsigned preference = static_cast<unsigned>(message.preference) & 3U;
  to.put8(static_cast<std::uint8_t>((message.managed ? kManagedFlag : 0) |
                                    (message.other ? kOtherFlag : 0) |
                                    preference << kPreferenceShift));
  to.put16(message.lifetime_seconds);
  to.put32(message.reachable_ms);
  to.put32(message.retransmit_ms);
  to.put(kSourceMac, message.source_mac);
  if (message.mtu != 0) {
    to.put32(std::uint32_t{kMtu} << 24 | 1U << 16);
    to.put32(message.mtu);
  }
  for (const PrefixInformation& prefix : message.prefixes) {
    to.put8(kPrefix);
    to.put8(kPrefixBytes / kUnit);
    to.put8(prefix.prefix.length);
    to.put8(static_cast<std::uint8_t>((prefix.on_link ? kOnLinkFlag : 0) |
                                      (prefix.autonomous ? kAutonomousFlag : 0)));
    to.put32(prefix.valid_seconds);
    to.put32(prefix.preferred_seconds);
    to.put32(0);
    to.put(prefix.prefix.address);
  }
  for (const DnsServer& server : message.dns_servers) {
    to.put32(std::uint32_t{kDnsServers} << 24 | (kUnit + kAddressBytes) / kUnit << 16);
    to.put32(server.lifetime_seconds);
    to.put(server.address);
  }
}

void write(Writer& to, const Redirect& message) {
  to.begin(kRedirect);
  to.put32(0);
  to.put(message.target);
  to.put(message.destination);
  to.put(kTargetMac, message.target_mac);
}

}  // namespace

IpAddress solicited_node(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return IpAddress::v6(
      {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, bytes[13], bytes[14], bytes[15]});
}

bool is_neighbour_message(std::uint8_t icmp_type) {
  return icmp_type >= kRouterSolicitation && icmp_type <= kRedirect;
}

Parsed parse_neighbour_message(const Packet& message, const IpHeader& ip) {
  const Bytes head = message.head();
  // RFC4861-6.1.1, RFC4861-6.1.2, RFC4861-7.1.1, RFC4861-7.1.2, RFC4861-8.1: what they have in
  // common.
  if (ip.source.is_v4() || ip.hop_limit != kNeighbourHopLimit || head.size() != message.size() ||
      head.size() < kRouterSolicitationBytes || read8(&head[1]) != 0 || !checksum_ok(message, ip)) {
    return bad();
  }
  switch (read8(head.data())) {
    case kRouterSolicitation:
      return parse_router_solicitation(head, ip);
    case kRouterAdvertisement:
      return parse_router_advertisement(head, ip);
    case kNeighbourSolicitation:
      return parse_solicitation(head, ip);
    case kNeighbourAdvertisement:
      return parse_advertisement(head, ip);
    case kRedirect:
      return parse_redirect(head, ip);
    default:
      return bad();
  }
}

Packet make_neighbour_message(BufferPool& pool, const NeighbourMessage& message,
                              const IpAddress& source, const IpAddress& destination) {
  Writer writer;
  std::visit([&](const auto& what) { write(writer, what); }, message);
  const std::span<std::byte> bytes = writer.written();
  Checksum checksum;
  checksum.add_pseudo_header(source, destination, static_cast<std::uint8_t>(IpProtocol::icmpv6),
                             static_cast<std::uint32_t>(bytes.size()));
  checksum.add(bytes);
  write16(&bytes[2], checksum.value());
  Packet packet = pool.take_packet();
  if (!packet || packet.append_copy(bytes)) return packet;
  Slice slice = pool.take(static_cast<std::uint32_t>(bytes.size()));
  if (!slice) return {};
  copy_bytes(bytes, slice.spare().data());
  slice.extend(static_cast<std::uint32_t>(bytes.size()));
  packet.append(std::move(slice));
  return packet;
}

}  // namespace hawser::wire
