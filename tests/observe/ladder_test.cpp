// The ladder: what is drawn for a life with a loss, what is never hidden, and that it fits.
#include "observe/ladder.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "hawser/buffer.hpp"
#include "wire/ip.hpp"
#include "wire/tcp.hpp"

namespace hawser::observe {
namespace {

using namespace std::chrono_literals;

const Endpoint kClient{IpAddress::v4(10, 0, 0, 1), Port{49152}};
const Endpoint kServer{IpAddress::v4(10, 0, 0, 2), Port{80}};
constexpr std::uint32_t kClientIss = 1000;
constexpr std::uint32_t kServerIss = 900000;

/// Plays what two stacks and a link would tell.
class LadderTest : public ::testing::Test {
 protected:
  static const Endpoint& local(End end) { return end == End::left ? kClient : kServer; }

  void at(Duration when) { now_ = Instant(when); }

  template <typename What>
  void event(End end, What what) {
    ladder_.on_event(end, Event{now_, local(end), local(other(end)), what});
  }
  void state(End end, TcpState from, TcpState to) { event(end, StateChanged{from, to}); }

  /// A segment with sequence numbers relative to those of the handshake.
  struct Shape {
    TcpFlags flags;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t length = 0;
    SendReason reason = SendReason::data;
    FrameFate fate = FrameFate::delivered;
  };

  std::uint64_t send(End end, const Shape& shape, FrameVerdict verdict = {}) {
    const bool left = end == End::left;
    TcpHeader header;
    header.source = local(end).port;
    header.destination = local(other(end)).port;
    header.flags = shape.flags;
    header.seq = SeqNum(shape.seq + (left ? kClientIss : kServerIss));
    if (shape.flags.has(TcpFlag::ack)) {
      header.ack = SeqNum(shape.ack + (left ? kServerIss : kClientIss));
    }
    header.window = 500;
    if (shape.flags.has(TcpFlag::syn)) {
      header.options.mss = 1460;
      header.options.window_scale = 7;
    }
    event(end, SegmentSent{header, shape.length, shape.reason});
    verdict.serial = next_serial_++;
    verdict.fate = shape.fate;
    ladder_.on_sent(end, now_, frame(end, header, shape.length), verdict);
    sent_.push_back({end, header, shape.length});
    return verdict.serial;
  }

  /// The segment reaches the other end and its TCP.
  void arrive(std::uint64_t serial) {
    const Sent& sent = sent_[serial];
    ladder_.on_arrived(sent.end, serial);
    event(other(sent.end), SegmentReceived{sent.header, sent.length});
  }

  Packet frame(End end, const TcpHeader& header, std::uint32_t length) {
    Packet packet = pool_.take_packet();
    if (length != 0) {
      Slice payload = pool_.take(length);
      payload.extend(length);
      packet.append(std::move(payload));
    }
    wire::push_tcp(packet, header, local(end).address, local(other(end)).address);
    wire::IpHeader ip;
    ip.source = local(end).address;
    ip.destination = local(other(end)).address;
    ip.protocol = static_cast<std::uint8_t>(wire::IpProtocol::tcp);
    wire::push_ip(packet, ip);
    return packet;
  }

  void handshake() {
    state(End::left, TcpState::closed, TcpState::syn_sent);
    const auto syn = send(End::left, {.flags = TcpFlag::syn, .reason = SendReason::handshake});
    at(20ms);
    arrive(syn);
    state(End::right, TcpState::listen, TcpState::syn_received);
    const auto syn_ack =
        send(End::right,
             {.flags = TcpFlag::syn | TcpFlag::ack, .ack = 1, .reason = SendReason::handshake});
    at(40ms);
    arrive(syn_ack);
    state(End::left, TcpState::syn_sent, TcpState::established);
    const auto ack = send(End::left, {.flags = TcpFlag::ack, .seq = 1, .ack = 1});
    at(60ms);
    arrive(ack);
    state(End::right, TcpState::syn_received, TcpState::established);
  }

