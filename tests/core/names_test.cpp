#include <gtest/gtest.h>

#include <set>
#include <string>

#include "hawser/addressing.hpp"
#include "hawser/drop.hpp"
#include "hawser/event.hpp"
#include "hawser/neighbour.hpp"
#include "hawser/tcp.hpp"
#include "hawser/tcp_header.hpp"

namespace hawser {
namespace {

/// Each value from the first to `last` has a name of its own, and the value behind it none.
template <typename Enum>
void expect_names(Enum last) {
  std::set<std::string_view> names;
  for (unsigned value = 0; value <= static_cast<unsigned>(last); ++value) {
    const std::string_view name = to_string(static_cast<Enum>(value));
    EXPECT_NE(name, "unknown") << value;
    EXPECT_FALSE(name.empty()) << value;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(to_string(static_cast<Enum>(static_cast<unsigned>(last) + 1)), "unknown");
}

TEST(Names, AreThereForEachValue) {
  expect_names(static_cast<DropReason>(kDropReasons - 1));
  expect_names(NeighbourState::probe);
  expect_names(TcpState::time_wait);
  expect_names(SendReason::reset);
  expect_names(SendBlocked::closed);
  expect_names(CloseReason::no_memory);
  expect_names(TcpTimer::time_wait);
  expect_names(AddressState::duplicate);
  expect_names(AddressOrigin::dhcp);
  expect_names(RouteOrigin::dhcp);
}

TEST(Names, AreThoseOfTheEnum) {
  EXPECT_EQ(to_string(DropReason::truncated), "truncated");
  EXPECT_EQ(to_string(DropReason::bad_tcp_checksum), "bad tcp checksum");
  EXPECT_EQ(to_string(DropReason::out_of_window), "out of window");
  EXPECT_EQ(to_string(DropReason::no_memory), "no memory");
  EXPECT_EQ(to_string(TcpState::syn_received), "SYN-RECEIVED");
}

TEST(TcpFlags, PrintsInTheOrderOfSpeech) {
  EXPECT_EQ(TcpFlags{}.to_string(), "-");
  EXPECT_EQ(TcpFlags(TcpFlag::syn).to_string(), "SYN");
  EXPECT_EQ((TcpFlag::ack | TcpFlag::syn).to_string(), "SYN,ACK");
  EXPECT_EQ((TcpFlag::ack | TcpFlag::psh | TcpFlag::fin).to_string(), "FIN,PSH,ACK");
  EXPECT_EQ(TcpFlags(0x1ff).to_string(), "SYN,FIN,RST,PSH,ACK,URG,ECE,CWR,AE");
}

}  // namespace
}  // namespace hawser
