// What arrives and concerns no connection: resets, and all that must be dropped without a word.
#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class Input : public PacketScript {
 protected:
  Input() { listen(80); }

  void arrives_from(const char* source, const char* destination) {
    talk_to({{*IpAddress::parse(destination), Port{80}}, {*IpAddress::parse(source), Port{5000}}});
    in(kSyn, Seq{0});
  }
  /// A frame of the peer with one byte changed.
  void deliver_changed(const SegmentSpec& spec, std::size_t offset, std::uint8_t xor_with) {
    Packet frame = frame_of(spec);
    std::byte& byte = frame.own_bytes()[offset];
    byte ^= static_cast<std::byte>(xor_with);
    deliver(std::move(frame));
  }
};

TEST_F(Input, ASegmentForNobodyIsReset) {
  peer.local.port = Port{81};
  in(kSyn, Seq{10}, Data{"abc"});
  Sent reset = out(kRst | kAck, Ack{14}, NoOptions{});
  EXPECT_EQ(reset.header.seq, SeqNum{0});
  in(kAck, Seq{10}, Ack{77});
  reset = out(kRst, Seq{77}, NoOptions{});
  EXPECT_EQ(reset.header.ack, SeqNum{0});
  in(kFin, Seq{10});
  out(kRst | kAck, Ack{11});
  in(kRst, Seq{10});
  in(kRst | kAck, Seq{10}, Ack{7});
  quiet();
  EXPECT_EQ(dropped(DropReason::no_connection), 5U);
  EXPECT_EQ(stack.counters().resets_sent, 3U);
}

TEST_F(Input, ResetsAreLimited) {
  peer.local.port = Port{81};
  for (int i = 0; i < 20000; ++i) in(kAck, Seq{1}, Ack{1});
  EXPECT_EQ(sent().size(), 10000U);
  sent().clear();
  after(1ms);
  in(kAck, Seq{1}, Ack{1});
  out(kRst, Seq{1});
}

TEST_F(Input, InvalidSourcesAreIgnored) {  // RFC9293-MUST-63
  for (const char* source :
       {"224.0.0.1", "255.255.255.255", "10.0.0.255", "0.0.0.0", "10.0.0.2", "127.0.0.1"}) {
    arrives_from(source, "10.0.0.2");
  }
  for (const char* source : {"ff02::1", "::", "fd00::2", "::1"}) arrives_from(source, "fd00::2");
  quiet();
  EXPECT_EQ(dropped(DropReason::bad_source), 10U);
  EXPECT_EQ(stack.census().syn_received, 0U);
}

TEST_F(Input, NothingToBroadcastOrMulticastIsAnswered) {  // RFC9293-MUST-57
  arrives_from("10.0.0.1", "10.0.0.255");
  arrives_from("10.0.0.1", "255.255.255.255");
  arrives_from("10.0.0.1", "224.0.0.1");
  arrives_from("fd00::1", "ff02::1");
  EXPECT_EQ(dropped(DropReason::not_unicast), 4U);
  arrives_from("10.0.0.1", "10.0.0.3");
  arrives_from("10.0.0.1", "127.0.0.1");
  EXPECT_EQ(dropped(DropReason::not_ours), 2U);
  quiet();
}

TEST_F(Input, ABadChecksumIsDroppedAndCounted) {  // RFC9293-MUST-3
  deliver_changed(segment(kSyn, Seq{0}), 20 + 4, 1);
  deliver_changed(segment(kRst, Seq{0}), 20 + 4, 1);
  quiet();
  EXPECT_EQ(dropped(DropReason::bad_tcp_checksum), 2U);
}

TEST_F(Input, AChecksumThatTheDeviceVerifiedIsNotLookedAt) {
  Packet frame = frame_of(segment(kSyn, Seq{0}));
  frame.own_bytes()[20 + 16] ^= std::byte{1};
  frame.set_checksum(ChecksumMark::verified);
  deliver(std::move(frame));
  out(kSyn | kAck, Ack{1});
}

TEST_F(Input, PaddingBehindThePacketIsCutOff) {
  establish_passive();
  Packet frame = frame_of(segment(kAck, Seq{1}, Ack{1}));
  const std::array<std::byte, 6> padding{};
  ASSERT_TRUE(frame.append_copy(padding));
  deliver(std::move(frame));
  quiet();
  EXPECT_EQ(info().receive_queue, 0U);
}

TEST_F(Input, WhatIsMalformedIsCounted) {
  deliver_changed(segment(kSyn, Seq{0}), 0, 0x10);  // version 5
  EXPECT_EQ(dropped(DropReason::bad_ip_version), 1U);
  Packet frame = frame_of(segment(kSyn, Seq{0}));
  frame.truncate(30);
  deliver(std::move(frame));
  EXPECT_EQ(dropped(DropReason::truncated), 1U);
  deliver(pool.take_packet());
  quiet();
}

TEST_F(Input, TheLastHopLimitIsEnoughForUs) {  // RFC1122-3.2.1.7
  Packet frame = frame_of(segment(kSyn, Seq{0}));
  frame.trim_front(20);
  wire::IpHeader ip = ip_header(6);
  ip.hop_limit = 0;
  wire::push_ip(frame, ip);
  deliver(std::move(frame));
  out(kSyn | kAck, Ack{1});
}

TEST_F(Input, DropsAreEventsToo) {
  EventBuffer events;
  stack.set_event_buffer(&events);
  deliver_changed(segment(kSyn, Seq{0}), 20 + 4, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<Dropped>(events[0].what).reason, DropReason::bad_tcp_checksum);
  stack.set_event_buffer(nullptr);
}

TEST_F(Input, ABatchIsProcessedWholeBeforeAnythingIsAcknowledged) {
  // RFC9293-MUST-58, RFC9293-MUST-59
  establish_passive();
  batch([&] {
    for (std::uint32_t i = 0; i < 4; ++i) in(kAck, Seq{1 + 536 * i}, Ack{1}, Len{536});
  });
  out(kAck, Seq{1}, Ack{2145});
  quiet();
  EXPECT_EQ(read(4000), 2144U);
}

TEST_F(Input, EachSynAckHasATimerOfItsOwn) {
  for (std::uint16_t i = 0; i < 16; ++i) {
    peer.remote.port = Port{static_cast<std::uint16_t>(100 + i)};
    in(kSyn, Seq{0});
    after(10ms);
  }
  sent().clear();
  at(1s);
  EXPECT_EQ(sent().size(), 1U);
  at(1s + 150ms);
  EXPECT_EQ(sent().size(), 16U);
  sent().clear();
}

}  // namespace
}  // namespace hawser
