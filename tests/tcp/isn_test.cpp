#include "tcp/isn.hpp"

#include <gtest/gtest.h>

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

const Tuple kTuple{{IpAddress::v4(10, 0, 0, 1), Port{80}}, {IpAddress::v4(10, 0, 0, 2), Port{99}}};

TEST(InitialNumbers, TickEveryFourMicroseconds) {  // RFC9293-MUST-8
  Random random(1);
  const InitialNumbers numbers(random);
  const SeqNum first = numbers.sequence(Instant(1h), kTuple);
  EXPECT_EQ(numbers.sequence(Instant(1h + 4us), kTuple), first + 1);
  EXPECT_EQ(numbers.sequence(Instant(1h + 3s), kTuple), first + 750000);
}

TEST(InitialNumbers, DependOnTheSecretAndOnEachMember) {  // RFC9293-MUST-9, RFC9293-SHLD-1
  Random one(1);
  Random two(2);
  const InitialNumbers numbers(one);
  const Instant now(1h);
  const SeqNum plain = numbers.sequence(now, kTuple);
  EXPECT_EQ(plain, numbers.sequence(now, kTuple));
  EXPECT_NE(plain, InitialNumbers(two).sequence(now, kTuple));
  Tuple other = kTuple;
  other.remote.port = Port{98};
  EXPECT_NE(plain, numbers.sequence(now, other));
  EXPECT_NE(numbers.timestamp_offset(kTuple), numbers.timestamp_offset(other));
  other = kTuple;
  other.local.address = IpAddress::v4(10, 0, 0, 3);
  EXPECT_NE(plain, numbers.sequence(now, other));
}

}  // namespace
}  // namespace hawser::tcp
