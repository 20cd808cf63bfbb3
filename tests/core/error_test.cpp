#include "hawser/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace hawser {
namespace {

constexpr int kFirst = static_cast<int>(Error::would_block);
constexpr int kLast = static_cast<int>(Error::permission_denied);

TEST(Error, EachHasAnErrnoAndATextOfItsOwn) {
  std::set<int> numbers;
  std::set<std::string> texts;
  for (int value = kFirst; value <= kLast; ++value) {
    const std::error_code code = static_cast<Error>(value);
    EXPECT_STREQ(code.category().name(), "hawser");
    EXPECT_EQ(code.value(), value);
    EXPECT_TRUE(code);
    EXPECT_TRUE(numbers.insert(to_errno(static_cast<Error>(value))).second) << code.message();
    EXPECT_TRUE(texts.insert(code.message()).second) << code.message();
  }
}

TEST(Error, ComparesWithPosixConditions) {
  EXPECT_EQ(std::error_code(Error::would_block), std::errc::resource_unavailable_try_again);
  EXPECT_EQ(std::error_code(Error::connection_reset), std::errc::connection_reset);
  EXPECT_EQ(std::error_code(Error::connection_refused), std::errc::connection_refused);
  EXPECT_EQ(std::error_code(Error::timed_out), std::errc::timed_out);
  EXPECT_EQ(std::error_code(Error::broken_pipe), std::errc::broken_pipe);
  EXPECT_EQ(std::error_code(Error::protocol_unreachable), std::errc::no_protocol_option);
  EXPECT_NE(std::error_code(Error::connection_reset), std::errc::connection_aborted);
  EXPECT_EQ(to_errno(Error::shut_down), ESHUTDOWN);
  EXPECT_EQ(to_errno(Error::in_progress), EINPROGRESS);
}

}  // namespace
}  // namespace hawser
