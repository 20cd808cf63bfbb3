// What a connection says to IP, and what IP may say with a segment: hop limit, differentiated
// services, options (RFC 9293 3.9.1.9, 3.9.2).
#include <gtest/gtest.h>

#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class IpFields : public PacketScript, public ::testing::WithParamInterface<Family> {
 protected:
  IpFields() : PacketScript(default_config(), GetParam()) {}

  void expect_fields(const std::deque<Sent>& segments, std::uint8_t hop_limit, std::uint8_t dscp) {
    EXPECT_FALSE(segments.empty());
    for (const Sent& segment : segments) {
      EXPECT_EQ(segment.ip.hop_limit, hop_limit);
      EXPECT_EQ(segment.ip.dscp, dscp);
    }
  }
};

TEST_P(IpFields, AreThoseThatTheApplicationSet) {  // RFC9293-MUST-48, RFC9293-MUST-49
  TcpSettings settings;
  settings.hop_limit = 5;
  settings.dscp = 46;
  connect(&settings);
  const Sent syn = out(kSyn, Seq{0});
  EXPECT_EQ(syn.ip.hop_limit, 5);
  EXPECT_EQ(syn.ip.dscp, 46) << "RFC9293-SHLD-22";
  in(kSyn | kAck, Seq{0}, Ack{1});
  write(2000);
  at(2s);
  expect_fields(sent(), 5, 46);  // ACK, data, retransmissions
  sent().clear();
  abort();
  expect_fields(sent(), 5, 46);
  sent().clear();
}

TEST_P(IpFields, ChangeWhenTheApplicationSaysSo) {  // RFC9293-SHLD-21, RFC9293-MUST-49
  establish_active();
  write(10);
  expect_fields(sent(), 64, 0);
  sent().clear();
  in(kAck, Seq{1}, Ack{11});
  TcpSettings settings = stack.tcp_settings(socket).value();
  settings.dscp = 8;
  settings.hop_limit = 200;
  ASSERT_TRUE(stack.tcp_set_settings(now, socket, settings));
  write(10);
  expect_fields(sent(), 200, 8);
  sent().clear();
}

TEST_P(IpFields, SettingsThatCannotBeAreRefused) {
  establish_active();
  const TcpSettings good = stack.tcp_settings(socket).value();
  const auto refused = [&](auto change) {
    TcpSettings settings = good;
    change(settings);
    const auto result = stack.tcp_set_settings(now, socket, settings);
    return !result && result.error() == Error::invalid_argument;
  };
  EXPECT_TRUE(refused([](TcpSettings& s) { s.dscp = 64; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.hop_limit = 0; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.receive_buffer = 0; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.receive_buffer = (1U << 30) + 1; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.send_buffer = 0; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.keep_alive_idle = 0s; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.keep_alive_interval = -1s; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.keep_alive_count = 0; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.user_timeout = 0s; }));
  EXPECT_TRUE(refused([](TcpSettings& s) { s.linger = -1s; }));
  EXPECT_FALSE(refused([](TcpSettings& s) { s.linger = 0s; }));
}

TEST_P(IpFields, StayWhenTheApplicationSaysNothing) {
  establish_passive();
  write(20000);
  in(kAck, Seq{1}, Ack{1461});
  at(3s);
  close();
  expect_fields(sent(), 64, 0);
  sent().clear();
}

INSTANTIATE_TEST_SUITE_P(BothFamilies, IpFields, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& family) {
                           return family.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

class Ipv4Options : public PacketScript {
 protected:
  /// The same packet with `options` in its header.
  Packet with_options(const Packet& plain, std::span<const std::uint8_t> options) {
    constexpr std::size_t kHeader = 20;
    std::vector<std::byte> bytes(plain.size());
    plain.copy_to(0, bytes);
    const auto raw = std::as_bytes(options);
    bytes.insert(bytes.begin() + kHeader, raw.begin(), raw.end());
    bytes[0] = static_cast<std::byte>(0x40 | ((kHeader + options.size()) / 4));
    bytes[2] = static_cast<std::byte>(bytes.size() >> 8);
    bytes[3] = static_cast<std::byte>(bytes.size() & 0xff);
    bytes[10] = bytes[11] = std::byte{0};
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < kHeader + options.size(); i += 2) {
      sum += std::to_integer<std::uint32_t>(bytes[i]) << 8;
      sum += std::to_integer<std::uint32_t>(bytes[i + 1]);
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    bytes[10] = static_cast<std::byte>(~sum >> 8 & 0xff);
    bytes[11] = static_cast<std::byte>(~sum & 0xff);
    Slice slice = pool.take(static_cast<std::uint32_t>(bytes.size()));
    std::ranges::copy(bytes, slice.spare().begin());
    slice.extend(static_cast<std::uint32_t>(bytes.size()));
    Packet packet = pool.take_packet();
    packet.append(std::move(slice));
    return packet;
  }
};

TEST_F(Ipv4Options, UnknownOnesAreIgnored) {  // RFC9293-MUST-50
  constexpr std::array<std::uint8_t, 8> kUnknown{0x9e, 6, 1, 2, 3, 4, 1, 0};
  listen();
  deliver(with_options(frame_of(segment(kSyn, Seq{0})), kUnknown));
  out(kSyn | kAck, Seq{0}, Ack{1});
  deliver(with_options(frame_of(segment(kAck, Seq{1}, Ack{1})), kUnknown));
  accept();
  deliver(with_options(frame_of(segment(kAck, Seq{1}, Ack{1}, Len{100})), kUnknown));
  EXPECT_EQ(read(200), 100U);
  at(1s);
  out(kAck, Seq{1}, Ack{101}, LeftAt{40ms});
}

}  // namespace
}  // namespace hawser
