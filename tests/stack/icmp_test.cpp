// ICMP as a host with TCP sees it (RFC 9293 3.9.2.2, RFC 5927, RFC 1122 3.2.2, RFC 4443).
#include "wire/icmp.hpp"

#include <algorithm>

#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class IcmpIn : public PacketScript, public ::testing::WithParamInterface<Family> {
 protected:
  IcmpIn() : PacketScript(default_config(), GetParam()) {}

  bool v4() const { return GetParam() == Family::ipv4; }
  std::uint8_t protocol() const { return v4() ? 1 : 58; }

  /// An error of any type and code about a frame that the stack has sent.
  void error_about(const Packet& frame, std::uint8_t type, std::uint8_t code) {
    Packet packet = frame.share();
    packet.truncate((v4() ? 20U : 40U) + 8U);
    const auto header = packet.prepend(8);
    std::ranges::fill(header, std::byte{0});
    header[0] = std::byte{type};
    header[1] = std::byte{code};
    wire::Checksum checksum;
    if (!v4()) {
      checksum.add_pseudo_header(peer.remote.address, peer.local.address, 58, packet.size());
    }
    checksum.add(packet);
    header[2] = static_cast<std::byte>(checksum.value() >> 8);
    header[3] = static_cast<std::byte>(checksum.value() & 0xff);
    wire::push_ip(packet, ip_header(protocol()));
    deliver(std::move(packet));
  }
  void port_unreachable(const Packet& frame) {
    v4() ? error_about(frame, 3, 3) : error_about(frame, 1, 4);
  }
  void host_unreachable(const Packet& frame) {
    v4() ? error_about(frame, 3, 1) : error_about(frame, 1, 3);
  }
};
INSTANTIATE_TEST_SUITE_P(Families, IcmpIn, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(IcmpIn, PortUnreachableRefusesAnOpen) {  // RFC9293-SHLD-26
  connect();
  const Sent syn = out(kSyn);
  port_unreachable(syn.frame);
  EXPECT_EQ(state(), TcpState::closed);
  EXPECT_EQ(stack.tcp_take_error(socket), Error::connection_refused);
  EXPECT_EQ(info().close_reason, CloseReason::refused);
}

TEST_P(IcmpIn, OnlyTheConnectionThatCausedItReacts) {  // RFC9293-MUST-54
  const SocketHandle first = connect();
  const Sent syn = out(kSyn);
  const SocketHandle second = connect(nullptr, 81);
  out(kSyn);
  port_unreachable(syn.frame);
  EXPECT_EQ(stack.tcp_info(first)->state, TcpState::closed);
  EXPECT_EQ(stack.tcp_info(second)->state, TcpState::syn_sent);
}

TEST_P(IcmpIn, AnErrorAboutNothingOfOursIsCounted) {
  connect();
  Sent syn = out(kSyn);
  abort();
  port_unreachable(syn.frame);
  quiet();
  EXPECT_EQ(dropped(DropReason::bad_icmp), 1U);
}

TEST_P(IcmpIn, SoftErrorsAreToldAndEndNothing) {  // RFC9293-MUST-56, RFC9293-MUST-47
  establish_active(Mss{1460});
  write(10);
  const Sent data = out(kAck | kPsh, Len{10});
  using TypeAndCode = std::pair<std::uint8_t, std::uint8_t>;
  const std::vector<TypeAndCode> soft =
      v4() ? std::vector<TypeAndCode>{{3, 0}, {3, 1}, {3, 5}, {11, 0}, {12, 0}, {3, 3}}
           : std::vector<TypeAndCode>{{1, 0}, {1, 3}, {1, 99}, {3, 0}, {4, 0}, {1, 4}, {100, 0}};
  for (const auto& [type, code] : soft) {
    SCOPED_TRACE(fmt::format("type {} code {}", type, code));
    error_about(data.frame, type, code);
    EXPECT_EQ(state(), TcpState::established);
    EXPECT_TRUE(stack.tcp_take_error(socket));
  }
  in(kAck, Seq{1}, Ack{11});
  write(5);
  out(kAck | kPsh, Seq{11}, Len{5});
}

TEST_P(IcmpIn, ASequenceNumberOutOfFlightIsIgnored) {
  establish_active(Mss{1460});
  write(10);
  const Sent data = out(kAck | kPsh, Len{10});
  in(kAck, Seq{1}, Ack{11});
  host_unreachable(data.frame);
  EXPECT_FALSE(stack.tcp_take_error(socket));
  EXPECT_EQ(dropped(DropReason::bad_icmp), 1U);
}

TEST_P(IcmpIn, PacketTooBigIsCounted) {
  establish_active(Mss{1460});
  write(10);
  const Sent data = out(kAck | kPsh, Len{10});
  v4() ? error_about(data.frame, 3, 4) : error_about(data.frame, 2, 0);
  EXPECT_EQ(stack.counters().packets_too_big, 1U);
  EXPECT_EQ(info().mss, v4() ? 1460 : 1440);  // a forged one does no harm
}

TEST_P(IcmpIn, AnEchoIsAnswered) {
  Packet packet = pool.take_packet();
  const std::array<std::byte, 3> data{std::byte{1}, std::byte{2}, std::byte{3}};
  ASSERT_TRUE(packet.append_copy(data));
  wire::push_icmp_echo(packet, {.reply = false, .identifier = 9, .sequence = 4},
                       peer.remote.address, peer.local.address);
  wire::push_ip(packet, ip_header(protocol()));
  deliver(std::move(packet));
  ASSERT_EQ(other_frames().size(), 1U);
  Packet& answer = other_frames()[0];
  const auto ip = wire::parse_ip(answer.head(), answer.size());
  EXPECT_EQ(ip->header.source, peer.local.address);
  EXPECT_EQ(ip->header.destination, peer.remote.address);
  answer.trim_front(ip->header_bytes);
  const auto message = wire::parse_icmp(answer, ip->header.source, ip->header.destination);
  ASSERT_TRUE(message);
  const auto& echo = std::get<wire::IcmpEcho>(*message);
  EXPECT_TRUE(echo.reply);
  EXPECT_EQ(echo.identifier, 9);
  EXPECT_EQ(echo.sequence, 4);
  std::array<std::byte, 3> copy;
  answer.copy_to(8, copy);
  EXPECT_EQ(copy, data);
}

TEST_P(IcmpIn, FloodsAreLimited) {
  for (int i = 0; i < 3000; ++i) {
    Packet packet = pool.take_packet();
    wire::push_icmp_echo(packet, {}, peer.remote.address, peer.local.address);
    wire::push_ip(packet, ip_header(protocol()));
    deliver(std::move(packet));
  }
  EXPECT_EQ(other_frames().size(), 1000U);
}

class SourceQuench : public PacketScript {};

TEST_F(SourceQuench, IsDiscarded) {  // RFC9293-MUST-55
  establish_active(Mss{1460});
  write(10);
  const Sent data = out(kAck | kPsh, Len{10});
  const std::uint32_t cwnd = info().cwnd;
  Packet packet = data.frame.share();
  packet.truncate(28);
  const auto header = packet.prepend(8);
  std::ranges::fill(header, std::byte{0});
  header[0] = std::byte{4};
  wire::Checksum checksum;
  checksum.add(packet);
  header[2] = static_cast<std::byte>(checksum.value() >> 8);
  header[3] = static_cast<std::byte>(checksum.value() & 0xff);
  wire::push_ip(packet, ip_header(1));
  deliver(std::move(packet));
  EXPECT_EQ(info().cwnd, cwnd);
  EXPECT_FALSE(stack.tcp_take_error(socket));
  EXPECT_EQ(dropped(DropReason::bad_icmp), 0U);
}

}  // namespace
}  // namespace hawser
