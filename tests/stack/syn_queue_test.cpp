// The two queues of a listener when they are full, and SYN cookies (RFC 4987).
#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class SynQueue : public PacketScript {
 protected:
  SynQueue() { listen(80, 2); }

  Peer peer_at(unsigned port) const {
    const Port number{static_cast<std::uint16_t>(port)};
    return {peer.local, {peer.remote.address, number}, SeqNum{port * 1000U}};
  }
  /// Two peers whose last ACK never comes.
  void fill_syn_queue() {
    for (const unsigned port : {1, 2}) {
      talk_to(peer_at(port));
      in(kSyn, Seq{0});
      out(kSyn | kAck);
    }
    EXPECT_EQ(stack.census().syn_received, 2U);
  }
};

TEST_F(SynQueue, AFullQueueKeepsNothingOfFurtherSyns) {
  fill_syn_queue();
  for (unsigned port = 1000; port < 3000; ++port) {
    talk_to(peer_at(port));
    in(kSyn, Seq{0}, Mss{1460}, Wscale{7}, SackOk{}, Ts{1, 0});
    out(kSyn | kAck, Ack{1});
  }
  EXPECT_EQ(stack.census().syn_received, 2U);
  EXPECT_EQ(stack.census().connections, 0U);
  EXPECT_EQ(stack.counters().cookies_sent, 2000U);
}

TEST_F(SynQueue, ACookieBringsTheConnection) {
  fill_syn_queue();
  talk_to(peer_at(3));
  in(kSyn, Seq{0}, Mss{1400}, Wscale{7}, SackOk{});
  const Sent answer = out(kSyn | kAck, Seq{0}, Ack{1}, Mss{1460});
  EXPECT_FALSE(answer.header.options.window_scale);  // nowhere to remember it
  EXPECT_FALSE(answer.header.options.sack_permitted);
  at(1s);
  sent().clear();  // the SYN-ACKs of the two in the queue, again
  in(kAck | kPsh, Seq{1}, Ack{1}, Data{"hello"});
  after(40ms);
  out(kAck, Seq{1}, Ack{6});
  accept();
  EXPECT_EQ(state(), TcpState::established);
  EXPECT_EQ(info().mss, 1360);  // the next lower of what a cookie can tell
  EXPECT_EQ(read_text(), "hello");
  EXPECT_EQ(stack.counters().cookies_accepted, 1U);
}

TEST_F(SynQueue, TimestampsCarryTheOptionsThroughACookie) {
  fill_syn_queue();
  talk_to(peer_at(3));
  in(kSyn, Seq{0}, Mss{1460}, Wscale{9}, SackOk{}, Ts{500, 0});
  const Sent answer = out(kSyn | kAck, Seq{0}, Ack{1}, Wscale{7}, SackOk{}, TsEcho{500});
  in(kAck, Seq{1}, Ack{1}, Ts{510, answer.header.options.timestamps->value});
  accept();
  EXPECT_EQ(info().mss, 1448);
  EXPECT_EQ(info().snd_wscale, 9);
  EXPECT_EQ(info().rcv_wscale, 7);
  EXPECT_TRUE(info().sack);
  EXPECT_TRUE(info().timestamps);
  write(10);
  const Sent data = out(kAck | kPsh, Len{10}, TsEcho{510});
  EXPECT_GE(static_cast<std::int32_t>(data.header.options.timestamps->value -
                                      answer.header.options.timestamps->value),
            0);
}

TEST_F(SynQueue, AForgedCookieIsReset) {
  fill_syn_queue();
  talk_to(peer_at(3));
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kAck, Seq{1}, Ack{0x5001});
  out(kRst, Seq{0x5001});
  const Peer other = peer_at(4);
  talk_to({other.local, other.remote, other.isn, peer.stack_isn});
  in(kAck, Seq{1}, Ack{1});  // the cookie of another peer
  out(kRst, Seq{1});
  EXPECT_EQ(dropped(DropReason::bad_cookie), 2U);
  EXPECT_EQ(dropped(DropReason::no_connection), 0U);
  EXPECT_EQ(stack.census().connections, 0U);
}

