#include "tests/tcp/connection_script.hpp"

#include <sstream>

#include "wire/tcp.hpp"

namespace hawser::tcp::test {

void ConnectionScript::collect(const Packet& packet) {
  EXPECT_TRUE(wire::tcp_checksum_ok(packet, tuple.local.address, tuple.remote.address));
  const auto bytes = contents(packet);
  const auto parsed = wire::parse_tcp(bytes);
  ASSERT_TRUE(parsed) << to_string(parsed.error());

  Sent sent;
  sent.header = parsed->header;
  sent.seq = distance(kIss, parsed->header.seq);
  sent.length = static_cast<std::uint32_t>(bytes.size() - parsed->header_bytes);
  sent.at = now_;
  sent.ecn = connection_->ecn();
  const TcpFlags flags = parsed->header.flags;
  const TcpOptions& options = parsed->header.options;
  for (const SackBlock& block : options.sack()) {
    sent.sack.emplace_back(distance(kPeerIss, block.begin), distance(kPeerIss, block.end));
  }
  if (flags.has(TcpFlag::ack)) sent.ack = distance(kPeerIss, parsed->header.ack);
  if (options.timestamps) echo_ = options.timestamps->value;

  // The options of a header that was built from what was parsed fill the same space.
  EXPECT_EQ(wire::tcp_header_size(parsed->header), parsed->header_bytes) << describe(sent);
  if (flags.has(TcpFlag::syn)) {
    EXPECT_TRUE(options.mss) << "RFC9293-SHLD-5";
    shift_ = options.window_scale;
  } else {
    EXPECT_FALSE(options.mss) << "RFC9293-MUST-65";
    EXPECT_FALSE(options.window_scale) << "RFC 7323 2.2";
  }
  if (sent.length > 0) {
    const std::span payload = std::span(bytes).subspan(parsed->header_bytes);
    EXPECT_TRUE(std::ranges::equal(payload, stream_bytes(sent.seq - 1, sent.length)))
        << describe(sent) << " carries other bytes than were written";
  }
  if (flags.has(TcpFlag::ack) && !flags.has(TcpFlag::syn) && !flags.has(TcpFlag::rst)) {
    EXPECT_GE(sent.ack, highest_ack_) << describe(sent);
    highest_ack_ = sent.ack;
    const std::uint8_t shift = config.window_scaling ? shift_.value_or(0) : 0;
    const std::uint32_t edge = sent.ack + (std::uint32_t{parsed->header.window} << shift);
    // What the shift cuts off cannot be said.
    EXPECT_GE(edge + (1U << shift) - 1, right_edge_) << describe(sent) << " RFC9293-SHLD-14";
    right_edge_ = std::max(right_edge_, edge);
  }
  sent_.push_back(std::move(sent));
}

void ConnectionScript::check(const Sent& sent, const Out& expected,
                             std::source_location where) const {
  const auto differs = [&](const auto& wanted, const auto& is, const char* what) {
    if (!wanted || *wanted == is) return;
    std::ostringstream text;
    text << describe(sent) << ": expected " << what << ' ' << *wanted;
    fail(where, text.str());
  };
  if (expected.flags && *expected.flags != sent.header.flags) {
    fail(where, describe(sent) + ": expected " + expected.flags->to_string());
  }
  differs(expected.seq, sent.seq, "seq");
  differs(expected.ack, sent.ack, "ack");
  differs(expected.length, sent.length, "length");
  differs(expected.window, sent.header.window, "window");
  if (expected.ecn && *expected.ecn != sent.ecn) fail(where, describe(sent) + ": wrong ECN field");
}

std::string ConnectionScript::describe(const Sent& sent) {
  std::ostringstream text;
  text << sent.header.flags.to_string() << " seq " << sent.seq << " ack " << sent.ack << " length "
       << sent.length << " window " << sent.header.window;
  return text.str();
}

}  // namespace hawser::tcp::test
