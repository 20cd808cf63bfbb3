// A test written as a packet script: one stack, and peers that say exactly what the script says, in
// virtual time.
//
//   listen(80);
//   in(kSyn, Seq{0}, Mss{1460});
//   out(kSyn | kAck, Seq{0}, Ack{1}, Mss{1460});
//   at(1s);
//   out(kSyn | kAck, Seq{0}, Ack{1});      // left exactly now
//   quiet();                               // and nothing else
//
// A fixture derives from PacketScript. `peer` is the default peer; another is made with Peer and
// chosen with `talk_to`. A state is reached by a real exchange, never by setting fields.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hawser/stack.hpp"
#include "tests/support/segment_spec.hpp"
#include "wire/checksum.hpp"
#include "wire/ip.hpp"
#include "wire/tcp.hpp"

namespace hawser::testing {

using namespace std::chrono_literals;

/// The other end of a connection, with what a script needs to make its numbers relative.
struct Peer {
  Endpoint local;   ///< of the stack
  Endpoint remote;  ///< of the peer
  SeqNum isn{0x10000000};
  SeqNum stack_isn{};  ///< learnt from the SYN that the stack sends
};

/// A segment that left the stack, taken apart.
struct Sent {
  Instant at;
  Packet frame;
  wire::IpHeader ip;
  TcpHeader header;
  std::uint32_t length = 0;
  std::vector<std::byte> payload;
};

class PacketScript : public ::testing::Test {
 protected:
  static StackConfig default_config() {
    StackConfig config;
    config.interfaces.push_back(
        {.name = "if0",
         .mtu = 1500,
         .addresses = {*Prefix::parse("10.0.0.2/24"), *Prefix::parse("fd00::2/64")}});
    return config;
  }

  explicit PacketScript(StackConfig config = default_config(), Family family = Family::ipv4)
      : stack(std::move(config), pool), family_(family) {
    peer.local = {our_address(), Port{80}};
    peer.remote = {peer_address(), Port{5000}};
  }
  void TearDown() override { EXPECT_TRUE(sent_.empty()) << "left and not expected: " << rest(); }

  IpAddress our_address() const {
    return *IpAddress::parse(family_ == Family::ipv4 ? "10.0.0.2" : "fd00::2");
  }
  IpAddress peer_address() const {
    return *IpAddress::parse(family_ == Family::ipv4 ? "10.0.0.1" : "fd00::1");
  }

  // ---- time

  /// Goes on to `since_start`: every timer until then fires at its very instant.
  void at(Duration since_start) {
    const Instant end = kStart + since_start;
    ASSERT_GE(end, now) << "time never goes backwards";
    while (stack.next_deadline() <= end) {
      now = std::max(now, stack.next_deadline());
      stack.on_time(now);
      drain();
      ASSERT_LT(++steps_, 1000000) << "the stack does not let time go on";
    }
    now = end;
    stack.on_time(now);
    drain();
  }
  void after(Duration span) { at(now - kStart + span); }
  Duration elapsed() const { return now - kStart; }

  // ---- segments of the peer

  void talk_to(Peer other) { peer = std::move(other); }

  /// A segment arrives from the peer.
  template <typename... Properties>
  void in(TcpFlags flags, Properties... properties) {
    deliver(frame_of(segment(flags, std::move(properties)...)));
  }
  /// A frame arrives as it is.
  void deliver(Packet frame) {
    if (batching_) {
      batch_.push_back(std::move(frame));
      return;
    }
    stack.on_frames(now, InterfaceId{0}, std::span(&frame, 1));
    drain();
  }
  /// All frames which arrive while `script` runs come as one batch.
  template <typename Script>
  void batch(Script script) {
    batching_ = true;
    script();
    batching_ = false;
    stack.on_frames(now, InterfaceId{0}, batch_);
    batch_.clear();
    drain();
  }