  std::string draw(bool collapse = true, bool colour = false) const {
    Ladder::Style style;
    style.collapse = collapse;
    style.colour = colour;
    return ladder_.render(style);
  }

  static std::size_t count(const std::string& text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + 1))
      ++found;
    return found;
  }

  struct Sent {
    End end;
    TcpHeader header;
    std::uint32_t length;
  };
  BufferPool pool_;
  Instant now_{};
  std::vector<Sent> sent_;
  std::uint64_t next_serial_ = 0;
  Ladder ladder_;
};

TEST_F(LadderTest, DrawsTheHandshakeAsTheRfcDoes) {
  handshake();
  EXPECT_EQ(draw(),
            R"(       ms client 10.0.0.1:49152                              server 10.0.0.2:80
          CLOSED      |                                          | LISTEN
    0.000 SYN-SENT    |-- SYN seq 0 win 500 mss 1460 ws 7 ------>| SYN-RECEIVED
   20.000 ESTABLISHED |<- SYN,ACK seq 0 ack 1 win 500 mss 1460 --|
   40.000             |-- ACK seq 1 ack 1 win 64000 ------------>| ESTABLISHED
)");
}

TEST_F(LadderTest, MarksWhatWasLostAndWhatRepairedIt) {
  handshake();
  at(70ms);
  send(End::left,
       {.flags = TcpFlag::ack, .seq = 1, .ack = 1, .length = 1460, .fate = FrameFate::lost});
  send(End::right, {.flags = TcpFlag::ack, .seq = 1, .ack = 1, .fate = FrameFate::queue_overflow});
  at(300ms);
  event(End::left, TimerFired{TcpTimer::retransmit});
  send(End::left, {.flags = TcpFlag::ack,
                   .seq = 1,
                   .ack = 1,
                   .length = 1460,
                   .reason = SendReason::retransmit_rto});
  const std::string drawn = draw();
  EXPECT_NE(drawn.find("   70.000             |-- ACK seq 1 ack 1 len 1460 --x lost      |\n"),
            std::string::npos)
      << drawn;
  EXPECT_NE(drawn.find("queue full x-- ACK seq 1 ack 1 --|"), std::string::npos) << drawn;
  EXPECT_NE(drawn.find("|* retransmit timer fires"), std::string::npos) << drawn;
  EXPECT_NE(drawn.find("|== ACK seq 1 ack 1 len 1460 again: RTO ==>|"), std::string::npos) << drawn;
}

TEST_F(LadderTest, LeavesOutWholeFieldsNeverHalfANumber) {
  handshake();
  send(End::left, {.flags = TcpFlag::ack,
                   .seq = 123457,
                   .ack = 1,
                   .length = 1448,
                   .fate = FrameFate::queue_overflow});
  EXPECT_NE(draw().find("|-- ACK seq 123457 len 1448 --x queue full |"), std::string::npos)
      << draw();
  send(End::left, {.flags = TcpFlag::fin | TcpFlag::psh | TcpFlag::ack | TcpFlag::urg,
                   .seq = 123457,
                   .ack = 1,
                   .length = 1448,
                   .fate = FrameFate::queue_overflow});
  EXPECT_NE(draw().find("|-- FIN,PSH,ACK,URG urg +0 --x queue full"), std::string::npos) << draw();
}

TEST_F(LadderTest, TellsOfADropWithoutDataInWords) {
  handshake();
  event(End::right, Dropped{DropReason::bad_rst, 0});
  EXPECT_NE(draw().find("  drops a segment: bad rst *|"), std::string::npos) << draw();
}

TEST_F(LadderTest, ASegmentSentBeforeIsARepairWhateverItsReason) {
  handshake();
  send(End::left, {.flags = TcpFlag::ack, .seq = 1, .ack = 1, .length = 100});
  send(End::left, {.flags = TcpFlag::ack, .seq = 1, .ack = 1, .length = 100});
  EXPECT_EQ(count(draw(), "again"), 1U);
}

