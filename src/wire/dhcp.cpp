#include "wire/dhcp.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/domain_list.hpp"

namespace hawser::wire {

namespace {

using Bytes = std::span<const std::byte>;

// RFC 2131 2, figure 1: where the fields are.
constexpr std::size_t kTransaction = 4;
constexpr std::size_t kSeconds = 8;
constexpr std::size_t kFlags = 10;
constexpr std::size_t kClient = 12;
constexpr std::size_t kYours = 16;
constexpr std::size_t kHardware = 28;
constexpr std::size_t kServerName = 44;
constexpr std::size_t kServerNameBytes = 64;
constexpr std::size_t kFile = 108;
constexpr std::size_t kFileBytes = 128;
constexpr std::size_t kCookie = 236;
constexpr std::size_t kOptions = 240;

constexpr std::uint8_t kRequest = 1;
constexpr std::uint8_t kReply = 2;
constexpr std::uint8_t kEthernet = 1;
constexpr std::uint8_t kMacBytes = 6;
constexpr std::uint16_t kBroadcast = 0x8000;
constexpr std::uint32_t kMagic = 0x63825363;
constexpr std::size_t kSmallest = 300;

enum Code : std::uint8_t {
  kPad = 0,
  kSubnetMask = 1,
  kRouters = 3,
  kDns = 6,
  kHostName = 12,
  kDomain = 15,
  kMtu = 26,
  kRequested = 50,
  kLease = 51,
  kOverload = 52,
  kType = 53,
  kServer = 54,
  kWanted = 55,
  kLargest = 57,
  kRenew = 58,
  kRebind = 59,
  kClientId = 61,
  kSearch = 119,
  kRoutes = 121,
  kEnd = 255,
};

constexpr std::uint16_t kSmallestMtu = 68;  // RFC 2132 5.1

IpAddress address_at(const std::byte* from) {
  return IpAddress::v4({read8(from), read8(from + 1), read8(from + 2), read8(from + 3)});
}

/// Whether it could be one host's.
bool is_host(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_loopback() &&
         address.v4_bytes()[0] != 0 && address.v4_bytes()[0] < 240;
}

// ---- reading

/// The options of a message, each whole.
class Options {
 public:
  /// False when one leaves its field.
  bool collect(Bytes message) {
    if (!collect_field(message.subspan(kOptions))) return false;
    // RFC 2131 4.1: the file before the name of the server.
    const Bytes overload = find(kOverload);
    const unsigned where = overload.size() == 1 ? read8(overload.data()) : 0;
    if ((where & 1U) != 0 && !collect_field(message.subspan(kFile, kFileBytes))) return false;
    return (where & 2U) == 0 || collect_field(message.subspan(kServerName, kServerNameBytes));
  }
  /// Empty when it is not there.
  Bytes find(Code code) const {
    const auto found = std::ranges::find(options_, code, &Option::code);
    return found == options_.end() ? Bytes{} : Bytes(found->value);
  }
  bool has(Code code) const {
    return std::ranges::find(options_, code, &Option::code) != options_.end();
  }

 private:
  struct Option {
    Code code;
    std::vector<std::byte> value;
  };

  bool collect_field(Bytes field) {
    while (!field.empty()) {
      const Code code{read8(field.data())};
      if (code == kEnd) return true;
      field = field.subspan(1);
      if (code == kPad) continue;
      if (field.empty()) return false;
      const std::size_t size = read8(field.data());
      field = field.subspan(1);
      if (size > field.size()) return false;
      add(code, field.first(size));
      field = field.subspan(size);
    }
    return true;
  }

  void add(Code code, Bytes value) {
    auto found = std::ranges::find(options_, code, &Option::code);
    if (found == options_.end()) found = options_.insert(found, Option{code, {}});
    found->value.insert(found->value.end(), value.begin(), value.end());
  }

