// Scripts for one connection: segments go in, segments come out, and time moves when the script
// says so. States are reached by real exchanges.
//
//   ConnectionScript script;
//   script.establish();                                   // 100 ms of round trip
//   script.write(10);
//   script.out({.flags = kAckPush, .seq = 1, .length = 10});
//   script.in({.ack = 11});
//   script.quiet();
//
// Sequence numbers are relative: each side's SYN is 0, its first octet 1. Both spaces wrap early.
// What either side says is the stream of payload.hpp, and is checked. Of every segment that leaves
// it is checked that its checksum is right (RFC9293-MUST-2), that only a SYN carries MSS
// (RFC9293-MUST-65), that options fill the header to its offset (RFC9293-MUST-68, RFC9293-MUST-69),
// that ACK never goes back and that the right edge of the window does not move left
// (RFC9293-SHLD-14).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <source_location>
#include <utility>
#include <vector>

#include "tcp/connection.hpp"
#include "tests/tcp/payload.hpp"

namespace hawser::tcp::test {

using namespace std::chrono_literals;

inline constexpr TcpFlags kSyn = TcpFlag::syn;
inline constexpr TcpFlags kSynAck = TcpFlag::syn | TcpFlag::ack;
inline constexpr TcpFlags kEcnSyn = kSyn | TcpFlag::ece | TcpFlag::cwr;
inline constexpr TcpFlags kEcnSynAck = kSynAck | TcpFlag::ece;
inline constexpr TcpFlags kAck = TcpFlag::ack;
inline constexpr TcpFlags kEchoAck = kAck | TcpFlag::ece;
inline constexpr TcpFlags kAckPush = TcpFlag::ack | TcpFlag::psh;
inline constexpr TcpFlags kFinAck = TcpFlag::fin | TcpFlag::ack;
inline constexpr TcpFlags kFinAckPush = TcpFlag::fin | TcpFlag::ack | TcpFlag::psh;
inline constexpr TcpFlags kRst = TcpFlag::rst;
inline constexpr TcpFlags kRstAck = TcpFlag::rst | TcpFlag::ack;
inline constexpr TcpFlags kUrgAck = TcpFlag::urg | TcpFlag::ack;

using Block = std::pair<std::uint32_t, std::uint32_t>;

/// A segment from the peer.
struct In {
  TcpFlags flags = TcpFlag::ack;
  std::uint32_t seq = 1;
  std::uint32_t ack = 1;
  std::uint32_t length = 0;
  std::optional<std::uint16_t> window{};  ///< the field; what the peer said last if unset
  std::uint16_t urgent = 0;
  std::vector<Block> sack{};
  TcpOptions options{};
  Ecn ecn{};          ///< of the IP header
  bool bare = false;  ///< without the timestamp that was agreed on
};

/// What is expected of a segment; what is unset may be anything.
struct Out {
  std::optional<TcpFlags> flags{};
  std::optional<std::uint32_t> seq{};
  std::optional<std::uint32_t> ack{};
  std::optional<std::uint32_t> length{};
  std::optional<std::uint16_t> window{};
  std::optional<Ecn> ecn{};
};

/// A segment that left.
struct Sent {
  TcpHeader header;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t length = 0;
  std::vector<Block> sack;
  Ecn ecn{};
  Instant at;

  std::uint32_t end() const { return seq + length; }
};

/// What the peer's SYN offers.
struct Peer {
  std::optional<std::uint16_t> mss = 1460;
  std::optional<std::uint8_t> window_scale{};
  bool timestamps = false;
  bool sack = false;
  bool ecn = false;  ///< the settings ask for it, and the peer agrees
  std::uint16_t window = 65535;
};

class ConnectionScript {
 public:
  static constexpr SeqNum kIss{0xffff8000};
  static constexpr SeqNum kPeerIss{0xffffff00};
  static constexpr Duration kRoundTrip = std::chrono::milliseconds(100);

  ConnectionScript() {
    config.window_scaling = false;
    config.timestamps = false;
    config.sack = false;
    settings.congestion_control = "reno";  // whose windows are easily foretold
    tuple.local = Endpoint{IpAddress::v4(10, 0, 0, 1), Port{40000}};
    tuple.remote = Endpoint{IpAddress::v4(10, 0, 0, 2), Port{80}};
  }
  ~ConnectionScript() {
    connection_.reset();
    EXPECT_EQ(pool.bytes_in_use(), 0U) << "memory is left behind";
  }
  ConnectionScript(const ConnectionScript&) = delete;
  ConnectionScript& operator=(const ConnectionScript&) = delete;

