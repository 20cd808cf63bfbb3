// ICMP errors that a stack sends: which, about what, to whom, how large and how many
// (RFC 1122 3.2.2, RFC 4443 2.4, 3.4).
#include "tests/support/packet_script.hpp"
#include "wire/icmp.hpp"
#include "wire/udp.hpp"

namespace hawser {
namespace {

using namespace testing;

class IcmpErrorsOut : public PacketScript, public ::testing::WithParamInterface<Family> {
 protected:
  IcmpErrorsOut() : PacketScript(default_config(), GetParam()) {}

  bool v4() const { return GetParam() == Family::ipv4; }
  std::uint8_t icmp() const { return v4() ? 1 : 58; }

  /// A packet of the peer with these bytes behind its header.
  Packet packet(std::uint8_t protocol, const std::vector<std::byte>& payload) {
    Packet result = pool.take_packet();
    if (!payload.empty()) {
      Slice slice = pool.take(static_cast<std::uint32_t>(payload.size()));
      std::ranges::copy(payload, slice.spare().begin());
      slice.extend(static_cast<std::uint32_t>(payload.size()));
      result.append(std::move(slice));
    }
    wire::push_ip(result, ip_header(protocol));
    // As a device gives it: all in one piece.
    Packet flat = pool.take_packet();
    Slice slice = pool.take(result.size());
    result.copy_to(0, slice.spare().first(result.size()));
    slice.extend(result.size());
    flat.append(std::move(slice));
    return flat;
  }
  static std::vector<std::byte> bytes(std::initializer_list<int> values, std::size_t size = 0) {
    std::vector<std::byte> result;
    for (const int value : values) result.push_back(static_cast<std::byte>(value));
    result.resize(std::max(size, result.size()));
    return result;
  }
  std::vector<std::byte> udp(std::size_t payload) {
    Packet datagram = pool.take_packet();
    if (payload > 0) {
      Slice slice = pool.take(static_cast<std::uint32_t>(payload));
      std::ranges::fill(slice.spare().first(payload), std::byte{0});
      slice.extend(static_cast<std::uint32_t>(payload));
      datagram.append(std::move(slice));
    }
    wire::push_udp(datagram, {Port{53}, Port{99}}, peer.remote.address, peer.local.address);
    std::vector<std::byte> result(datagram.size());
    datagram.copy_to(0, result);
    return result;
  }

