// Marks of routers (RFC 3168) where the stack has a part in them: IP headers of both families, and
// passive opens, whether a record of the handshake is kept or a cookie comes back.
#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

constexpr TcpFlags kEcnSyn = kSyn | kEce | kCwr;
constexpr TcpFlags kEcnSynAck = kSyn | kAck | kEce;

class EcnStack : public PacketScript, public ::testing::WithParamInterface<Family> {
 protected:
  EcnStack() : PacketScript(default_config(), GetParam()) {}

  SocketHandle listen_with(TcpEcn ecn, std::uint32_t backlog = 16) {
    listen(80, backlog);
    TcpSettings settings = stack.config().tcp.defaults;
    settings.ecn = ecn;
    EXPECT_TRUE(stack.tcp_set_settings(now, listener, settings));
    return listener;
  }
};

INSTANTIATE_TEST_SUITE_P(Families, EcnStack, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& family) {
                           return family.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

TEST_P(EcnStack, IsCarriedInTheIpHeaderBothWays) {  // RFC3168-6.1.2, RFC3168-6.1.4
  TcpSettings settings = stack.config().tcp.defaults;
  settings.ecn = TcpEcn::on;
  connect(&settings);
  out(kEcnSyn, Seq{0}, Ecn::not_ect);
  in(kEcnSynAck, Seq{0}, Ack{1}, Mss{1440});
  out(kAck, Seq{1}, Ack{1}, Ecn::not_ect);
  write(100);
  out(kAck | kPsh, Seq{1}, Len{100}, Ecn::ect0);
  in(kAck, Seq{1}, Ack{101}, Len{100}, Ecn::ce);
  out(kAck | kEce, Seq{101}, Ack{101}, Ecn::not_ect);
  EXPECT_EQ(stack.counters().marks_received, 1U);
}

TEST_P(EcnStack, IsAcceptedUnlessSwitchedOff) {  // RFC3168-6.1.1
  for (const TcpEcn ecn : {TcpEcn::off, TcpEcn::passive, TcpEcn::on}) {
    listen_with(ecn);
    in(kEcnSyn, Seq{0}, Mss{1440});
    out(ecn == TcpEcn::off ? kSyn | kAck : kEcnSynAck, Seq{0}, Ack{1}, Ecn::not_ect);
    in(kAck, Seq{1}, Ack{1});
    accept();
    EXPECT_EQ(info().ecn_echoes, ecn != TcpEcn::off);
    EXPECT_EQ(info().ecn_capable, ecn != TcpEcn::off);
    abort();
    out(kRst | kAck, AnyLength{}, Ecn::not_ect);
    ASSERT_TRUE(stack.tcp_close(now, listener));
    drain();
  }
}

TEST_P(EcnStack, IsNotGivenToThoseWhoDoNotAsk) {  // RFC3168-6.1.1
  listen_with(TcpEcn::on);
  for (const TcpFlags flags : {kSyn, kSyn | kEce, kSyn | kCwr}) {
    peer.remote.port = Port{static_cast<std::uint16_t>(to_number(peer.remote.port) + 1)};
    in(flags, Seq{0}, Mss{1440});
    out(kSyn | kAck, Seq{0}, Ack{1});
    in(kAck, Seq{1}, Ack{1});
    accept();
    EXPECT_FALSE(info().ecn_echoes);
  }
}

/// A peer of accurate ECN (RFC 9768) sets one flag more, and falls back when it is not answered.
TEST_P(EcnStack, IsGivenToThoseWhoAskForMore) {
  listen();
  in(kEcnSyn | TcpFlag::ae, Seq{0}, Mss{1440});
  out(kEcnSynAck, Seq{0}, Ack{1});
}

TEST_P(EcnStack, GoesWhenThePeerAsksNoMore) {  // RFC3168-6.1.1.1
  listen();
  in(kEcnSyn, Seq{0}, Mss{1440});
  out(kEcnSynAck, Seq{0}, Ack{1});  // lost
  after(500ms);
  in(kSyn, Seq{0}, Mss{1440});
  out(kSyn | kAck, Seq{0}, Ack{1});
  in(kAck, Seq{1}, Ack{1}, Len{100}, Ecn::ce);
  out(kAck | kEce, Ack{101});  // it was promised once
  accept();
  write(100);
  out(kAck | kPsh | kEce, Len{100}, Ecn::not_ect);
}

TEST_P(EcnStack, ComesBackWithACookieThatHasTimestamps) {
  listen_with(TcpEcn::passive, 1);
  in(kSyn, Seq{0});
  out(kSyn | kAck);  // the queue is full now
  for (const bool timestamps : {true, false}) {
    peer.remote.port = Port{timestamps ? std::uint16_t{6000} : std::uint16_t{6001}};
    Sent answer;
    if (timestamps) {
      in(kEcnSyn, Seq{0}, Mss{1440}, Ts{500, 0});
      answer = out(kEcnSynAck, Seq{0}, Ack{1});
      in(kAck, Seq{1}, Ack{1}, Ts{510, answer.header.options.timestamps->value});
    } else {
      in(kEcnSyn, Seq{0}, Mss{1440});
      out(kSyn | kAck, Seq{0}, Ack{1});
      in(kAck, Seq{1}, Ack{1});
    }
    accept();
    EXPECT_EQ(info().ecn_capable, timestamps);
    EXPECT_EQ(info().ecn_echoes, timestamps);
  }
  EXPECT_EQ(stack.counters().cookies_accepted, 2U);
}

}  // namespace
}  // namespace hawser