  /// The frame for a segment of the peer, right in all its checksums.
  Packet frame_of(const SegmentSpec& spec) {
    TcpHeader header;
    header.source = peer.remote.port;
    header.destination = peer.local.port;
    header.flags = spec.flags;
    header.seq = peer.isn + spec.seq.value_or(0);
    if (spec.ack) header.ack = peer.stack_isn + *spec.ack;
    header.window = spec.window.value_or(65535);
    header.urgent = spec.urgent.value_or(0);
    header.options.mss = spec.mss;
    header.options.window_scale = spec.window_scale;
    header.options.sack_permitted = spec.sack_permitted;
    if (spec.timestamps) {
      header.options.timestamps = TcpTimestamps{spec.timestamps->value, spec.timestamps->echo};
    }
    if (spec.sack) {
      for (const auto& [begin, end] : spec.sack->blocks) {
        header.options.sack_blocks.at(header.options.sack_count++) = {peer.stack_isn + begin,
                                                                      peer.stack_isn + end};
      }
    }
    Packet packet = pool.take_packet();
    append(packet, payload_of(spec));
    wire::push_tcp(packet, header, peer.remote.address, peer.local.address);
    wire::IpHeader ip = ip_header(static_cast<std::uint8_t>(wire::IpProtocol::tcp));
    ip.ecn = static_cast<std::uint8_t>(spec.ecn.value_or(Ecn::not_ect));
    wire::push_ip(packet, ip);
    return packet;
  }
  wire::IpHeader ip_header(std::uint8_t protocol) const {
    return {.source = peer.remote.address, .destination = peer.local.address, .protocol = protocol};
  }

  // ---- segments of the stack

  /// The next segment that left, which must be this one. Flags and the length of the payload
  /// (without Len, Data or AnyLength: none) are always compared, the rest where it is said.
  template <typename... Properties>
  Sent out(TcpFlags flags, Properties... properties) {
    const SegmentSpec spec = segment(flags, std::move(properties)...);
    if (sent_.empty()) {
      ADD_FAILURE() << "nothing left, but " << flags.to_string() << " was expected at "
                    << elapsed().count() << " ns";
      return {};
    }
    Sent got = std::move(sent_.front());
    sent_.pop_front();
    if (got.header.flags.has(TcpFlag::syn)) peer.stack_isn = got.header.seq;
    compare(spec, got);
    return got;
  }
  /// Nothing more has left.
  void quiet() {
    EXPECT_TRUE(sent_.empty()) << "left and not expected: " << rest();
    sent_.clear();
  }
  /// What has left and was not yet asked for.
  std::deque<Sent>& sent() { return sent_; }
  /// Frames that left and hold no TCP.
  std::vector<Packet>& other_frames() { return other_frames_; }

  // ---- the application

  SocketHandle listen(std::uint16_t port = 80, std::uint32_t backlog = 16) {
    const auto result = stack.tcp_listen({IpAddress::any(family_), Port{port}}, backlog);
    EXPECT_TRUE(result);
    listener = result.value_or(SocketHandle{});
    return listener;
  }
  SocketHandle connect(const TcpSettings* settings = nullptr, std::uint16_t port = 80) {
    peer.remote.port = Port{port};
    const auto result = stack.tcp_connect(now, {}, peer.remote, settings);
    EXPECT_TRUE(result);
    socket = result.value_or(SocketHandle{});
    if (result) peer.local = stack.tcp_info(socket)->local;
    drain();
    return socket;
  }
  SocketHandle accept() {
    const auto result = stack.tcp_accept(listener);
    EXPECT_TRUE(result) << "there is nothing to accept";
    socket = result.value_or(SocketHandle{});
    drain();
    return socket;
  }
  /// Writes the next `bytes` of the pattern; returns how many were taken.
  std::size_t write(std::uint32_t bytes) {
    std::vector<std::byte> data(bytes);
    for (std::uint32_t i = 0; i < bytes; ++i) data[i] = pattern_at(written_ + i);
    const auto result = stack.tcp_send(now, socket, data);
    drain();
    if (!result) return 0;
    written_ += static_cast<std::uint32_t>(*result);
    return *result;
  }
  Result<std::size_t> write(std::string_view text) {
    const auto result = stack.tcp_send(now, socket, std::as_bytes(std::span(text)));
    drain();
    return result;
  }
  /// Reads at most `bytes`; what comes is expected to be the pattern. An error ends the reading.
  std::size_t read(std::uint32_t bytes) {
    std::vector<std::byte> data(bytes);
    const auto result = stack.tcp_receive(now, socket, data);
    drain();
    if (!result) return 0;
    for (std::size_t i = 0; i < *result; ++i) {
      if (data[i] != pattern_at(read_ + static_cast<std::uint32_t>(i))) {
        ADD_FAILURE() << "byte " << read_ + i << " of the stream is not what was sent";
        break;
      }
    }
    read_ += static_cast<std::uint32_t>(*result);
    return *result;
  }
  std::string read_text() {
    std::array<std::byte, 65536> data;
    const auto result = stack.tcp_receive(now, socket, data);
    drain();
    return result ? std::string(reinterpret_cast<const char*>(data.data()), *result) : "";
  }
  /// What reading gives now: the number of bytes, or the error.
  Result<std::size_t> try_read() {
    std::array<std::byte, 65536> data;
    const auto result = stack.tcp_receive(now, socket, data);
    drain();
    return result;
  }
  void shutdown() {
    EXPECT_TRUE(stack.tcp_shutdown_write(now, socket));
    drain();
  }
  void close() {
    EXPECT_TRUE(stack.tcp_close(now, socket));
    drain();
  }
  void abort() {
    EXPECT_TRUE(stack.tcp_abort(now, socket));
    drain();
  }
  TcpState state() { return info().state; }
  TcpInfo info() { return stack.tcp_info(socket).value_or(TcpInfo{}); }
  std::uint64_t dropped(DropReason reason) const { return stack.counters().dropped(reason); }
  /// All that poll_readiness has to say of a socket.
  Ready told(SocketHandle of) {
    Ready all = Ready::none;
    while (const auto readiness = stack.poll_readiness()) {
      if (readiness->socket == of) all |= readiness->what;
    }
    return all;
  }