  // To be changed before the connection opens.
  TcpConfig config;
  TcpSettings settings;
  std::uint16_t mss = 1460;
  Tuple tuple;

  BufferPool pool{std::size_t{32} << 20};
  StackCounters counters;

  Connection& connection() { return *connection_; }
  TcpState state() const { return connection_->state(); }
  TcpInfo info() { return connection_->info(context()); }
  Instant now() const { return now_; }
  std::uint64_t dropped(DropReason reason) const { return counters.dropped(reason); }

  /// Active OPEN: the SYN is there to be taken by `out`.
  void open() {
    config.defaults = settings;
    connection_ = std::make_unique<Connection>(context(), tuple, kIss, mss, 0, settings);
    poll();
  }
  /// The whole handshake, with 100 ms of round trip.
  void establish(const Peer& peer = {},
                 std::source_location where = std::source_location::current()) {
    config.window_scaling = peer.window_scale.has_value();
    config.timestamps = peer.timestamps;
    config.sack = peer.sack;
    if (peer.ecn) settings.ecn = TcpEcn::on;
    open();
    out({.flags = peer.ecn ? kEcnSyn : kSyn, .seq = 0, .ecn = Ecn::not_ect}, where);
    after(kRoundTrip);
    in(syn_of(peer, peer.ecn ? kEcnSynAck : kSynAck));
    out({.flags = kAck, .seq = 1, .ack = 1, .length = 0}, where);
    if (state() != TcpState::established) fail(where, "not established");
  }
  static In syn_of(const Peer& peer, TcpFlags flags) {
    In syn{.flags = flags, .seq = 0, .ack = 1, .window = peer.window};
    syn.options.mss = peer.mss;
    syn.options.window_scale = peer.window_scale;
    syn.options.sack_permitted = peer.sack;
    if (peer.timestamps) syn.options.timestamps = TcpTimestamps{};
    return syn;
  }

  // ---- segments

  void in(In segment) { in_batch({std::move(segment)}); }
  /// Several that arrive together: the connection is asked for output after the last.
  void in_batch(std::vector<In> segments) {
    for (const In& segment : segments) feed(segment);
    poll();
  }
  /// The next segment that has left already.
  Sent out(const Out& expected, std::source_location where = std::source_location::current()) {
    if (sent_.empty()) {
      fail(where, "no segment was sent");
      return {};
    }
    Sent sent = std::move(sent_.front());
    sent_.pop_front();
    check(sent, expected, where);
    return sent;
  }
  /// The next segment, for which time may move on by `patience` at most.
  Sent out_within(Duration patience, const Out& expected,
                  std::source_location where = std::source_location::current()) {
    const Instant latest = now_ + patience;
    while (sent_.empty() && connection_->next_deadline() <= latest) step();
    return out(expected, where);
  }
  /// How many segments have left and were not taken.
  std::size_t waiting() const { return sent_.size(); }
  /// All that have left and were not taken.
  std::deque<Sent> take_all() { return std::exchange(sent_, {}); }
  void quiet(std::source_location where = std::source_location::current()) const {
    if (!sent_.empty()) fail(where, describe(sent_.front()) + " was not expected");
  }
  void quiet_for(Duration time, std::source_location where = std::source_location::current()) {
    after(time);
    quiet(where);
  }

  // ---- time

  /// Moves time on; timers fire at their deadlines.
  void after(Duration time) {
    const Instant target = now_ + time;
    for (int still = 0; connection_->next_deadline() <= target && still < 1000;) {
      const Instant before = now_;
      step();
      still = now_ == before ? still + 1 : 0;
    }
    EXPECT_GT(connection_->next_deadline(), target) << "time stands still";
    now_ = target;
  }
  /// The timers of the next deadline fire, at most `time` from now, but the connection is not asked
  /// for output: the driver has more input for it first.
  void after_without_poll(Duration time) {
    ASSERT_LE(connection_->next_deadline(), now_ + time);
    now_ = std::max(now_, connection_->next_deadline());
    connection_->on_time(context());
  }

  // ---- calls

