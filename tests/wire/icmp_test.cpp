#include "wire/icmp.hpp"

#include <gtest/gtest.h>

#include "tests/wire/support.hpp"
#include "wire/ip.hpp"
#include "wire/tcp.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::contents;
using testing::reference_sum;

struct Family {
  IpAddress ours;
  IpAddress theirs;
  IpAddress router;
  std::uint8_t icmp;
};

const Family kV4{IpAddress::v4(10, 9, 0, 2), IpAddress::v4(192, 0, 2, 7),
                 IpAddress::v4(10, 9, 0, 1), 1};
const Family kV6{*IpAddress::parse("fd00:9::2"), *IpAddress::parse("2001:db8::7"),
                 *IpAddress::parse("fd00:9::1"), 58};

/// A TCP segment of ours, with its IP header and 1000 bytes of payload.
Packet our_segment(BufferPool& pool, const Family& ip) {
  Packet packet = testing::received(pool, Bytes(1000, std::byte{0x5a}));
  TcpHeader tcp;
  tcp.source = Port{40000};
  tcp.destination = Port{443};
  tcp.seq = SeqNum(0xdeadbeef);
  tcp.flags = TcpFlag::ack;
  push_tcp(packet, tcp, ip.ours, ip.theirs);
  IpHeader header;
  header.source = ip.ours;
  header.destination = ip.theirs;
  header.protocol = 6;
  push_ip(packet, header);
  return packet;
}

/// An ICMP message of the router's, its checksum filled in.
Bytes message_of(const Family& ip, std::uint8_t type, std::uint8_t code, std::uint32_t word,
                 const Bytes& rest) {
  Bytes message = bytes({type, code, 0, 0});
  for (int shift = 24; shift >= 0; shift -= 8) {
    message.push_back(static_cast<std::byte>(word >> shift));
  }
  message.insert(message.end(), rest.begin(), rest.end());
  Bytes covered;
  if (!ip.ours.is_v4()) {
    covered =
        testing::pseudo_header(ip.router, ip.ours, 58, static_cast<std::uint32_t>(message.size()));
  }
  covered.insert(covered.end(), message.begin(), message.end());
  const auto value = static_cast<std::uint16_t>(~reference_sum(covered));
  message[2] = static_cast<std::byte>(value >> 8);
  message[3] = static_cast<std::byte>(value);
  return message;
}

Bytes first_bytes(const Packet& packet, std::size_t count) {
  Bytes all = contents(packet);
  all.resize(count);
  return all;
}

std::expected<IcmpMessage, DropReason> parse(BufferPool& pool, const Family& ip,
                                             const Bytes& message) {
  return parse_icmp(testing::received(pool, message), ip.router, ip.ours);
}

struct ErrorCase {
  const Family* ip;
  int type;
  int code;
  IcmpErrorKind kind;
  std::uint32_t mtu = 0;
};

