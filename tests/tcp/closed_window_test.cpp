// What goes wrong around a window that the peer keeps closed (RFC 9293 3.8.6.1).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class ClosedWindow : public ::testing::Test {
 protected:
  /// Established, with data that waits for the window to open.
  void wait_for_the_window() {
    script.establish();
    script.in({.ack = 1, .window = 0});
    script.write(1000);
    script.out_within(2s, {.seq = 1, .length = 1});
  }

  ConnectionScript script;
};

TEST_F(ClosedWindow, AcksStandWhereThePeerMustAcceptThem) {
  // The probe stands beyond the peer's window. An ACK behind it would be dropped, and both sides
  // would send the same data again until one gives up.
  wait_for_the_window();
  script.in({.seq = 1, .ack = 1, .length = 1460});
  script.in({.seq = 1461, .ack = 1, .length = 1460});
  script.out({.flags = kAck, .seq = 1, .ack = 2921, .length = 0});
  script.in({.seq = 2921, .ack = 2, .window = 0});
  script.in({.seq = 2921, .ack = 2, .length = 1460});
  script.in({.seq = 4381, .ack = 2, .length = 1460});
  script.out({.flags = kAck, .seq = 2, .ack = 5841, .length = 0});
}

TEST_F(ClosedWindow, AResetStandsWhereThePeerMustAcceptIt) {
  wait_for_the_window();
  script.abort();
  script.out({.flags = kRstAck, .seq = 1, .ack = 1});
}

TEST_F(ClosedWindow, AProbeThatCameTooLateIsNotSent) {
  // The ACK of all that was in flight arrives between the timer and the probe.
  script.establish();
  script.write(10);
  script.out({.seq = 1, .length = 10});
  script.in({.ack = 1, .window = 0});
  script.after_without_poll(1s);
  script.in({.ack = 11, .window = 0});
  script.quiet_for(1min);
  script.in({.ack = 11, .window = 1000});
  script.write(10);
  script.out({.flags = kAckPush, .seq = 11, .length = 10});
}

TEST_F(ClosedWindow, TheUserTimeoutBeginsAnewWhenItOpens) {  // RFC9293-MUST-37
  script.settings.user_timeout = 5s;
  wait_for_the_window();
  for (int i = 0; i < 5; ++i) {  // each is answered, and so the next comes later
    script.in({.ack = 1, .window = 0});
    script.out_within(20s, {.seq = 1, .length = 1});
  }
  script.in({.ack = 1, .window = 0});
  script.quiet_for(6s);
  script.in({.ack = 1, .window = 65535});
  ASSERT_EQ(script.state(), TcpState::established);
  script.out({.seq = 1, .length = 1});
  script.in({.ack = 2});
  script.out({.seq = 2, .length = 999});
  script.in({.ack = 1001});
  script.quiet_for(1min);
  EXPECT_EQ(script.state(), TcpState::established);
}

TEST_F(ClosedWindow, KeepsNoConnectionThatNobodyHolds) {
  // RFC 6429 3: a peer that answers probes and never reads would bind the memory for ever.
  wait_for_the_window();
  script.close();
  for (int i = 0; i < 20 && script.state() != TcpState::closed; ++i) {
    script.in({.ack = 1, .window = 0});
    script.after(1min);
  }
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::timed_out);
  script.take_all();
}

TEST_F(ClosedWindow, TheOverrideOfASillyWindowIsNoTimeout) {
  // No segment was lost, and so the timeout must not double (RFC 6298 5).
  script.establish({.window = 7300});
  script.write(10000);
  script.take_all();
  script.in({.ack = 7301, .window = 100});
  const Duration rto = script.info().rto;
  script.out_within(1s, {.seq = 7301, .length = 100});
  EXPECT_EQ(script.info().rto, rto);
}

TEST_F(ClosedWindow, FinMayFillTheLastOctetOfOurs) {
  // The FIN stands behind the window that its data fills.
  script.settings.receive_buffer = 2000;
  script.establish();
  script.in({.flags = kFinAck, .seq = 1, .length = 2000});
  script.out({.flags = kAck, .seq = 1, .ack = 2002, .window = 0});
  EXPECT_EQ(script.state(), TcpState::close_wait);
  EXPECT_EQ(script.info().rcv_wnd, 0U);
}

}  // namespace
}  // namespace hawser::tcp