  /// Writes the next `bytes` of the stream; returns how many were taken.
  std::size_t write(std::size_t bytes, bool urgent = false) {
    const auto data = stream_bytes(written_, bytes);
    const auto taken = connection_->send(context(), data, urgent);
    if (taken) written_ += *taken;
    poll();
    return taken.value_or(0);
  }
  /// Reads at most `bytes` and checks that they are the peer's stream; returns how many.
  std::size_t read(std::size_t bytes,
                   std::source_location where = std::source_location::current()) {
    const auto result = receive(bytes);
    if (!result) return 0;
    if (result->size() > 0 && *result != stream_bytes(read_, result->size())) {
      fail(where, "read other bytes than the peer sent");
    }
    read_ += result->size();
    return result->size();
  }
  /// The same with the error.
  Result<std::vector<std::byte>> receive(std::size_t bytes) {
    std::vector<std::byte> data(bytes);
    const auto taken = connection_->receive(context(), data);
    poll();
    if (!taken) return std::unexpected(taken.error());
    data.resize(*taken);
    return data;
  }
  void shutdown() {
    EXPECT_TRUE(connection_->shutdown_write(context()));
    poll();
  }
  void close() {
    connection_->close(context());
    poll();
  }
  void abort() {
    connection_->abort(context());
    poll();
  }
  void change_settings(const TcpSettings& changed) {
    connection_->set_settings(context(), changed);
    poll();
  }
  void icmp_error(std::uint32_t seq, Error error, bool hard) {
    connection_->on_icmp_error(context(), kIss + seq, error, hard);
    poll();
  }
  /// A router says that the segment of `size` at `seq` is too large for a path that carries `mss`.
  bool packet_too_big(std::uint32_t seq, std::uint16_t size, std::uint16_t path) {
    const bool believed = connection_->on_packet_too_big(context(), kIss + seq, size, path);
    poll();
    return believed;
  }
  Ready take_ready() { return connection_->take_ready(); }

 private:
  Context context() { return {now_, pool, random_, config, counters, nullptr}; }

  void feed(const In& segment) {
    TcpHeader header;
    header.source = tuple.remote.port;
    header.destination = tuple.local.port;
    header.flags = segment.flags;
    header.seq = kPeerIss + segment.seq;
    header.ack = kIss + segment.ack;
    header.urgent = segment.urgent;
    if (segment.window) peer_window_ = *segment.window;
    header.window = peer_window_;
    header.options = segment.options;
    for (const Block& block : segment.sack) {
      header.options.sack_blocks[header.options.sack_count++] = {kIss + block.first,
                                                                 kIss + block.second};
    }
    if ((config.timestamps && !segment.bare) || segment.options.timestamps) {
      if (!header.options.timestamps || header.options.timestamps->value == 0) {
        const auto ticks =
            std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
        header.options.timestamps = TcpTimestamps{static_cast<std::uint32_t>(ticks.count()), echo_};
      }
    }
    Packet payload = pool.take_packet();
    if (segment.length > 0) {
      std::vector<std::byte> bytes(segment.length);  // numbers before the stream wrap around
      for (std::uint32_t i = 0; i < segment.length; ++i)
        bytes[i] = stream_byte(segment.seq - 1 + i);
      payload.append(slice_of(pool, bytes));
    }
    connection_->on_segment(context(), Segment{header, segment.length, segment.ecn}, payload);
  }

  /// Lets the timers of the next deadline fire.
  void step() {
    now_ = std::max(now_, connection_->next_deadline());
    connection_->on_time(context());
    poll();
  }

  void poll() {
    // A connection that never falls silent would be a fault of its own.
    for (int i = 0; i < 10000; ++i) {
      const Packet packet = connection_->poll_segment(context());
      if (!packet) return;
      collect(packet);
    }
    ADD_FAILURE() << "the connection sends without end";
  }
  void collect(const Packet& packet);
  void check(const Sent& sent, const Out& expected, std::source_location where) const;
  static std::string describe(const Sent& sent);
  static void fail(std::source_location where, const std::string& what) {
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line())) << what;
  }

  Random random_{1};
  Instant now_{1000s};
  std::deque<Sent> sent_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
  std::uint32_t echo_ = 0;
  std::uint16_t peer_window_ = 65535;
  std::optional<std::uint8_t> shift_;  ///< of the windows that we advertise
  std::uint32_t highest_ack_ = 0;
  std::uint32_t right_edge_ = 0;
};

}  // namespace hawser::tcp::test