  struct Error {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t word = 0;
    IpAddress source;
    IpAddress destination;
    std::uint32_t size = 0;  ///< of the packet
  };
  /// The error that has left, the only one.
  std::optional<Error> error() {
    if (other_frames().size() != 1) {
      EXPECT_TRUE(other_frames().empty()) << "more than one answer";
      return std::nullopt;
    }
    Packet answer = std::move(other_frames()[0]);
    other_frames().clear();
    const std::uint32_t size = answer.size();
    const auto ip = wire::parse_ip(answer.head(), size);
    std::array<std::byte, 8> header;
    answer.copy_to(ip->header_bytes, header);
    answer.trim_front(ip->header_bytes);
    wire::Checksum checksum;
    if (!v4()) {
      checksum.add_pseudo_header(ip->header.source, ip->header.destination, 58, answer.size());
    }
    checksum.add(answer);
    EXPECT_EQ(checksum.value(), 0);
    EXPECT_EQ(ip->header.protocol, icmp());
    return Error{std::to_integer<std::uint8_t>(header[0]),
                 std::to_integer<std::uint8_t>(header[1]),
                 std::to_integer<std::uint32_t>(header[4]) << 24 |
                     std::to_integer<std::uint32_t>(header[5]) << 16 |
                     std::to_integer<std::uint32_t>(header[6]) << 8 |
                     std::to_integer<std::uint32_t>(header[7]),
                 ip->header.source,
                 ip->header.destination,
                 size};
  }
  void nothing() { EXPECT_FALSE(error()); }
};
INSTANTIATE_TEST_SUITE_P(Families, IcmpErrorsOut, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(IcmpErrorsOut, NobodySpeaksTheProtocol) {  // RFC1122-3.2.2.1, RFC4443-3.4
  deliver(packet(200, bytes({}, 100)));
  const auto sent = error();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->type, v4() ? 3 : 4);
  EXPECT_EQ(sent->code, v4() ? 2 : 1);
  EXPECT_EQ(sent->word, v4() ? 0U : 6U) << "the Next Header field";
  EXPECT_EQ(sent->source, peer.local.address);
  EXPECT_EQ(sent->destination, peer.remote.address);
  EXPECT_EQ(stack.counters().icmp_errors_sent, 1U);
}

TEST_P(IcmpErrorsOut, NobodyListensOnThePort) {  // RFC1122-4.1.3.1
  deliver(packet(17, udp(100)));
  const auto sent = error();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->type, v4() ? 3 : 1);
  EXPECT_EQ(sent->code, v4() ? 3 : 4);
}

TEST_P(IcmpErrorsOut, AreNoLongerThanWhatTheyAreAbout) {
  for (std::size_t size = 48; size < 1400; size += 13) {
    const Packet about = packet(17, udp(size));
    const std::uint32_t in = about.size();
    deliver(about.share());
    const auto sent = error();
    ASSERT_TRUE(sent);
    EXPECT_LE(sent->size, in);
  }
}

TEST_P(IcmpErrorsOut, ThatMustBeLongerAreFew) {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (int i = 0; i < 2000; ++i) {
    const Packet about = packet(17, udp(0));
    in += about.size();
    deliver(about.share());
    if (const auto sent = error()) out += sent->size;
    after(1ms);
  }
  EXPECT_GT(out, 0U);
  EXPECT_LE(out, in) << "nobody has packets amplified";
  EXPECT_GT(dropped(DropReason::rate_limited), 1900U);
}

TEST_P(IcmpErrorsOut, AreLimited) {  // RFC1812-4.3.2.8, RFC4443-2.4
  for (int i = 0; i < 3000; ++i) deliver(packet(200, bytes({}, 100)));
  EXPECT_LE(other_frames().size(), 1000U);
  EXPECT_GT(other_frames().size(), 500U);
  EXPECT_EQ(dropped(DropReason::rate_limited), 3000 - other_frames().size());
  other_frames().clear();
  after(1s);
  deliver(packet(200, bytes({}, 100)));
  EXPECT_TRUE(error());
}

TEST_P(IcmpErrorsOut, AreNotAboutErrors) {  // RFC1122-3.2.2, RFC4443-2.4
  if (v4()) return;  // no IPv4 packet with ICMP in it is refused for its header
  deliver(packet(60, bytes({58, 0, 0x80, 4, 0, 0, 0, 0, 1, 4}, 100)));
  nothing();
  deliver(packet(60, bytes({58, 0, 0x80, 4, 0, 0, 0, 0, 128, 0}, 100)));
  EXPECT_TRUE(error());
}

TEST_P(IcmpErrorsOut, AreNotAboutGroups) {  // RFC1122-3.2.2, RFC4443-2.4
  const IpAddress ours = peer.local.address;
  for (const char* group : {"224.0.0.1", "255.255.255.255", "10.0.0.255", "ff02::1"}) {
    peer.local.address = *IpAddress::parse(group);
    if (peer.local.address.is_v4() != v4()) continue;
    deliver(packet(200, bytes({}, 100)));
    deliver(packet(17, udp(100)));
  }
  peer.local.address = ours;
  for (const char* source : {"0.0.0.0", "224.0.0.1", "10.0.0.255", "127.0.0.1", "10.0.0.2",
                             "::", "ff02::1", "::1", "fd00::2"}) {
    peer.remote.address = *IpAddress::parse(source);
    if (peer.remote.address.is_v4() != v4()) continue;
    deliver(packet(200, bytes({}, 100)));
  }
  nothing();
}

TEST_P(IcmpErrorsOut, AnOptionThatNobodyKnows) {  // RFC8200-4.2, RFC4443-3.4
  if (v4()) return;
  const auto options = bytes({6, 0, 0x82, 4, 0, 0, 0, 0}, 100);
  deliver(packet(60, options));
  auto sent = error();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->type, 4);
  EXPECT_EQ(sent->code, 2);
  EXPECT_EQ(sent->word, 42U);
  // The type 10 is told even of what went to a group, the type 11 is not (RFC4443-2.4).
  peer.local.address = *IpAddress::parse("ff02::1");
  deliver(packet(60, options));
  sent = error();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->source, our_address());
  deliver(packet(60, bytes({6, 0, 0xc2, 4, 0, 0, 0, 0}, 100)));
  nothing();
  peer.local.address = *IpAddress::parse("ff02::1234");  // it is not for us (RFC8200-4)
  deliver(packet(60, options));
  nothing();
  peer.local.address = our_address();
  deliver(packet(60, bytes({6, 0, 0x42, 4, 0, 0, 0, 0}, 100)));
  nothing();
}

TEST_P(IcmpErrorsOut, FragmentsWhoseOthersDoNotCome) {  // RFC1122-3.3.2, RFC8200-4.5
  for (const bool first : {true, false}) {
    Packet fragment = pool.take_packet();
    Slice slice = pool.take(800);
    std::ranges::fill(slice.spare().first(800), std::byte{0});
    slice.extend(800);
    fragment.append(std::move(slice));
    wire::push_fragment(
        fragment, ip_header(17),
        {.identification = 5, .offset = static_cast<std::uint16_t>(first ? 0 : 800), .more = true});
    deliver(std::move(fragment));
    after(59s);
    if (!v4()) nothing();
    after(1s);
    const auto sent = error();
    EXPECT_EQ(sent.has_value(), first) << "only if there is something to quote";
    if (!sent) continue;
    EXPECT_EQ(sent->type, v4() ? 11 : 3);
    EXPECT_EQ(sent->code, 1);
  }
}

}  // namespace
}  // namespace hawser
