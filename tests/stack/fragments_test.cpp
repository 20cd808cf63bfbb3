// Fragments at the door of a stack: what is whole goes on as any packet, and what is not ours takes
// no memory.
#include "tests/support/packet_script.hpp"
#include "wire/icmp.hpp"

namespace hawser {
namespace {

using namespace testing;

class FragmentsIn : public PacketScript, public ::testing::WithParamInterface<Family> {
 protected:
  FragmentsIn() : PacketScript(default_config(), GetParam()) {}

  bool v4() const { return GetParam() == Family::ipv4; }

  /// The part [begin, end) of the payload of `packet`, as a router would have cut it.
  Packet part(const Packet& packet, std::uint32_t begin, std::uint32_t end,
              std::uint32_t identification = 77) {
    const auto parsed = wire::parse_ip(packet.head(), packet.size());
    std::vector<std::byte> bytes(end - begin);
    packet.copy_to(parsed->header_bytes + begin, bytes);
    Packet fragment = pool.take_packet();
    Slice slice = pool.take(end - begin);
    std::ranges::copy(bytes, slice.spare().begin());
    slice.extend(end - begin);
    fragment.append(std::move(slice));
    wire::push_fragment(fragment, parsed->header,
                        {.identification = identification,
                         .offset = static_cast<std::uint16_t>(begin),
                         .more = end < parsed->payload_bytes});
    return fragment;
  }
};
INSTANTIATE_TEST_SUITE_P(Families, FragmentsIn, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(FragmentsIn, MakeASegment) {  // RFC1122-3.3.2
  establish_passive();
  const Packet frame = frame_of(segment(kAck, Seq{1}, Ack{1}, Len{500}));
  deliver(part(frame, 400, 520));
  quiet();
  deliver(part(frame, 0, 400));
  EXPECT_EQ(read(1000), 500U);
  after(40ms);
  out(kAck, Seq{1}, Ack{501});
  EXPECT_EQ(stack.counters().datagrams_reassembled, 1U);
}

/// A ping as large as three frames is answered with one as large.
TEST_P(FragmentsIn, OfAnEchoAreAnsweredWithFragments) {  // RFC1122-3.2.2.6, RFC4443-4.2
  std::vector<std::byte> data(4000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 7);
  Packet request = pool.take_packet();
  Slice slice = pool.take(4000);
  std::ranges::copy(data, slice.spare().begin());
  slice.extend(4000);
  request.append(std::move(slice));
  wire::push_icmp_echo(request, {.reply = false, .identifier = 9, .sequence = 4},
                       peer.remote.address, peer.local.address);
  wire::push_ip(request, ip_header(v4() ? 1 : 58));
  std::uint32_t in = 0;
  for (std::uint32_t at = 0; at < 4008; at += 1448) {
    Packet fragment = part(request, at, std::min(at + 1448, 4008U));
    in += fragment.size();
    deliver(std::move(fragment));
  }
  ASSERT_EQ(other_frames().size(), 3U);
  std::vector<std::byte> answer;
  std::uint32_t out = 0;
  for (Packet& fragment : other_frames()) {
    const auto ip = wire::parse_ip(fragment.head(), fragment.size());
    ASSERT_TRUE(ip && ip->fragment);
    EXPECT_LE(fragment.size(), 1500U);
    EXPECT_EQ(ip->fragment->offset, answer.size());
    std::vector<std::byte> payload(ip->payload_bytes);
    fragment.copy_to(ip->header_bytes, payload);
    answer.insert(answer.end(), payload.begin(), payload.end());
    out += fragment.size();
  }
  EXPECT_LE(out, in);
  ASSERT_EQ(answer.size(), 4008U);
  EXPECT_TRUE(std::equal(data.begin(), data.end(), answer.begin() + 8));
  EXPECT_EQ(stack.counters().datagrams_fragmented, 1U);
}

TEST_P(FragmentsIn, OfOthersTakeNoMemory) {
  peer.local.address = *IpAddress::parse(v4() ? "10.0.0.3" : "fd00::3");
  const Packet frame = frame_of(segment(kAck, Seq{1}, Ack{1}, Len{500}));
  deliver(part(frame, 0, 400));
  EXPECT_EQ(dropped(DropReason::not_ours), 1U);
  peer.local.address = our_address();
  peer.remote.address = our_address();
  deliver(part(frame_of(segment(kAck, Seq{1}, Ack{1}, Len{500})), 0, 400));
  EXPECT_EQ(dropped(DropReason::bad_source), 1U);
  EXPECT_EQ(stack.next_deadline(), kNever);
}

TEST_P(FragmentsIn, WaitForALimitedTime) {
  const Packet frame = frame_of(segment(kAck, Seq{1}, Ack{1}, Len{500}));
  deliver(part(frame, 400, 520));
  EXPECT_EQ(stack.next_deadline(), now + (v4() ? 30s : 60s));
  after(60s);
  EXPECT_EQ(stack.next_deadline(), kNever);
  EXPECT_EQ(dropped(DropReason::fragment_timeout), 1U);
  deliver(part(frame, 0, 400));
  quiet();
}

TEST_P(FragmentsIn, OfFragmentsAreRefused) {
  if (v4()) return;
  const Packet frame = frame_of(segment(kAck, Seq{1}, Ack{1}, Len{500}));
  // A packet whose extension header is that of another fragment, cut in two.
  Packet inner = part(frame, 0, 400);
  inner.trim_front(40);
  wire::push_ip(inner, ip_header(99));  // what the cut does not look into
  Packet first = part(inner, 0, 200, 78);
  first.own_bytes()[40] = std::byte{44};
  deliver(std::move(first));
  deliver(part(inner, 200, 408, 78));
  EXPECT_EQ(stack.counters().datagrams_reassembled, 1U);
  EXPECT_EQ(dropped(DropReason::bad_fragment), 1U);
  EXPECT_EQ(stack.next_deadline(), kNever);
}

}  // namespace
}  // namespace hawser
