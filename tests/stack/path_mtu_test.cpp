// What routers say of the path's MTU, from the ICMP message to the next segment.
#include "tests/support/packet_script.hpp"
#include "wire/icmp.hpp"

namespace hawser {
namespace {

using namespace testing;

class PathMtuIn : public PacketScript, public ::testing::WithParamInterface<Family> {
 protected:
  PathMtuIn() : PacketScript(default_config(), GetParam()) {}

  bool v4() const { return GetParam() == Family::ipv4; }
  std::uint32_t headers() const { return v4() ? 40 : 60; }

  /// A router far away says that `frame` was larger than `mtu`.
  void too_big(const Packet& frame, std::uint32_t mtu) {
    const IpAddress router = *IpAddress::parse(v4() ? "192.0.2.1" : "2001:db8::1");
    Packet packet = wire::make_icmp_error(frame, {wire::IcmpErrorKind::packet_too_big, 0, mtu},
                                          router, peer.local.address);
    wire::push_ip(packet, {.source = router,
                           .destination = peer.local.address,
                           .protocol = static_cast<std::uint8_t>(v4() ? 1 : 58)});
    deliver(std::move(packet));
  }
};
INSTANTIATE_TEST_SUITE_P(Families, PathMtuIn, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(PathMtuIn, MakesSegmentsSmaller) {  // RFC1191-6.4, RFC8201-5.4
  establish_active(Mss{1460});
  const std::uint32_t full = 1500 - headers();
  write(2 * full);
  const Sent first = out(kAck, Seq{1}, Len{full});
  const Sent second = out(kAck | kPsh, Seq{1 + full}, Len{full});
  EXPECT_TRUE(second.ip.dont_fragment);
  too_big(first.frame, 1300);
  out(kAck, Seq{1}, Len{1300 - headers()});
  out(kAck, Seq{1301 - headers()}, Len{1300 - headers()});
  out(kAck | kPsh, AnyLength{});
  EXPECT_EQ(stack.counters().path_mtu_lowered, 1U);
  EXPECT_EQ(stack.counters().packets_too_big, 1U);
}

TEST_P(PathMtuIn, BoundsTheNextConnectionToo) {  // RFC1191-6.3, RFC8201-5.2
  establish_active(Mss{1460});
  write(2000);
  const Sent first = out(kAck, Seq{1}, AnyLength{});
  sent().clear();
  too_big(first.frame, 1300);
  sent().clear();
  abort();
  sent().clear();
  connect(nullptr, 81);
  const Sent syn = out(kSyn);
  EXPECT_EQ(syn.header.options.mss, 1500 - headers()) << "what we take is the same as ever";
  in(kSyn | kAck, Seq{0}, Ack{1}, Mss{1460});
  out(kAck, Seq{1}, Ack{1});
  write(2000);
  out(kAck, Len{1300 - headers()});
  sent().clear();
  abort();
  sent().clear();
  after(10min);
  connect(nullptr, 82);
  out(kSyn);
  in(kSyn | kAck, Seq{0}, Ack{1}, Mss{1460});
  out(kAck, Seq{1}, Ack{1});
  write(2000);
  out(kAck, Len{1500 - headers()});
  sent().clear();
}

TEST_P(PathMtuIn, BoundsThoseWhoConnectToUs) {
  establish_active(Mss{1460});
  write(2000);
  const Sent first = out(kAck, Seq{1}, AnyLength{});
  sent().clear();
  too_big(first.frame, 1300);
  sent().clear();
  abort();
  sent().clear();
  peer.local.port = Port{80};
  peer.remote.port = Port{7000};
  establish_passive(Mss{1460});
  write(2000);
  out(kAck, Len{1300 - headers()});
  sent().clear();
}

TEST_P(PathMtuIn, IsNotBelievedWhenItCannotBe) {  // RFC5927-7.2, RFC8201-4
  establish_active(Mss{1460});
  write(2000);
  const Sent first = out(kAck, Seq{1}, AnyLength{});
  sent().clear();
  too_big(first.frame, 1500);
  too_big(first.frame, 9000);
  if (!v4()) too_big(first.frame, 1279);
  EXPECT_EQ(dropped(DropReason::bad_icmp), v4() ? 2U : 3U);
  in(kAck, Seq{1}, Ack{1501 - headers()});
  too_big(first.frame, 1300);  // it has arrived
  EXPECT_EQ(dropped(DropReason::bad_icmp), v4() ? 3U : 4U);
  EXPECT_EQ(info().mss, 1500 - headers());
  out(kAck | kPsh, Seq{1501 - headers()}, AnyLength{});
}

TEST_P(PathMtuIn, OfAnOldRouterIsGuessed) {  // RFC1191-5
  if (!v4()) return;
  establish_active(Mss{1460});
  write(2000);
  const Sent first = out(kAck, Seq{1}, AnyLength{});
  sent().clear();
  too_big(first.frame, 0);
  out(kAck, Seq{1}, Len{1492 - 40});
  sent().clear();
}

TEST_P(PathMtuIn, BelowTheLeastLetsRoutersCut) {  // RFC6864-4.3
  if (!v4()) return;
  establish_active(Mss{1460});
  write(2000);
  const Sent first = out(kAck, Seq{1}, AnyLength{});
  sent().clear();
  too_big(first.frame, 296);
  const Sent again = out(kAck, Seq{1}, Len{552 - 40});
  EXPECT_FALSE(again.ip.dont_fragment);
  const Sent next = out(kAck, Seq{1 + 512}, Len{512});
  EXPECT_EQ(static_cast<std::uint16_t>(next.ip.identification - again.ip.identification), 1);
  sent().clear();
}

}  // namespace
}  // namespace hawser
