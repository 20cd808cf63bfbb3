// TIME-WAIT by packets (RFC 9293 3.6.1, RFC 6191, RFC 1337).
#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class TimeWait : public PacketScript {
 protected:
  explicit TimeWait(StackConfig config = default_config()) : PacketScript(std::move(config)) {}

  /// The stack closes first; the connection ends in TIME-WAIT, its handle given up.
  template <typename... Options>
  void close_first(Options... options) {
    establish_passive(options...);
    close();
    const Sent fin = out(kFin | kAck, Seq{1}, Ack{1});
    const auto& clock = fin.header.options.timestamps;
    if (clock) {
      in(kFin | kAck, Seq{1}, Ack{2}, Ts{2000, clock->value});
    } else {
      in(kFin | kAck, Seq{1}, Ack{2});
    }
    out(kAck, Seq{2}, Ack{2});
    EXPECT_EQ(stack.census().connections, 0U);
    EXPECT_EQ(stack.census().time_wait, 1U);
  }
};

TEST_F(TimeWait, LastsTwoMsl) {  // RFC9293-MUST-13
  close_first();
  at(60s - 1ns);
  EXPECT_EQ(stack.census().time_wait, 1U);
  at(60s);
  EXPECT_EQ(stack.census().time_wait, 0U);
  EXPECT_EQ(stack.next_deadline(), kNever);
  in(kFin | kAck, Seq{1}, Ack{2});
  out(kRst, Seq{2});
}

TEST_F(TimeWait, ARepeatedFinIsAcknowledgedAndRestartsIt) {  // RFC9293-MUST-13
  close_first();
  at(40s);
  in(kFin | kAck, Seq{1}, Ack{2});
  out(kAck, Seq{2}, Ack{2});
  at(60s);
  EXPECT_EQ(stack.census().time_wait, 1U);
  at(100s);
  EXPECT_EQ(stack.census().time_wait, 0U);
}

TEST_F(TimeWait, AResetIsIgnored) {  // RFC1337-3
  close_first();
  in(kRst, Seq{2});
  in(kRst | kAck, Seq{2}, Ack{2});
  quiet();
  EXPECT_EQ(stack.census().time_wait, 1U);
  EXPECT_EQ(dropped(DropReason::old_duplicate), 2U);
}

TEST_F(TimeWait, OldDataDrawsAnAckAndDoesNotRestartIt) {
  close_first();
  at(40s);
  in(kAck | kPsh, Seq{1}, Ack{1}, Data{"x"});
  out(kAck, Seq{2}, Ack{2});
  in(kAck, Seq{2}, Ack{2});  // nothing to say to that
  quiet();
  at(60s);
  EXPECT_EQ(stack.census().time_wait, 0U);
}

TEST_F(TimeWait, ASynWithALargerNumberReopens) {  // RFC9293-MAY-2, RFC6191-2
  close_first();
  const SeqNum old_end = peer.stack_isn + 2;
  peer.isn += 1000;
  in(kSyn, Seq{0});
  const Sent answer = out(kSyn | kAck, Seq{0}, Ack{1});
  EXPECT_GT(answer.header.seq, old_end);
  EXPECT_EQ(stack.census().time_wait, 0U);
  in(kAck, Seq{1}, Ack{1});
  accept();
  EXPECT_EQ(state(), TcpState::established);
}

TEST_F(TimeWait, AnOldDuplicateSynLeavesItIntact) {  // RFC9293-MAY-2, RFC9293-U-8
  close_first();
  in(kSyn, Seq{0});
  out(kAck, Seq{2}, Ack{2});
  EXPECT_EQ(stack.census().time_wait, 1U);
}

TEST_F(TimeWait, ANewerTimestampReopensWhateverTheNumber) {  // RFC9293-SHLD-4
  close_first(Ts{1000, 0});
  const Peer old = peer;
  peer.isn -= 5000;
  in(kSyn, Seq{0}, Ts{2000, 0});  // as old as the last: the number decides
  talk_to(old);
  out(kAck, Seq{2}, Ack{2}, TsEcho{2000});
  peer.isn -= 5000;
  in(kSyn, Seq{0}, Ts{2001, 0});
  out(kSyn | kAck, Seq{0}, Ack{1}, TsEcho{2001});
}