TEST(IcmpParse, TellsWhatAnErrorSaysAndAboutWhichSegment) {
  using enum IcmpErrorKind;
  const ErrorCase cases[] = {
      {&kV4, 3, 0, network_unreachable},  {&kV4, 3, 1, host_unreachable},
      {&kV4, 3, 2, protocol_unreachable}, {&kV4, 3, 3, port_unreachable},
      {&kV4, 3, 4, packet_too_big, 1400}, {&kV4, 3, 5, source_route_failed},
      {&kV4, 3, 6, network_unreachable},  {&kV4, 3, 7, host_unreachable},
      {&kV4, 3, 8, host_unreachable},     {&kV4, 3, 9, prohibited},
      {&kV4, 3, 10, prohibited},          {&kV4, 3, 11, network_unreachable},
      {&kV4, 3, 12, host_unreachable},    {&kV4, 3, 13, prohibited},
      {&kV4, 4, 0, source_quench},        {&kV4, 11, 0, time_exceeded},
      {&kV4, 11, 1, time_exceeded},       {&kV4, 12, 0, parameter_problem},
      {&kV6, 1, 0, network_unreachable},  {&kV6, 1, 1, prohibited},
      {&kV6, 1, 2, host_unreachable},     {&kV6, 1, 3, host_unreachable},
      {&kV6, 1, 4, port_unreachable},     {&kV6, 1, 5, prohibited},
      {&kV6, 1, 6, prohibited},           {&kV6, 2, 0, packet_too_big, 1280},
      {&kV6, 3, 0, time_exceeded},        {&kV6, 4, 0, parameter_problem},
      {&kV6, 4, 1, protocol_unreachable}, {&kV6, 4, 2, parameter_problem},
      {&kV6, 1, 8, host_unreachable},     {&kV6, 100, 7, unknown},  // RFC4443-2.4, RFC4443-3.1
  };
  BufferPool pool;
  for (const ErrorCase& expected : cases) {
    SCOPED_TRACE(std::to_string(expected.type) + '/' + std::to_string(expected.code));
    const Family& ip = *expected.ip;
    const std::size_t quoted = ip.ours.is_v4() ? 28 : 48;
    const auto parsed = parse(pool, ip,
                              message_of(ip, static_cast<std::uint8_t>(expected.type),
                                         static_cast<std::uint8_t>(expected.code), expected.mtu,
                                         first_bytes(our_segment(pool, ip), quoted)));
    ASSERT_TRUE(parsed);
    const auto* error = std::get_if<IcmpError>(&*parsed);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->kind, expected.kind);
    EXPECT_EQ(error->type, expected.type);
    EXPECT_EQ(error->code, expected.code);
    EXPECT_EQ(error->mtu, expected.mtu);
    EXPECT_EQ(error->source, ip.ours);
    EXPECT_EQ(error->destination, ip.theirs);
    EXPECT_EQ(error->protocol, 6);
    EXPECT_EQ(error->source_port, Port{40000});
    EXPECT_EQ(error->destination_port, Port{443});
    EXPECT_EQ(error->seq, SeqNum(0xdeadbeef));
  }
}

TEST(IcmpParse, ReadsMtuFieldsOfTheirWidth) {
  BufferPool pool;
  const auto mtu = [&](const Family& ip, int type, int code) {
    const auto parsed =
        parse(pool, ip,
              message_of(ip, static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code),
                         0xabcd0500, first_bytes(our_segment(pool, ip), 60)));
    return std::get<IcmpError>(*parsed).mtu;
  };
  EXPECT_EQ(mtu(kV4, 3, 4), 0x0500U) << "the upper half is unused in IPv4";
  EXPECT_EQ(mtu(kV6, 2, 0), 0xabcd0500U);
  EXPECT_EQ(mtu(kV4, 3, 1), 0U) << "other errors have no such field";
}

TEST(IcmpParse, RefusesAnErrorThatQuotesTooLittle) {
  BufferPool pool;
  for (const Family* ip : {&kV4, &kV6}) {
    const std::size_t needed = ip->ours.is_v4() ? 28 : 48;
    const std::uint8_t type = ip->ours.is_v4() ? 3 : 1;
    for (std::size_t quoted = 0; quoted < needed; ++quoted) {
      const auto parsed = parse(
          pool, *ip, message_of(*ip, type, 0, 0, first_bytes(our_segment(pool, *ip), quoted)));
      ASSERT_FALSE(parsed) << quoted;
      EXPECT_EQ(parsed.error(), DropReason::bad_icmp);
    }
  }
}

TEST(IcmpParse, RefusesAQuoteOfTheOtherFamily) {
  BufferPool pool;
  EXPECT_FALSE(parse(pool, kV4, message_of(kV4, 3, 1, 0, contents(our_segment(pool, kV6)))));
  EXPECT_FALSE(parse(pool, kV6, message_of(kV6, 1, 0, 0, contents(our_segment(pool, kV4)))));
}

