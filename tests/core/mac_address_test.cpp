#include "hawser/mac_address.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

TEST(MacAddress, ParsesWhatItPrints) {
  const auto address = MacAddress::parse("02:00:5E:10:fa:01");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->bytes(), (std::array<std::uint8_t, 6>{2, 0, 0x5e, 0x10, 0xfa, 1}));
  EXPECT_EQ(address->to_string(), "02:00:5e:10:fa:01");
}

TEST(MacAddress, RefusesWhatIsNone) {
  for (const char* text : {"", "02:00:5e:10:00", "02:00:5e:10:00:01:", "02-00-5e-10-00-01",
                           "2:0:5e:10:0:1", "02:00:5e:10:00:0g", "02:00:5e:10:00:-1"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

TEST(MacAddress, KnowsGroups) {
  EXPECT_TRUE(MacAddress{}.is_unspecified());
  EXPECT_TRUE(MacAddress::broadcast().is_broadcast());
  EXPECT_TRUE(MacAddress::broadcast().is_multicast());
  EXPECT_TRUE(MacAddress::parse("33:33:00:00:00:01")->is_multicast());
  EXPECT_FALSE(MacAddress::parse("33:33:00:00:00:01")->is_broadcast());
  EXPECT_FALSE(MacAddress::parse("02:00:5e:10:00:01")->is_multicast());
}

}  // namespace
}  // namespace hawser