TEST_F(TimeWait, AnOlderTimestampDoesNotReopenThoughTheNumberIsLarger) {  // RFC6191-2
  close_first(Ts{1000, 0});
  const Peer old = peer;
  peer.isn += 5000;
  in(kSyn, Seq{0}, Ts{1999, 0});
  talk_to(old);
  out(kAck, Seq{2}, Ack{2});
  EXPECT_EQ(stack.census().time_wait, 1U);
}

TEST_F(TimeWait, WithoutAListenerNothingReopens) {
  close_first();
  ASSERT_TRUE(stack.tcp_close(now, listener));
  const Peer old = peer;
  peer.isn += 1000;
  in(kSyn, Seq{0});
  talk_to(old);
  out(kAck, Seq{2}, Ack{2});
  EXPECT_EQ(stack.census().time_wait, 1U);
}

TEST_F(TimeWait, AnOpenHandleStaysReadable) {
  establish_passive();
  in(kAck | kPsh, Seq{1}, Ack{1}, Data{"last words"});
  shutdown();
  out(kFin | kAck, Seq{1}, Ack{11});
  in(kFin | kAck, Seq{11}, Ack{2});
  out(kAck, Seq{2}, Ack{12});
  EXPECT_EQ(state(), TcpState::time_wait);
  EXPECT_EQ(stack.census().time_wait, 1U);
  EXPECT_EQ(stack.census().connections, 1U);
  EXPECT_EQ(read_text(), "last words");
  EXPECT_EQ(try_read(), 0U);
  at(60s);
  EXPECT_EQ(state(), TcpState::closed);
  close();
  EXPECT_EQ(stack.census().connections, 0U);
}

TEST_F(TimeWait, AnActiveOpenMayReuseItWithTimestamps) {
  const Endpoint local{our_address(), Port{4000}};
  auto open = [&] {
    const auto result = stack.tcp_connect(now, local, peer.remote);
    if (result) socket = *result;
    drain();
    return result.has_value() ? std::optional<Error>{} : result.error();
  };
  peer.local = local;
  ASSERT_EQ(open(), std::nullopt);
  const Sent syn = out(kSyn, Seq{0});
  in(kSyn | kAck, Seq{0}, Ack{1}, Ts{1, syn.header.options.timestamps->value});
  out(kAck, Seq{1}, Ack{1});
  close();
  const Sent fin = out(kFin | kAck, Seq{1});
  in(kFin | kAck, Seq{1}, Ack{2}, Ts{2, fin.header.options.timestamps->value});
  const Sent last = out(kAck, Seq{2});
  EXPECT_EQ(open(), Error::address_in_use);  // the clock has not moved on
  after(1001ms);
  ASSERT_EQ(open(), std::nullopt);
  const Sent again = out(kSyn, Seq{0});
  EXPECT_GT(again.header.seq, last.header.seq);
  EXPECT_GT(static_cast<std::int32_t>(again.header.options.timestamps->value -
                                      last.header.options.timestamps->value),
            0);
  EXPECT_EQ(stack.census().time_wait, 0U);
}

class FewTimeWaits : public TimeWait {
 protected:
  static StackConfig config() {
    StackConfig config = default_config();
    config.tcp.max_time_wait = 3;
    return config;
  }
  FewTimeWaits() : TimeWait(config()) {}
};

TEST_F(FewTimeWaits, TheOldestGoesWhenThereAreTooMany) {
  for (std::uint16_t port = 1; port <= 5; ++port) {
    talk_to({peer.local, {peer.remote.address, Port{port}}});
    establish_passive();
    close();
    out(kFin | kAck);
    in(kFin | kAck, Seq{1}, Ack{2});
    out(kAck);
    after(1s);
  }
  EXPECT_EQ(stack.census().time_wait, 3U);
  talk_to({peer.local, {peer.remote.address, Port{2}}, peer.isn});
  in(kFin | kAck, Seq{1}, Ack{2});
  out(kRst);  // forgotten
}

}  // namespace
}  // namespace hawser