TEST(IcmpParse, RefusesAnyFlippedBitAndAnyCut) {
  BufferPool pool;
  for (const Family* ip : {&kV4, &kV6}) {
    Bytes message =
        message_of(*ip, ip->ours.is_v4() ? 3 : 1, 3, 0, first_bytes(our_segment(pool, *ip), 60));
    ASSERT_TRUE(parse(pool, *ip, message));
    for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
      message[bit / 8] ^= std::byte{1} << (bit % 8);
      ASSERT_FALSE(parse(pool, *ip, message)) << bit;
      message[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    for (std::size_t length = 0; length < kIcmpHeader; ++length) {
      EXPECT_FALSE(
          parse(pool, *ip,
                Bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(length))));
    }
  }
}

TEST(IcmpParse, LeavesTheRestAlone) {
  BufferPool pool;
  const auto other = [&](const Family& ip, std::uint8_t type, std::uint8_t code) {
    const auto parsed = parse(pool, ip, message_of(ip, type, code, 0, Bytes(60)));
    return parsed && std::holds_alternative<IcmpOther>(*parsed);
  };
  EXPECT_TRUE(other(kV4, 5, 4)) << "a redirect of a kind that nobody has defined";
  EXPECT_TRUE(other(kV4, 13, 0)) << "timestamp";
  EXPECT_TRUE(other(kV4, 3, 99)) << "a code that nobody has defined";
  EXPECT_TRUE(other(kV4, 128, 0)) << "ICMPv6's echo request";
  EXPECT_TRUE(other(kV6, 135, 0)) << "neighbour solicitation";
  EXPECT_TRUE(other(kV6, 200, 0)) << "a message of a type that nobody has defined";
}

/// RFC 792: the address of the gateway stands where errors have nothing or an MTU.
TEST(IcmpParse, RedirectsAreReadWithWhatTheyQuote) {
  BufferPool pool;
  const Bytes whole = contents(our_segment(pool, kV4));
  const std::uint32_t gateway = 0x0a09000b;
  const auto parse = [&](std::uint8_t code, const Bytes& quote) {
    return parse_icmp(testing::received(pool, message_of(kV4, 5, code, gateway, quote)), kV4.router,
                      kV4.ours);
  };
  const Bytes least(whole.begin(), whole.begin() + 28);
  for (std::uint8_t code = 0; code < 4; ++code) {
    for (const Bytes& quote : {least, whole}) {
      const auto parsed = parse(code, quote);
      ASSERT_TRUE(parsed);
      const auto* redirect = std::get_if<IcmpRedirect>(&*parsed);
      ASSERT_NE(redirect, nullptr);
      EXPECT_EQ(redirect->gateway, IpAddress::v4(10, 9, 0, 11));
      EXPECT_EQ(redirect->source, kV4.ours);
      EXPECT_EQ(redirect->destination, kV4.theirs);
    }
  }
  for (std::size_t size = 0; size < least.size(); ++size) {
    const auto parsed = parse(1, Bytes(least.begin(), least.begin() + static_cast<long>(size)));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error(), DropReason::bad_icmp);
  }
  Bytes of_ipv6 = contents(our_segment(pool, kV6));
  EXPECT_FALSE(parse(1, of_ipv6)) << "IPv6 has a redirect of its own";
}

