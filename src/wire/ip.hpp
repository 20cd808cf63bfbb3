// IPv4 and IPv6 headers as one value (RFC 791 3.1, RFC 8200 3): what TCP, UDP and ICMP need of
// either. Fragments are a value too: ip/reassembly.hpp makes datagrams of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/packet.hpp"

namespace hawser::wire {

inline constexpr std::size_t kIpv4MinHeader = 20;
inline constexpr std::size_t kIpv6Header = 40;
inline constexpr std::size_t kFragmentHeader = 8;  ///< of IPv6

enum class IpProtocol : std::uint8_t { icmp = 1, igmp = 2, tcp = 6, udp = 17, icmpv6 = 58 };

struct IpHeader {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;  ///< of the payload; for IPv6 behind the extension headers
  std::uint8_t hop_limit = 64;
  std::uint8_t dscp = 0;             ///< 6 bits
  std::uint8_t ecn = 0;              ///< 2 bits
  std::uint16_t identification = 0;  ///< IPv4 only
  bool dont_fragment = true;         ///< IPv4 only
  bool router_alert = false;         ///< IPv6 only, as it came: that of MLD (RFC 2711)
  std::uint32_t flow_label = 0;      ///< IPv6 only, 20 bits
};

/// The place of a fragment in its datagram (RFC 791 3.2, RFC 8200 4.5).
struct FragmentInfo {
  std::uint32_t identification = 0;  ///< 16 bits in IPv4
  std::uint16_t offset = 0;          ///< of its payload in that of the datagram; bytes
  bool more = false;                 ///< it is not the last
  /// IPv6 only, counted from the front of the packet: the fragment header, behind which the
  /// payload begins, and the byte before it that announces it.
  std::uint16_t header_at = 0;
  std::uint16_t announced_at = 0;
};

struct ParsedIp {
  IpHeader header;                  ///< of a fragment, protocol is what its header says
  std::uint16_t header_bytes = 0;   ///< where the payload begins, extension headers included
  std::uint32_t payload_bytes = 0;  ///< its length; bytes behind it are padding
  std::optional<FragmentInfo> fragment;
};

/// What the sender of a packet that was refused is to be told about it (RFC 1122 3.2.2.5,
/// RFC 4443 3.4).
struct ParameterProblem {
  IpAddress source{};       ///< of the packet
  IpAddress destination{};  ///< of the packet
  std::uint8_t code = 0;
  std::uint16_t pointer = 0;    ///< where in the packet; bytes
  bool even_multicast = false;  ///< also when it went to a multicast address (RFC 4443 2.4 (e.3))
};

/// IPv6 extension headers of one packet, and options in one of them, padding not counted
/// (RFC 8504 5.3).
inline constexpr std::size_t kMaxExtensions = 8;
inline constexpr std::size_t kMaxOptions = 8;

/// Reads the header of a packet of `packet_bytes` bytes whose first piece is `head`. IPv4 options
/// and IPv6 hop-by-hop, routing (with no segments left) and destination options are stepped over;
/// a source route that goes on to another host gives not_ours, an IPv6 option that demands it
/// ip_options_malformed, more of them than anybody needs extension_headers. An atomic fragment is
/// a whole packet (RFC 6946). Other fragments are told apart by `fragment`; one that cannot be part
/// of a datagram gives bad_fragment, one too small for the headers tiny_fragment (RFC 1858,
/// RFC 7112). An IPv6 address of the form that stands for IPv4 inside gives bad_source or not_ours.
/// `problem`, if it is not null, is set when the sender is to be told why its packet was refused.
std::expected<ParsedIp, DropReason> parse_ip(std::span<const std::byte> head,
                                             std::uint32_t packet_bytes,
                                             std::optional<ParameterProblem>* problem = nullptr);

/// Reads the header of a packet of which an ICMP error quotes the beginning: the packet may be
/// longer than `quote`, and its checksum is not looked at.
std::expected<ParsedIp, DropReason> parse_quoted_ip(std::span<const std::byte> quote);

/// Where the payload of a packet begins that was refused for what its options say, which are not
/// looked at here.
struct Transport {
  std::uint8_t protocol = 0;
  std::size_t at = 0;        ///< counted from the front of the packet
  std::uint16_t offset = 0;  ///< of a fragment, else zero
};
/// Nothing when the headers do not all lie within `head`.
std::optional<Transport> find_transport(std::span<const std::byte> head);

/// Puts an IPv4 or IPv6 header, by the family of the source, before what `packet` holds: together
/// at most 65,535 bytes, for IPv6 not counting its header.
void push_ip(Packet& packet, const IpHeader& header);

/// The same for a fragment of a larger datagram, which is what `packet` holds of its payload. For
/// IPv6 the fragment header is put between.
void push_fragment(Packet& packet, const IpHeader& header, const FragmentInfo& fragment);

}  // namespace hawser::wire