  std::vector<Option> options_;  // at most 254
};

std::optional<std::uint16_t> number16(Bytes value) {
  if (value.size() != 2) return std::nullopt;
  return read16(value.data());
}

std::optional<std::uint32_t> number32(Bytes value) {
  if (value.size() != 4) return std::nullopt;
  return read32(value.data());
}

std::optional<IpAddress> host_address(Bytes value) {
  if (value.size() != 4 || !is_host(address_at(value.data()))) return std::nullopt;
  return address_at(value.data());
}

std::vector<IpAddress> host_addresses(Bytes value) {
  std::vector<IpAddress> addresses;
  if (value.size() % 4 != 0) return addresses;
  for (; !value.empty(); value = value.subspan(4)) {
    if (is_host(address_at(value.data()))) addresses.push_back(address_at(value.data()));
  }
  return addresses;
}

/// A subnet mask is ones and then zeros.
std::optional<std::uint8_t> prefix_length(Bytes value) {
  const auto mask = number32(value);
  if (!mask) return std::nullopt;
  const int ones = std::countl_one(*mask);
  if (ones != std::popcount(*mask)) return std::nullopt;
  return static_cast<std::uint8_t>(ones);
}

/// A name of hosts and domains; nothing that could do harm where it is printed or looked up.
std::string name(Bytes value) {
  std::string text;
  for (const std::byte byte : value) text.push_back(std::to_integer<char>(byte));
  while (!text.empty() && text.back() == '\0') text.pop_back();
  const bool good =
      std::ranges::all_of(text, [](char c) { return c == '.' || is_label_character(c); });
  return good ? text : std::string();
}

/// RFC 3442: of each destination only the bytes that its length needs.
std::vector<DhcpRoute> classless_routes(Bytes value) {
  std::vector<DhcpRoute> routes;
  while (!value.empty()) {
    const std::uint8_t length = read8(value.data());
    const std::size_t significant = (std::size_t{length} + 7) / 8;
    if (length > 32 || value.size() < 1 + significant + 4) return {};
    std::array<std::byte, 4> network{};
    std::ranges::copy(value.subspan(1, significant), network.begin());
    const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32U - length);
    write32(network.data(), read32(network.data()) & mask);
    const IpAddress router = address_at(&value[1 + significant]);
    if (router.is_unspecified() || is_host(router)) {
      routes.push_back({{address_at(network.data()), length}, router});
    }
    value = value.subspan(1 + significant + 4);
  }
  return routes;
}

/// False when one that a lease depends on is there but cannot be.
bool read_vital(const Options& options, DhcpMessage& message) {
  const Bytes type = options.find(kType);
  if (type.size() != 1 || read8(type.data()) < 1 || read8(type.data()) > 8) return false;
  message.type = DhcpType{read8(type.data())};
  message.prefix_length = prefix_length(options.find(kSubnetMask));
  message.lease_seconds = number32(options.find(kLease));
  message.server = host_address(options.find(kServer));
  return (message.prefix_length || !options.has(kSubnetMask)) &&
         (message.lease_seconds || !options.has(kLease)) &&
         (message.server || !options.has(kServer));
}

void read_others(const Options& options, DhcpMessage& message) {
  message.routers = host_addresses(options.find(kRouters));
  message.dns = host_addresses(options.find(kDns));
  message.host_name = name(options.find(kHostName));
  message.domain = name(options.find(kDomain));
  message.mtu = number16(options.find(kMtu));
  if (message.mtu && *message.mtu < kSmallestMtu) message.mtu.reset();
  message.requested = host_address(options.find(kRequested));
  for (const std::byte code : options.find(kWanted)) message.wanted.push_back(read8(&code));
  message.largest = number16(options.find(kLargest));
  message.renew_seconds = number32(options.find(kRenew));
  message.rebind_seconds = number32(options.find(kRebind));
  message.search = parse_domains(options.find(kSearch));
  message.routes = classless_routes(options.find(kRoutes));
}

// ---- writing

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& to) : to_(to) {}

  /// In pieces, if it is longer than one option can be (RFC 3396 5).
  void option(Code code, Bytes value) {
    constexpr std::size_t kLongest = 255;
    do {
      const std::size_t size = std::min(value.size(), kLongest);
      to_.push_back(std::byte{code});
      to_.push_back(static_cast<std::byte>(size));
      to_.insert(to_.end(), value.begin(), value.begin() + static_cast<std::ptrdiff_t>(size));
      value = value.subspan(size);
    } while (!value.empty());
  }
  void number8(Code code, std::uint8_t value) { option(code, std::array{std::byte{value}}); }
  void number16(Code code, std::uint16_t value) {
    std::array<std::byte, 2> bytes{};
    write16(bytes.data(), value);
    option(code, bytes);
  }
  void number32(Code code, std::uint32_t value) {
    std::array<std::byte, 4> bytes{};
    write32(bytes.data(), value);
    option(code, bytes);
  }
  void addresses(Code code, std::span<const IpAddress> list) {
    std::vector<std::byte> bytes;
    for (const IpAddress& address : list) put_address(bytes, address);
    if (!bytes.empty()) option(code, bytes);
  }
  void text(Code code, const std::string& value) {
    if (!value.empty()) option(code, std::as_bytes(std::span(value)));
  }
  void routes(std::span<const DhcpRoute> list) {
    std::vector<std::byte> bytes;
    for (const DhcpRoute& route : list) {
      const auto network = route.destination.address.v4_bytes();
      const std::size_t significant = (std::size_t{route.destination.length} + 7) / 8;
      bytes.push_back(std::byte{route.destination.length});
      const auto needed =
          std::as_bytes(std::span(network)).first(std::min(significant, network.size()));
      bytes.insert(bytes.end(), needed.begin(), needed.end());
      put_address(bytes, route.router);
    }
    if (!bytes.empty()) option(kRoutes, bytes);
  }

 private:
  static void put_address(std::vector<std::byte>& to, const IpAddress& address) {
    for (const std::uint8_t byte : address.v4_bytes()) to.push_back(std::byte{byte});
  }

  std::vector<std::byte>& to_;
};