TEST(IcmpEcho, IsAnsweredWithItsOwnData) {
  BufferPool pool;
  Random random(6);
  for (const Family* ip : {&kV4, &kV6}) {
    for (const std::size_t size : {0U, 1U, 56U, 1000U}) {
      const Bytes data = testing::random_bytes(random, size);
      Packet request = testing::received(pool, data);
      push_icmp_echo(request, {.reply = false, .identifier = 0x1234, .sequence = 7}, ip->router,
                     ip->ours);
      Packet arrived = testing::received(pool, contents(request));
      const auto parsed = parse_icmp(arrived, ip->router, ip->ours);
      ASSERT_TRUE(parsed);
      IcmpEcho echo = std::get<IcmpEcho>(*parsed);
      EXPECT_FALSE(echo.reply);
      EXPECT_EQ(echo.identifier, 0x1234);
      EXPECT_EQ(echo.sequence, 7);

      arrived.trim_front(kIcmpHeader);
      echo.reply = true;
      push_icmp_echo(arrived, echo, ip->ours, ip->router);
      const Bytes reply = contents(arrived);
      EXPECT_EQ(reply[0], ip->ours.is_v4() ? std::byte{0} : std::byte{129});
      EXPECT_EQ(Bytes(reply.begin() + 8, reply.end()), data);
      const auto answer = parse_icmp(arrived, ip->ours, ip->router);
      ASSERT_TRUE(answer);
      EXPECT_TRUE(std::get<IcmpEcho>(*answer).reply);
    }
  }
}

TEST(IcmpUnreachable, IsReadBackByItsReceiver) {
  using enum IcmpErrorKind;
  BufferPool pool;
  for (const Family* ip : {&kV4, &kV6}) {
    for (const IcmpErrorKind kind : {network_unreachable, host_unreachable, protocol_unreachable,
                                     port_unreachable, prohibited}) {
      const Packet error = make_icmp_error(our_segment(pool, *ip), kind, ip->router, ip->ours);
      ASSERT_TRUE(error);
      const auto parsed =
          parse_icmp(testing::received(pool, contents(error)), ip->router, ip->ours);
      ASSERT_TRUE(parsed);
      EXPECT_EQ(std::get<IcmpError>(*parsed).kind, kind);
      EXPECT_EQ(std::get<IcmpError>(*parsed).seq, SeqNum(0xdeadbeef));
    }
  }
}

TEST(IcmpUnreachable, QuotesAsMuchAsMayBe) {  // RFC1812-4.3.2.3, RFC4443-2.4
  BufferPool pool;
  const auto kind = IcmpErrorKind::port_unreachable;
  EXPECT_EQ(make_icmp_error(our_segment(pool, kV4), kind, kV4.router, kV4.ours).size(), 576U - 20);
  Packet large = our_segment(pool, kV6);
  const Packet whole = make_icmp_error(large, kind, kV6.router, kV6.ours);
  EXPECT_EQ(whole.size() + 40, large.size()) << "what comes back is no larger";
  Packet more = testing::received(pool, Bytes(1000));
  ASSERT_TRUE(large.append(more.slices()[0]));
  EXPECT_EQ(make_icmp_error(large, kind, kV6.router, kV6.ours).size(), 1280U - 40);
}

TEST(IcmpUnreachable, QuotesTheLeastInAnyCase) {  // RFC792: the header and 64 bits
  BufferPool pool;
  for (const Family* ip : {&kV4, &kV6}) {
    const std::size_t header = ip->ours.is_v4() ? 20 : 40;
    for (std::size_t payload = 0; payload < 80; ++payload) {
      Packet packet = testing::received(pool, Bytes(payload));
      push_ip(packet, {.source = ip->ours, .destination = ip->theirs, .protocol = 17});
      const Packet error =
          make_icmp_error(packet, IcmpErrorKind::port_unreachable, ip->router, ip->ours);
      const std::size_t least = header + 8 + std::min(packet.size() + 0UL, header + 8);
      EXPECT_EQ(error.size() + header, std::max<std::size_t>(packet.size(), least));
    }
  }
}

