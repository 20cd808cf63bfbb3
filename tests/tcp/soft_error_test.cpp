// ICMP errors that quote a segment of a connection (RFC 9293 3.9.2.2, RFC 5927 4).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class SoftError : public ::testing::Test {
 protected:
  ConnectionScript script;
};

TEST_F(SoftError, IsReported) {  // RFC9293-MUST-47, RFC9293-SHLD-25, RFC9293-U-2
  script.establish();
  script.write(100);
  script.take_ready();
  script.icmp_error(1, Error::host_unreachable, false);
  EXPECT_TRUE(any(script.take_ready() & Ready::error));
  EXPECT_EQ(script.connection().take_error(), Error::host_unreachable);
  EXPECT_EQ(script.connection().take_error(), std::nullopt) << "once";
  script.take_all();
}

TEST_F(SoftError, DoesNotEndAConnection) {  // RFC9293-MUST-56
  script.establish();
  script.write(100);
  script.icmp_error(1, Error::network_unreachable, false);
  EXPECT_EQ(script.state(), TcpState::established);
  script.in({.ack = 101});
  EXPECT_EQ(script.write(10), 10U);
  script.take_all();
}

TEST_F(SoftError, IsNotReportedWhenTurnedOff) {  // RFC9293-SHLD-20
  script.settings.report_soft_errors = false;
  script.establish();
  script.write(100);
  script.take_ready();
  script.icmp_error(1, Error::host_unreachable, false);
  EXPECT_FALSE(any(script.take_ready() & Ready::error));
  EXPECT_EQ(script.connection().take_error(), std::nullopt);
  script.take_all();
}

TEST_F(SoftError, HardErrorEndsTheOpening) {  // RFC9293-SHLD-26
  script.open();
  script.take_all();
  script.icmp_error(0, Error::connection_refused, true);
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.receive(1).error(), Error::connection_refused);
}

TEST_F(SoftError, SoftErrorDoesNotEndTheOpening) {  // RFC9293-MUST-56
  script.open();
  script.take_all();
  script.icmp_error(0, Error::host_unreachable, false);
  EXPECT_EQ(script.state(), TcpState::syn_sent);
  script.in(ConnectionScript::syn_of({}, kSynAck));
  EXPECT_EQ(script.state(), TcpState::established);
  script.take_all();
}

TEST_F(SoftError, HardErrorIsSoftOnceEstablished) {  // RFC5927-4
  script.establish();
  script.write(100);
  script.icmp_error(1, Error::connection_refused, true);
  EXPECT_EQ(script.state(), TcpState::established);
  script.take_all();
}

TEST_F(SoftError, OfWhatIsNotInFlightIsForged) {  // RFC5927-4
  script.establish();
  script.write(100);
  script.take_ready();
  script.icmp_error(101, Error::host_unreachable, false);
  script.icmp_error(0, Error::host_unreachable, false);
  EXPECT_FALSE(any(script.take_ready() & Ready::error));
  EXPECT_EQ(script.dropped(DropReason::bad_icmp), 2U);
  script.take_all();
}

}  // namespace
}  // namespace hawser::tcp
