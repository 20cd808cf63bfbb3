#include "sim/learning_switch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace hawser::sim {
namespace {

using namespace std::chrono_literals;
using Way = LearningSwitch::Way;

MacAddress host(std::uint16_t number) {
  return MacAddress(
      {2, 0, 0, 0, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)});
}

class LearningSwitchTest : public ::testing::Test {
 protected:
  LearningSwitch::Decision send(std::uint32_t port, const MacAddress& from, const MacAddress& to) {
    std::array<std::byte, 20> bytes{};
    const auto put = [](const MacAddress& address, std::byte* at) {
      std::ranges::transform(address.bytes(), at,
                             [](std::uint8_t byte) { return std::byte{byte}; });
    };
    put(to, bytes.data());
    put(from, &bytes[6]);
    return send_bytes(port, bytes);
  }
  LearningSwitch::Decision send_bytes(std::uint32_t port, std::span<const std::byte> bytes) {
    Packet frame = pool.take_packet();
    frame.append_copy(bytes);
    return table.on_frame(now, port, frame);
  }
  void expect_to_port(const LearningSwitch::Decision& decision, std::uint32_t port) {
    EXPECT_EQ(decision.way, Way::to_port);
    EXPECT_EQ(decision.port, port);
  }

  BufferPool pool;
  Instant now{};
  LearningSwitch table{{.table = 8, .ageing = 10s}};
};

TEST_F(LearningSwitchTest, SendsToThePortBehindWhichAnAddressWasHeard) {
  EXPECT_EQ(send(0, host(1), host(2)).way, Way::to_all) << "not heard yet";
  expect_to_port(send(3, host(2), host(1)), 0);
  expect_to_port(send(0, host(1), host(2)), 3);
  EXPECT_EQ(table.known(), 2U);
  EXPECT_EQ(table.counters().frames, 3U);
  EXPECT_EQ(table.counters().flooded, 1U);
  EXPECT_EQ(table.counters().forwarded, 2U);
}

TEST_F(LearningSwitchTest, FloodsGroups) {
  send(0, host(1), host(2));
  for (const MacAddress& group : {MacAddress::broadcast(), MacAddress({0x33, 0x33, 0, 0, 0, 1}),
                                  MacAddress({1, 0, 0x5e, 0, 0, 1})}) {
    EXPECT_EQ(send(1, host(2), group).way, Way::to_all);
  }
}

TEST_F(LearningSwitchTest, NeverLearnsAGroup) {
  const MacAddress group({0x33, 0x33, 0, 0, 0, 1});
  send(0, group, host(2));
  send(0, MacAddress{}, host(2));
  EXPECT_EQ(table.known(), 0U);
  EXPECT_EQ(send(1, host(1), group).way, Way::to_all);
}

TEST_F(LearningSwitchTest, KeepsBackWhatItsHostHasHeardAlready) {
  send(0, host(1), host(9));
  EXPECT_EQ(send(0, host(2), host(1)).way, Way::nowhere);
  EXPECT_EQ(send(1, host(3), MacAddress({0x01, 0x80, 0xc2, 0, 0, 0x0e})).way, Way::nowhere)
      << "for switches only";
  EXPECT_EQ(send(1, host(3), MacAddress({0x01, 0x80, 0xc2, 0, 0, 0x10})).way, Way::to_all);
  EXPECT_EQ(table.counters().filtered, 2U);
}

TEST_F(LearningSwitchTest, LearnsAgainWhereAnAddressHasMovedTo) {
  send(0, host(1), host(9));
  expect_to_port(send(1, host(2), host(1)), 0);
  send(2, host(1), MacAddress::broadcast());
  expect_to_port(send(1, host(2), host(1)), 2);
  EXPECT_EQ(table.known(), 2U);
  EXPECT_EQ(table.counters().moved, 1U);
}

TEST_F(LearningSwitchTest, ForgetsWhomItHasNotHeardForLong) {
  send(0, host(1), host(9));
  send(0, host(2), host(9));
  now += 6s;
  send(0, host(2), host(9));  // heard again
  now += 4s - 1ns;
  expect_to_port(send(1, host(3), host(1)), 0);
  now += 1ns;
  EXPECT_EQ(send(1, host(3), host(1)).way, Way::to_all);
  expect_to_port(send(1, host(3), host(2)), 0);
  EXPECT_EQ(table.known(), 2U);
}

TEST_F(LearningSwitchTest, GivesTheOneUnheardForLongestUpWhenTheTableIsFull) {
  for (std::uint16_t i = 0; i < 8; ++i) send(i, host(i), host(100));
  send(0, host(0), host(100));
  send(9, host(8), host(100));
  EXPECT_EQ(table.known(), 8U);
  EXPECT_EQ(table.counters().displaced, 1U);
  EXPECT_EQ(send(9, host(8), host(1)).way, Way::to_all) << "the one that was given up";
  expect_to_port(send(9, host(8), host(0)), 0);
  expect_to_port(send(9, host(8), host(2)), 2);
}

TEST_F(LearningSwitchTest, StaysBoundedUnderAFlood) {
  for (std::uint16_t i = 0; i < 10'000; ++i)
    send(i % 4U, host(i), host(static_cast<std::uint16_t>(i * 7)));
  EXPECT_EQ(table.known(), 8U);
  table = LearningSwitch({.table = 0});
  send(0, host(1), host(2));
  EXPECT_EQ(send(1, host(2), host(1)).way, Way::to_all) << "a switch without a table is a hub";
}

TEST_F(LearningSwitchTest, DropsFramesWithoutAHeader) {
  const std::array<std::byte, 14> bytes{};
  EXPECT_EQ(send_bytes(0, std::span(bytes).first(13)).way, Way::nowhere);
  EXPECT_EQ(table.counters().malformed, 1U);
  EXPECT_EQ(send_bytes(0, bytes).way, Way::to_all);
}

}  // namespace
}  // namespace hawser::sim
