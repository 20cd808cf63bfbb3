// IPv6 extension headers (RFC 8200 4), within the limits of RFC 8504 5.3.
#include <algorithm>

#include "wire/bytes.hpp"
#include "wire/ip_reading.hpp"

namespace hawser::wire {

namespace {

using Bytes = std::span<const std::byte>;
using Verdict = std::expected<void, DropReason>;

enum NextHeader : std::uint8_t {
  kHopByHop = 0,
  kTcp = 6,
  kUdp = 17,
  kRouting = 43,
  kFragment = 44,
  kIcmpv6 = 58,
  kNoNextHeader = 59,
  kDestinationOptions = 60,
};

/// Codes of parameter problems (RFC 4443 3.4, RFC 7112 5).
enum ProblemCode : std::uint8_t {
  kErroneousField = 0,
  kUnknownOption = 2,
  kIncompleteFirstFragment = 3,
};

constexpr std::size_t kNextHeaderField = 6;
constexpr std::size_t kPayloadLengthField = 4;
constexpr std::size_t kLargestPayload = 65535;

constexpr std::uint8_t kPad1 = 0;
constexpr std::uint8_t kPadN = 1;
constexpr std::uint8_t kRouterAlert = 5;
/// Padding aligns what follows to eight bytes and is never longer (RFC 8504 5.3).
constexpr std::size_t kMaxPadding = 7;

/// Whether hop-by-hop options stand directly behind the IPv6 header or nowhere (RFC 8200 4.1).
bool is_extension(std::uint8_t kind, bool first) {
  return (kind == kHopByHop && first) || kind == kRouting || kind == kFragment ||
         kind == kDestinationOptions;
}

std::size_t length_of(std::uint8_t kind, const std::byte* extension) {
  return kind == kFragment ? kFragmentHeader : (std::size_t{read8(extension + 1)} + 1) * 8;
}

/// RFC8200-4.2: the two high bits of an option's type say what to do with one that is not known.
/// We know none but padding and the router alert, which may be stepped over.
Verdict judge_unknown(const IpReading& reading, std::uint8_t type, std::size_t at) {
  switch (type >> 6) {
    case 0:  // step over it
      return {};
    case 1:
      return std::unexpected(DropReason::ip_options_malformed);
    case 2:
      return reading.refuse(DropReason::ip_options_malformed, kUnknownOption, at, true);
    default:
      return reading.refuse(DropReason::ip_options_malformed, kUnknownOption, at);
  }
}

/// Bytes of the first of `options`, of which those that say so must be there.
std::size_t option_bytes(Bytes options) {
  return read8(options.data()) == kPad1 ? 1 : std::size_t{2} + read8(&options[1]);
}

/// `options` stand at `at` in the packet.
Verdict check_options(const IpReading& reading, Bytes options, std::size_t at) {
  std::size_t count = 0;
  std::size_t padding = 0;
  while (!options.empty()) {
    const std::uint8_t type = read8(options.data());
    if (type != kPad1 && options.size() < 2) {
      return std::unexpected(DropReason::ip_options_malformed);
    }
    const std::size_t length = option_bytes(options);
    if (length > options.size()) return std::unexpected(DropReason::ip_options_malformed);
    if (type == kPad1 || type == kPadN) {
      padding += length;
    } else {
      padding = 0;
      const Verdict verdict = judge_unknown(reading, type, at);
      if (!verdict) return verdict;
      if (++count > kMaxOptions) return std::unexpected(DropReason::extension_headers);
    }
    if (padding > kMaxPadding) return std::unexpected(DropReason::extension_headers);
    options = options.subspan(length);
    at += length;
  }
  return {};
}

/// RFC2711-2.1: whether options that are known to be sound hold the router alert of MLD.
bool alerts_routers(Bytes options) {
  while (!options.empty()) {
    const std::size_t bytes = option_bytes(options);
    const bool alert = read8(options.data()) == kRouterAlert;
    if (alert && bytes == 4 && read16(&options[2]) == 0) return true;
    options = options.subspan(bytes);
  }
  return false;
}

/// Looks at one extension header other than a fragment's, all of whose bytes are given.
Verdict check_extension(const IpReading& reading, std::uint8_t kind, Bytes extension,
                        std::size_t at) {
  if (kind != kRouting) return check_options(reading, extension.subspan(2), at + 2);
  // With segments left the packet is on its way to another node; we know no type that would tell
  // us the way (RFC8200-4.4, RFC5095-3).
  if (read8(&extension[3]) == 0) return {};
  return reading.refuse(DropReason::not_ours, kErroneousField, at + 2);
}

/// RFC7112-5: a first fragment holds all headers, that of the transport included. `payload` is what
/// the first piece holds of the `size` bytes behind the fragment header.
bool holds_all_headers(std::uint8_t kind, Bytes payload, std::size_t size) {
  std::size_t headers = 0;
  for (std::size_t count = 0; is_extension(kind, false); ++count) {
    if (count == kMaxExtensions || headers + 8 > size) return false;
    if (payload.size() < headers + 8) return true;  // in a later piece, to be read when it is whole
    const std::byte* extension = &payload[headers];
    headers += length_of(kind, extension);
    kind = read8(extension);
  }
  switch (kind) {
    case kTcp:
      return headers + 20 <= size;
    case kUdp:
    case kIcmpv6:
      return headers + 8 <= size;
    default:
      return headers <= size;
  }
}

/// RFC8200-4.5: what a fragment must keep to. `size` bytes follow its header.
Verdict check_fragment(const IpReading& reading, const FragmentInfo& fragment, std::uint8_t kind,
                       Bytes payload, std::size_t size) {
  if (fragment.more && size % 8 != 0) {
    return reading.refuse(DropReason::bad_fragment, kErroneousField, kPayloadLengthField);
  }
  if (size == 0) return std::unexpected(DropReason::bad_fragment);
  const std::size_t before = fragment.header_at - kIpv6Header;
  if (before + fragment.offset + size > kLargestPayload) {
    return reading.refuse(DropReason::bad_fragment, kErroneousField, fragment.header_at + 2U);
  }
  if (fragment.offset == 0 && !holds_all_headers(kind, payload, size)) {
    return reading.refuse(DropReason::tiny_fragment, kIncompleteFirstFragment, 0);
  }
  return {};
}

FragmentInfo read_fragment(const std::byte* extension, std::size_t at, std::size_t announced_at) {
  const std::uint16_t place = read16(extension + 2);
  return {.identification = read32(extension + 4),
          .offset = static_cast<std::uint16_t>(place & 0xfff8U),
          .more = (place & 1U) != 0,
          .header_at = static_cast<std::uint16_t>(at),
          .announced_at = static_cast<std::uint16_t>(announced_at)};
}

}  // namespace

std::expected<Ipv6Extensions, DropReason> read_extensions(const IpReading& reading, Bytes head,
                                                          std::size_t payload_bytes) {
  Ipv6Extensions result{.protocol = read8(&head[kNextHeaderField]), .bytes = 0, .fragment = {}};
  std::size_t announced_at = kNextHeaderField;
  for (std::size_t count = 0; is_extension(result.protocol, result.bytes == 0); ++count) {
    if (count == kMaxExtensions) return std::unexpected(DropReason::extension_headers);
    const std::uint8_t kind = result.protocol;
    const std::size_t at = kIpv6Header + result.bytes;
    const Bytes chain = head.subspan(at);
    if (chain.size() < 8) return std::unexpected(DropReason::truncated);
    const std::size_t bytes = length_of(kind, chain.data());
    if (result.bytes + bytes > payload_bytes) return std::unexpected(DropReason::bad_ip_header);
    if (bytes > chain.size()) return std::unexpected(DropReason::truncated);
    result.protocol = read8(chain.data());
    result.bytes += bytes;
    if (kind == kFragment) {
      const FragmentInfo fragment = read_fragment(chain.data(), at, announced_at);
      if (fragment.offset != 0 || fragment.more) {
        if (reading.extent == Extent::packet) {
          const Verdict verdict =
              check_fragment(reading, fragment, result.protocol, chain.subspan(bytes),
                             payload_bytes - result.bytes);
          if (!verdict) return std::unexpected(verdict.error());
        }
        result.fragment = fragment;
        return result;
      }  // else atomic: a whole packet (RFC6946-4)
    } else if (const Verdict verdict = check_extension(reading, kind, chain.first(bytes), at);
               !verdict) {
      return std::unexpected(verdict.error());
    }
    if (kind == kHopByHop) result.router_alert = alerts_routers(chain.first(bytes).subspan(2));
    announced_at = at;
  }
  if (result.protocol == kNoNextHeader) return std::unexpected(DropReason::unknown_protocol);
  return result;
}

std::optional<Transport> find_transport6(Bytes head) {
  if (head.size() < kIpv6Header) return std::nullopt;
  Transport result{.protocol = read8(&head[kNextHeaderField]), .at = kIpv6Header};
  while (is_extension(result.protocol, result.at == kIpv6Header)) {
    if (head.size() < result.at + 8) return std::nullopt;
    const std::byte* extension = &head[result.at];
    if (result.protocol == kFragment) {
      result.offset = static_cast<std::uint16_t>(read16(extension + 2) & 0xfff8U);
      if (result.offset != 0) return result;
    }
    result.at += length_of(result.protocol, extension);
    result.protocol = read8(extension);
  }
  return result;
}

}  // namespace hawser::wire