TEST(IcmpErrors, SayWhatTheyAreToldTo) {
  BufferPool pool;
  const auto report_of = [&](const Family& ip, const IcmpReport& report) {
    const Packet packet = our_segment(pool, ip);
    Bytes error = contents(make_icmp_error(packet, report, ip.router, ip.ours));
    error[2] = error[3] = std::byte{0};  // the checksum is looked at elsewhere
    error.resize(8);
    return error;
  };
  using enum IcmpErrorKind;
  EXPECT_EQ(report_of(kV4, {time_exceeded, kReassemblyTimeExceeded}),
            bytes({11, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(report_of(kV6, {time_exceeded, kReassemblyTimeExceeded}),
            bytes({3, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(report_of(kV4, {parameter_problem, 0, 22}), bytes({12, 0, 0, 0, 22, 0, 0, 0}));
  EXPECT_EQ(report_of(kV6, {parameter_problem, 2, 0x132}), bytes({4, 2, 0, 0, 0, 0, 1, 0x32}));
  EXPECT_EQ(report_of(kV4, {packet_too_big, 0, 1400}), bytes({3, 4, 0, 0, 0, 0, 5, 0x78}));
  EXPECT_EQ(report_of(kV6, {packet_too_big, 0, 1400}), bytes({2, 0, 0, 0, 0, 0, 5, 0x78}));
}

struct ForbiddenCase {
  const char* what;
  const Family* ip;
  std::uint8_t protocol;
  Bytes payload;
  bool forbidden;
};

TEST(IcmpErrors, AreNotAboutErrors) {  // RFC1122-3.2.2, RFC4443-2.4
  const ForbiddenCase cases[] = {
      {"TCP", &kV4, 6, Bytes(20), false},
      {"TCP", &kV6, 6, Bytes(20), false},
      {"echo", &kV4, 1, bytes({8, 0, 0, 0}), false},
      {"echo", &kV6, 58, bytes({128, 0, 0, 0}), false},
      {"unreachable", &kV4, 1, bytes({3, 3, 0, 0}), true},
      {"redirect", &kV4, 1, bytes({5, 0, 0, 0}), true},
      {"time exceeded", &kV4, 1, bytes({11, 0, 0, 0}), true},
      {"parameter problem", &kV4, 1, bytes({12, 0, 0, 0}), true},
      {"unreachable", &kV6, 58, bytes({1, 4, 0, 0}), true},
      {"an error that nobody knows", &kV6, 58, bytes({100, 4, 0, 0}), true},
      {"redirect", &kV6, 58, bytes({137, 0, 0, 0}), true},
      {"cut before the type", &kV6, 58, {}, true},
      {"behind options", &kV6, 60, bytes({58, 0, 0x80, 4, 0, 0, 0, 0, 1, 0, 0, 0}), true},
      {"first fragment", &kV6, 44, bytes({17, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}), false},
      {"later fragment", &kV6, 44, bytes({17, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0}), true},
      {"cut in a header", &kV6, 44, bytes({17, 0, 0, 1, 0, 0, 0}), true},
  };
  BufferPool pool;
  for (const ForbiddenCase& expected : cases) {
    SCOPED_TRACE(expected.what);
    Packet packet = testing::received(pool, expected.payload);
    push_ip(packet, {.source = expected.ip->ours,
                     .destination = expected.ip->theirs,
                     .protocol = expected.protocol});
    EXPECT_EQ(forbids_icmp_error(contents(packet)), expected.forbidden);
  }
  Packet fragment = testing::received(pool, Bytes(64));
  push_fragment(fragment, {.source = kV4.ours, .destination = kV4.theirs, .protocol = 17},
                {.identification = 1, .offset = 8, .more = true});
  EXPECT_TRUE(forbids_icmp_error(contents(fragment)));
  EXPECT_TRUE(forbids_icmp_error({}));
}

TEST(IcmpParse, TellsHowLongThePacketWas) {
  BufferPool pool;
  for (const Family* ip : {&kV4, &kV6}) {
    const Packet segment = our_segment(pool, *ip);
    const auto parsed = parse(pool, *ip,
                              message_of(*ip, ip->ours.is_v4() ? 3 : 2, ip->ours.is_v4() ? 4 : 0,
                                         1000, first_bytes(segment, 60)));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<IcmpError>(*parsed).packet_bytes, segment.size());
    EXPECT_FALSE(std::get<IcmpError>(*parsed).later_fragment);
  }
}

TEST(IcmpParse, TakesNoPortsFromALaterFragment) {
  BufferPool pool;
  for (const Family* ip : {&kV4, &kV6}) {
    Packet fragment = testing::received(pool, Bytes(64, std::byte{7}));
    push_fragment(fragment, {.source = ip->ours, .destination = ip->theirs, .protocol = 17},
                  {.identification = 1, .offset = 8, .more = true});
    const auto parsed = parse(
        pool, *ip,
        message_of(*ip, ip->ours.is_v4() ? 3 : 1, ip->ours.is_v4() ? 3 : 4, 0, contents(fragment)));
    ASSERT_TRUE(parsed);
    const auto& error = std::get<IcmpError>(*parsed);
    EXPECT_TRUE(error.later_fragment);
    EXPECT_EQ(error.source_port, Port{});
    EXPECT_EQ(error.protocol, 17);
  }
}

// A packet from another stack in the same process has its headers in its headroom; the error was
// once pushed before the beginning of the packet.
TEST(IcmpUnreachable, QuotesAPacketThatHasUsedItsHeadroom) {
  BufferPool pool;
  for (const std::size_t payload : {0U, 40U, 96U}) {
    for (const Family* ip : {&kV4, &kV6}) {
      Packet packet = pool.take_packet();
      ASSERT_TRUE(packet.append_copy(Bytes(payload)));
      std::ranges::fill(packet.prepend(60), std::byte{});  // the longest header of TCP
      push_ip(packet, {.source = ip->ours, .destination = ip->theirs, .protocol = 6});
      Packet error = make_icmp_error(packet, IcmpErrorKind::port_unreachable, ip->router, ip->ours);
      push_ip(error, {.source = ip->router, .destination = ip->ours, .protocol = 58});
      const Bytes quoting = contents(error);
      const Bytes quoted = contents(packet);
      const std::size_t begin = (ip->ours.is_v4() ? 20U : 40U) + 8U;
      ASSERT_EQ(quoting.size(), quoted.size());
      EXPECT_TRUE(std::equal(quoting.begin() + static_cast<std::ptrdiff_t>(begin), quoting.end(),
                             quoted.begin()));
    }
  }
}

// RFC 4443 3.4: the pointer names the offset of the field that was not understood.
TEST(IcmpUnreachable, PointsAtTheNextHeaderThatNobodyKnows) {
  BufferPool pool;
  const auto pointer = [&](const Bytes& payload, std::uint8_t first) {
    Packet packet = testing::received(pool, payload);
    IpHeader header;
    header.source = kV6.ours;
    header.destination = kV6.theirs;
    header.protocol = first;
    push_ip(packet, header);
    const Packet arrived = testing::received(pool, contents(packet));
    const Bytes error = contents(
        make_icmp_error(arrived, IcmpErrorKind::protocol_unreachable, kV6.router, kV6.ours));
    EXPECT_EQ(error[0], std::byte{4});
    EXPECT_EQ(error[1], std::byte{1});
    return std::to_integer<int>(error[7]);
  };
  EXPECT_EQ(pointer(Bytes(20), 200), 6);
  Bytes extended = bytes({60, 0, 1, 4, 0, 0, 0, 0, 200, 0, 1, 4, 0, 0, 0, 0});
  extended.insert(extended.end(), 24, std::byte{0});
  EXPECT_EQ(pointer(extended, 0), 48);
}

TEST(IcmpUnreachable, GivesNothingWithoutMemory) {
  BufferPool pool;
  const Packet segment = our_segment(pool, kV4);
  BufferPool exact(8192);
  std::vector<Packet> taken;
  Packet last = testing::received(exact, contents(segment));
  while (Packet packet = exact.take_packet()) taken.push_back(std::move(packet));
  EXPECT_FALSE(make_icmp_error(last, IcmpErrorKind::port_unreachable, kV4.router, kV4.ours));
}

}  // namespace
}  // namespace hawser::wire
