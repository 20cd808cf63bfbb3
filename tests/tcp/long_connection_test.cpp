// Connections that live so long that the sequence space comes round: what was noted long ago must
// not look like the present.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tcp/connection.hpp"
#include "wire/tcp.hpp"

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

/// Exchanges whole windows with a connection, and looks at nothing in them.
class LongConnection : public ::testing::Test {
 protected:
  static constexpr SeqNum kIss{0x12345678};
  static constexpr SeqNum kPeerIss{0x9abcdef0};
  static constexpr std::uint16_t kPiece = 65000;

  LongConnection() {
    config.timestamps = config.sack = false;
    connection.emplace(context(), tuple, kIss, kPiece, 0U, config.defaults);
    drain();
    TcpHeader header;
    header.flags = TcpFlag::syn | TcpFlag::ack;
    header.seq = kPeerIss;
    header.ack = kIss + 1;
    header.window = 65535;
    header.options.mss = kPiece;
    header.options.window_scale = 7;
    deliver(header, 0);
  }

  Context context() { return {now, pool, random, config, counters, nullptr}; }
  void deliver(const TcpHeader& header, std::uint32_t length) {
    now += 1ms;
    Packet payload = pool.take_packet();
    if (length > 0) payload.append(block.part(0, length));
    connection->on_segment(context(), Segment{header, length}, payload);
    drain();
  }
  /// An ACK of all that was sent so far, or less.
  TcpHeader ack_of(std::uint32_t sent) const {
    TcpHeader header;
    header.flags = TcpFlag::ack;
    header.seq = peer_next;
    header.ack = kIss + 1 + sent;
    header.window = 65535;
    return header;
  }
  void drain() {
    while (const Packet packet = connection->poll_segment(context())) {
      const auto parsed = wire::parse_tcp(packet.head());
      last = parsed->header;
      last_length = packet.size() - parsed->header_bytes;
    }
  }
  void write(std::uint32_t bytes) {
    ASSERT_EQ(connection->send(context(), std::span(data).first(bytes), false), bytes);
    drain();
  }
  /// What the peer says next.
  void hear(std::uint32_t length) {
    deliver(ack_of(0), length);
    peer_next += length;
    ASSERT_EQ(connection->receive(context(), std::span(data).first(length)), length);
    drain();
  }

  BufferPool pool;
  Random random{1};
  TcpConfig config;
  StackCounters counters;
  Instant now{1000s};
  Tuple tuple{{IpAddress::v4(10, 0, 0, 1), Port{40000}}, {IpAddress::v4(10, 0, 0, 2), Port{80}}};
  std::vector<std::byte> data = std::vector<std::byte>(kPiece);
  Slice block = [this] {
    Slice slice = pool.take(kPiece);
    slice.extend(kPiece);
    return slice;
  }();
  SeqNum peer_next = kPeerIss + 1;
  TcpHeader last;
  std::uint32_t last_length = 0;
  std::optional<Connection> connection;
};

TEST_F(LongConnection, SendsOnWhenTheNumbersComeRound) {
  // When SND.UNA is ISS again nothing must look like an unacknowledged SYN.
  std::uint32_t sent = 0;
  do {
    const std::uint32_t bytes = std::min<std::uint32_t>(kPiece, 0xffffffffU - sent);
    write(bytes);
    sent += bytes;
    deliver(ack_of(sent), 0);
    ASSERT_EQ(connection->info(context()).in_flight, 0U);
  } while (sent != 0xffffffffU);
  EXPECT_EQ(connection->info(context()).send_blocked, SendBlocked::nothing_to_send);
  write(10);
  EXPECT_EQ(last.seq, kIss);
  EXPECT_EQ(last_length, 10U);
}

TEST_F(LongConnection, ForgetsAnUrgentMarkThatWasRead) {
  TcpHeader urgent = ack_of(0);
  urgent.flags |= TcpFlag::urg;
  urgent.urgent = 1;
  deliver(urgent, 0);
  ASSERT_TRUE(connection->urgent_mark());
  for (std::uint64_t heard = 0; heard <= (std::uint64_t{1} << 31) + kPiece; heard += kPiece) {
    hear(heard == 0 ? 1 : kPiece);
    ASSERT_FALSE(connection->urgent_mark()) << heard;
  }
  // And it does not hide the next one.
  connection->take_ready();
  urgent.seq = peer_next;
  deliver(urgent, 0);
  EXPECT_TRUE(any(connection->take_ready() & Ready::urgent));
}

}  // namespace
}  // namespace hawser::tcp