  // ---- the usual beginnings

  /// The peer connects to port 80, with these options in its SYN, and is accepted.
  template <typename... Options>
  void establish_passive(Options... options) {
    if (!listener) listen();
    in(kSyn, Seq{0}, options...);
    out(kSyn | kAck, Seq{0}, Ack{1});
    acknowledge_handshake(segment(kSyn, options...));
    accept();
    quiet();
  }
  /// The stack connects to port 80 of the peer, which answers with these options.
  template <typename... Options>
  void establish_active(Options... options) {
    connect();
    const Sent syn = out(kSyn, Seq{0});
    const std::uint32_t clock =
        syn.header.options.timestamps ? syn.header.options.timestamps->value : 0;
    SegmentSpec answer = segment(kSyn | kAck, Seq{0}, Ack{1}, options...);
    if (answer.timestamps) answer.timestamps->echo = clock;
    deliver(frame_of(answer));
    out(kAck, Seq{1}, Ack{1});
    quiet();
  }

  /// Lets the stack send what it has; `drain` is called by all of the above.
  void drain() {
    std::vector<Packet> frames;
    while (stack.poll_frames(now, frames) == 256) {
    }
    for (Packet& frame : frames) take_apart(std::move(frame));
  }

  static constexpr Instant kStart{std::chrono::hours(1)};

  BufferPool pool;
  Instant now = kStart;
  Stack stack;
  Peer peer;
  SocketHandle listener{};
  SocketHandle socket{};

 private:
  void acknowledge_handshake(const SegmentSpec& syn) {
    SegmentSpec ack = segment(kAck, Seq{1}, Ack{1});
    if (syn.window) ack.window = syn.window;
    if (syn.timestamps) ack.timestamps = Ts{syn.timestamps->value, last_clock_};
    deliver(frame_of(ack));
  }

  std::vector<std::byte> payload_of(const SegmentSpec& spec) const {
    std::vector<std::byte> payload(spec.length);
    const std::uint32_t first = spec.seq.value_or(1) - 1;  // payload begins behind the SYN
    for (std::uint32_t i = 0; i < spec.length; ++i) {
      payload[i] = spec.text ? static_cast<std::byte>((*spec.text)[i]) : pattern_at(first + i);
    }
    return payload;
  }
  void append(Packet& packet, std::span<const std::byte> payload) {
    while (!payload.empty()) {
      Slice slice = pool.take(BufferPool::kFrameBlock);
      const std::size_t length = std::min(payload.size(), slice.spare().size());
      std::ranges::copy(payload.first(length), slice.spare().begin());
      slice.extend(static_cast<std::uint32_t>(length));
      packet.append(std::move(slice));
      payload = payload.subspan(length);
    }
  }

  /// Reads a frame as a peer would, and verifies all that every frame must keep to.
  void take_apart(Packet frame) {
    const auto ip = wire::parse_ip(frame.head(), frame.size());
    ASSERT_TRUE(ip) << "a malformed packet left";
    EXPECT_EQ(ip->header_bytes + ip->payload_bytes, frame.size());
    if (ip->header.protocol != static_cast<std::uint8_t>(wire::IpProtocol::tcp)) {
      other_frames_.push_back(std::move(frame));
      return;
    }
    Sent sent;
    sent.at = now;
    sent.ip = ip->header;
    sent.frame = frame.share();
    frame.trim_front(ip->header_bytes);
    EXPECT_TRUE(wire::tcp_checksum_ok(frame, sent.ip.source, sent.ip.destination));
    const auto tcp = wire::parse_tcp(frame.head());
    ASSERT_TRUE(tcp) << "a malformed segment left";
    sent.header = tcp->header;
    frame.trim_front(tcp->header_bytes);
    sent.length = frame.size();
    sent.payload.resize(sent.length);
    frame.copy_to(0, sent.payload);
    if (sent.header.options.timestamps) last_clock_ = sent.header.options.timestamps->value;
    sent_.push_back(std::move(sent));
  }