void write_options(std::vector<std::byte>& bytes, const DhcpMessage& message) {
  Writer writer(bytes);
  writer.number8(kType, static_cast<std::uint8_t>(message.type));
  if (message.tell_client_id) {
    // RFC 2132 9.14: the type of the hardware and its address.
    std::array<std::byte, 1 + kMacBytes> id{std::byte{kEthernet}};
    std::ranges::copy(std::as_bytes(std::span(message.mac.bytes())), id.begin() + 1);
    writer.option(kClientId, id);
  }
  if (message.server) writer.addresses(kServer, std::span(&*message.server, 1));
  if (message.requested) writer.addresses(kRequested, std::span(&*message.requested, 1));
  if (message.lease_seconds) writer.number32(kLease, *message.lease_seconds);
  if (message.renew_seconds) writer.number32(kRenew, *message.renew_seconds);
  if (message.rebind_seconds) writer.number32(kRebind, *message.rebind_seconds);
  if (message.largest) writer.number16(kLargest, *message.largest);
  if (!message.wanted.empty()) writer.option(kWanted, std::as_bytes(std::span(message.wanted)));
  writer.text(kHostName, message.host_name);
  if (message.prefix_length) {
    const unsigned length = *message.prefix_length;
    writer.number32(kSubnetMask, length == 0 ? 0 : ~std::uint32_t{0} << (32U - length));
  }
  writer.routes(message.routes);  // RFC 3442: before the routers, which they outdo
  writer.addresses(kRouters, message.routers);
  writer.addresses(kDns, message.dns);
  writer.text(kDomain, message.domain);
  if (!message.search.empty()) writer.option(kSearch, emit_domains(message.search));
  if (message.mtu) writer.number16(kMtu, *message.mtu);
  bytes.push_back(std::byte{kEnd});
}

bool is_of_server(DhcpType type) {
  return type == DhcpType::offer || type == DhcpType::ack || type == DhcpType::nak;
}

}  // namespace

std::expected<DhcpMessage, DropReason> parse_dhcp(Bytes payload) {
  const auto bad = std::unexpected(DropReason::bad_dhcp);
  if (payload.size() < kOptions || read32(&payload[kCookie]) != kMagic) return bad;
  const std::uint8_t operation = read8(payload.data());
  if (read8(&payload[1]) != kEthernet || read8(&payload[2]) != kMacBytes) return bad;
  Options options;
  DhcpMessage message;
  if (!options.collect(payload) || !read_vital(options, message)) return bad;
  if (operation != (is_of_server(message.type) ? kReply : kRequest)) return bad;
  message.transaction = read32(&payload[kTransaction]);
  message.seconds = read16(&payload[kSeconds]);
  message.broadcast = (read16(&payload[kFlags]) & kBroadcast) != 0;
  message.client = address_at(&payload[kClient]);
  message.yours = address_at(&payload[kYours]);
  std::array<std::uint8_t, kMacBytes> mac{};
  std::ranges::transform(payload.subspan(kHardware, kMacBytes), mac.begin(),
                         [](std::byte byte) { return read8(&byte); });
  message.mac = MacAddress(mac);
  read_others(options, message);
  return message;
}

std::vector<std::byte> emit_dhcp(const DhcpMessage& message) {
  std::vector<std::byte> bytes(kOptions);
  write8(bytes.data(), is_of_server(message.type) ? kReply : kRequest);
  write8(&bytes[1], kEthernet);
  write8(&bytes[2], kMacBytes);
  write32(&bytes[kTransaction], message.transaction);
  write16(&bytes[kSeconds], message.seconds);
  write16(&bytes[kFlags], message.broadcast ? kBroadcast : 0);
  const auto put = [](auto address, std::byte* at) {
    for (const std::uint8_t byte : address) write8(at++, byte);
  };
  put(message.client.v4_bytes(), &bytes[kClient]);
  put(message.yours.v4_bytes(), &bytes[kYours]);
  put(message.mac.bytes(), &bytes[kHardware]);
  write32(&bytes[kCookie], kMagic);
  write_options(bytes, message);
  if (bytes.size() < kSmallest) bytes.resize(kSmallest);
  return bytes;
}

}  // namespace hawser::wire