TEST_F(LadderTest, ShortensLongRunsButHidesNoLoss) {
  handshake();
  for (std::uint32_t i = 0; i < 100; ++i) {
    at(70ms + i * 1ms);
    const bool lost = i == 40 || i == 80;
    send(End::left, {.flags = TcpFlag::ack,
                     .seq = 1 + i * 1000,
                     .ack = 1,
                     .length = 1000,
                     .fate = lost ? FrameFate::lost : FrameFate::delivered});
  }
  const std::string all = draw(false);
  const std::string some = draw();
  EXPECT_EQ(count(all, " len 1000 "), 100U);
  EXPECT_LT(count(some, " len 1000 "), 40U);
  EXPECT_EQ(count(some, "--x lost"), 2U);
  EXPECT_GE(count(some, "segments ->"), 2U);
  EXPECT_EQ(count(all, "segments ->"), 0U);
}

TEST_F(LadderTest, AZeroWindowIsNeverHidden) {
  handshake();
  for (std::uint32_t i = 0; i < 60; ++i) {
    send(End::left, {.flags = TcpFlag::ack, .seq = 1 + i * 1000, .ack = 1, .length = 1000});
  }
  TcpHeader closed;
  closed.source = kServer.port;
  closed.destination = kClient.port;
  closed.flags = TcpFlag::ack;
  closed.seq = SeqNum(kServerIss + 1);
  closed.ack = SeqNum(kClientIss + 1);
  event(End::right, SegmentSent{closed, 0, SendReason::ack});
  ladder_.on_sent(End::right, now_, frame(End::right, closed, 0), {});
  for (std::uint32_t i = 60; i < 120; ++i) {
    send(End::left, {.flags = TcpFlag::ack, .seq = 1 + i * 1000, .ack = 1, .length = 1000});
  }
  EXPECT_EQ(count(draw(), "win 0 "), 1U);
}

TEST_F(LadderTest, AFinIsShownBesideTheStateThatSentIt) {
  handshake();
  at(100ms);
  state(End::left, TcpState::established, TcpState::fin_wait_1);
  send(End::left, {.flags = TcpFlag::fin | TcpFlag::ack, .seq = 1, .ack = 1});
  EXPECT_NE(draw().find("  100.000 FIN-WAIT-1  |-- FIN,ACK seq 1 ack 1 win 64000"),
            std::string::npos)
      << draw();
}

TEST_F(LadderTest, AStateThatNoSegmentTellsStandsAlone) {
  handshake();
  at(60s);
  event(End::left, TimerFired{TcpTimer::time_wait});
  state(End::left, TcpState::time_wait, TcpState::closed);
  EXPECT_NE(draw().find("60000.000 CLOSED      |"), std::string::npos) << draw();
}

TEST_F(LadderTest, NeverWiderThanEightyColumns) {
  handshake();
  for (const FrameFate fate : {FrameFate::delivered, FrameFate::lost, FrameFate::queue_overflow}) {
    for (const End end : {End::left, End::right}) {
      at(99999999ms + 123us);
      send(end, {.flags = TcpFlag::psh | TcpFlag::ack | TcpFlag::urg | TcpFlag::fin,
                 .seq = 3000000000,
                 .ack = 3000000000,
                 .length = 65000,
                 .reason = SendReason::retransmit_fast,
                 .fate = fate});
    }
  }
  event(End::left, Dropped{DropReason::bad_tcp_checksum, 65535});
  event(End::right, Dropped{DropReason::bad_tcp_checksum, 65535});
  std::istringstream lines(draw());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(LadderTest, ColourIsOnlyAddedNeverNeeded) {
  handshake();
  const std::string coloured = draw(true, true);
  std::string plain;
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\x1b') {
      while (coloured[i] != 'm') ++i;
      continue;
    }
    plain += coloured[i];
  }
  const auto trimmed = [](const std::string& text) {
    std::istringstream in(text);
    std::string result;
    for (std::string line; std::getline(in, line);) {
      while (line.ends_with(' ')) line.pop_back();
      (result += line) += '\n';
    }
    return result;
  };
  EXPECT_NE(coloured, plain);
  EXPECT_EQ(trimmed(plain), trimmed(draw()));
}

}  // namespace
}  // namespace hawser::observe