  void compare(const SegmentSpec& spec, const Sent& got) const {
    const TcpHeader& header = got.header;
    const std::string what = describe(got);
    EXPECT_EQ(header.flags.to_string(), spec.flags.to_string()) << what;
    EXPECT_EQ((Endpoint{got.ip.destination, header.destination}), peer.remote) << what;
    EXPECT_EQ((Endpoint{got.ip.source, header.source}), peer.local) << what;
    EXPECT_EQ(got.at - kStart, spec.left_at.value_or(elapsed()))
        << "left at another time: " << what;
    if (!spec.any_length) {
      EXPECT_EQ(got.length, spec.length) << what;
    }
    expect_if_said(spec.seq, distance(peer.stack_isn, header.seq), fmt::format("seq in {}", what));
    expect_if_said(spec.ack, distance(peer.isn, header.ack), fmt::format("ack in {}", what));
    expect_if_said(spec.window, header.window, what);
    expect_if_said(spec.urgent, header.urgent, what);
    expect_if_said(spec.ecn, Ecn{got.ip.ecn}, fmt::format("ECN in {}", what));
    compare_options(spec, header.options, what);
    compare_payload(spec, got, what);
    // RFC9293-MUST-65: MSS on SYN segments only.
    EXPECT_FALSE(header.options.mss && !header.flags.has(TcpFlag::syn)) << what;
  }
  template <typename Said, typename Got>
  static void expect_if_said(const std::optional<Said>& said, Got got, const std::string& what) {
    if (said) {
      EXPECT_EQ(got, *said) << what;
    }
  }
  void compare_options(const SegmentSpec& spec, const TcpOptions& options,
                       const std::string& what) const {
    expect_if_said(spec.mss, options.mss.value_or(0), fmt::format("mss in {}", what));
    expect_if_said(spec.window_scale, options.window_scale.value_or(255),
                   fmt::format("scale in {}", what));
    EXPECT_TRUE(options.sack_permitted || !spec.sack_permitted) << what;
    if (spec.timestamps) {
      EXPECT_EQ(options.timestamps, (TcpTimestamps{spec.timestamps->value, spec.timestamps->echo}))
          << what;
    }
    if (spec.timestamp_echo) {
      ASSERT_TRUE(options.timestamps) << what;
      EXPECT_EQ(options.timestamps->echo, *spec.timestamp_echo) << what;
    }
    if (spec.no_options) {
      EXPECT_FALSE(options.mss || options.window_scale || options.timestamps ||
                   options.sack_permitted || options.sack_count != 0)
          << what;
    }
    if (!spec.sack) return;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks;
    for (const SackBlock& block : options.sack()) {
      blocks.emplace_back(distance(peer.isn, block.begin), distance(peer.isn, block.end));
    }
    EXPECT_EQ(blocks, spec.sack->blocks) << what;
  }
  void compare_payload(const SegmentSpec& spec, const Sent& got, const std::string& what) const {
    if (spec.text) {
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(got.payload.data()), got.length),
                *spec.text)
          << what;
    } else if (spec.length != 0 && spec.length == got.length && spec.seq) {
      for (std::uint32_t i = 0; i < got.length; ++i) {
        if (got.payload[i] == pattern_at(*spec.seq - 1 + i)) continue;
        ADD_FAILURE() << "payload differs at byte " << i << ": " << what;
        break;
      }
    }
  }

  std::string describe(const Sent& sent) const {
    return fmt::format("{} seq {} ack {} win {} len {} at {} ns", sent.header.flags.to_string(),
                       distance(peer.stack_isn, sent.header.seq),
                       distance(peer.isn, sent.header.ack), sent.header.window, sent.length,
                       (sent.at - kStart).count());
  }
  std::string rest() const {
    std::string text;
    for (const Sent& sent : sent_) text += fmt::format("[{}] ", describe(sent));
    return text;
  }

  Family family_;
  std::deque<Sent> sent_;
  std::vector<Packet> other_frames_;
  std::vector<Packet> batch_;
  bool batching_ = false;
  int steps_ = 0;
  std::uint32_t written_ = 0;
  std::uint32_t read_ = 0;
  std::uint32_t last_clock_ = 0;  // of the stack's timestamps
};

}  // namespace hawser::testing