TEST_F(SynQueue, WhatIsAheadOfTheCookieIsNotReset) {
  // The bare ACK and the first data of a client were lost; found by the swarm.
  fill_syn_queue();
  talk_to(peer_at(3));
  in(kSyn, Seq{0}, Mss{1460});
  out(kSyn | kAck);
  in(kAck | kPsh, Seq{6}, Ack{1}, Data{" world"});
  in(kAck, Seq{12}, Ack{1});  // answers a SYN-ACK that came twice
  quiet();
  EXPECT_EQ(dropped(DropReason::bad_cookie), 2U);
  in(kAck | kPsh, Seq{1}, Ack{1}, Data{"hello world"});
  accept();
  EXPECT_EQ(read_text(), "hello world");
}

TEST_F(SynQueue, ACookieExpires) {
  fill_syn_queue();
  talk_to(peer_at(3));
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  at(70s);
  sent().clear();
  for (const unsigned port : {1, 2}) {  // fresh SYNs keep the cookies of the listener alive
    talk_to(peer_at(port));
    in(kSyn, Seq{0});
    out(kSyn | kAck);
  }
  Peer late = peer_at(3);
  talk_to(late);
  in(kSyn, Seq{0});
  const Sent cookie = out(kSyn | kAck);
  late.stack_isn = cookie.header.seq;
  at(70s + 121s);
  sent().clear();
  talk_to(late);
  in(kAck, Seq{1}, Ack{1});
  out(kRst, Seq{1});
  EXPECT_EQ(stack.census().connections, 0U);
}

TEST_F(SynQueue, WithoutAFullQueueNoAckIsTakenForACookie) {
  in(kAck, Seq{1}, Ack{1});
  out(kRst, Seq{1});
  EXPECT_EQ(dropped(DropReason::bad_cookie), 0U);
}

TEST_F(SynQueue, AFullAcceptQueueLeavesTheRecordAndAsksAgain) {
  for (const unsigned port : {1, 2}) {
    talk_to(peer_at(port));
    in(kSyn, Seq{0});
    out(kSyn | kAck);
  }
  in(kAck, Seq{1}, Ack{1});
  Peer first = peer_at(1);
  // A third SYN while there is still room for one.
  Peer third = peer_at(3);
  talk_to(third);
  in(kSyn, Seq{0});
  third.stack_isn = out(kSyn | kAck).header.seq;
  at(1s);  // the SYN-ACKs of the first and the third again
  talk_to(first);
  first.stack_isn = out(kSyn | kAck).header.seq;
  talk_to(third);
  out(kSyn | kAck, Seq{0});
  in(kAck, Seq{1}, Ack{1});
  talk_to(first);
  in(kAck, Seq{1}, Ack{1});
  quiet();
  EXPECT_EQ(dropped(DropReason::accept_queue_full), 1U);
  EXPECT_EQ(stack.census().syn_received, 1U);

  talk_to(peer_at(4));
  in(kSyn, Seq{0});  // no room to accept it: asked to try again by silence
  quiet();
  EXPECT_EQ(dropped(DropReason::accept_queue_full), 2U);

  accept();
  accept();
  at(3s);
  talk_to(first);
  out(kSyn | kAck, Seq{0});
  in(kAck, Seq{1}, Ack{1});
  accept();
  EXPECT_EQ(info().remote.port, Port{1});
  EXPECT_EQ(state(), TcpState::established);
}

TEST_F(SynQueue, AcceptGivesTheOldestFirst) {
  for (const unsigned port : {7, 8}) {
    talk_to(peer_at(port));
    in(kSyn, Seq{0});
    out(kSyn | kAck);
    in(kAck, Seq{1}, Ack{1});
  }
  accept();
  EXPECT_EQ(info().remote.port, Port{7});
  accept();
  EXPECT_EQ(info().remote.port, Port{8});
}

TEST_F(SynQueue, SettingsOfTheListenerAreInherited) {
  TcpSettings settings;
  settings.no_delay = true;
  settings.hop_limit = 7;
  settings.dscp = 46;
  ASSERT_TRUE(stack.tcp_set_settings(now, listener, settings));
  in(kSyn, Seq{0});
  const Sent answer = out(kSyn | kAck);
  EXPECT_EQ(answer.ip.hop_limit, 7);  // RFC9293-MUST-49
  EXPECT_EQ(answer.ip.dscp, 46);      // RFC9293-MUST-48
  in(kAck, Seq{1}, Ack{1});
  accept();
  EXPECT_TRUE(stack.tcp_settings(socket)->no_delay);
  write(1);
  const Sent data = out(kAck | kPsh, Len{1});
  EXPECT_EQ(data.ip.hop_limit, 7);
  EXPECT_EQ(data.ip.dscp, 46);
}

}  // namespace
}  // namespace hawser
