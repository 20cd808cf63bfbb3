// Fragments at the door of a stack: what is whole goes on as any packet, and what is not ours takes
// no memory.
#include "tests/support/packet_script.hpp"

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
