#include "control/link_answers.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "control/client.hpp"
#include "hawser/pipe.hpp"

namespace hawser::control {
namespace {

using namespace std::chrono_literals;

class LinkAnswersTest : public ::testing::Test {
 protected:
  LinkAnswersTest()
      : emulator_({make_pipe().first}, {make_pipe().first},
                  {{Impairment{.loss = 0.5}, Impairment{}}, 42}) {}

  std::vector<Json> say(std::string_view request) {
    std::vector<Json> lines;
    answer_link(loop_, {"tap:a", "tap:b"}, {"wan", "hawser", 4711}, request,
                [&](std::string_view line) {
                  lines.push_back(Json::parse(line));
                  return true;
                });
    return lines;
  }

  link::Emulator emulator_;
  host::LinkLoop loop_{emulator_};
};

TEST_F(LinkAnswersTest, TellsOfEachWay) {
  const auto lines = say(R"({"ask": "link"})");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0]["link"], "wan");
  EXPECT_EQ(lines[1]["from"], "tap:a");
  EXPECT_EQ(lines[1]["impairment"], (Json{{"loss", "0.5"}}));
  EXPECT_EQ(lines[1]["seed"], 42);
  EXPECT_EQ(lines[2]["from"], "tap:b");
  EXPECT_EQ(lines[2]["dropped"]["queue overflow"], 0);
  EXPECT_EQ(lines[3]["items"], 2);
}

TEST_F(LinkAnswersTest, SetsBothWaysAndEach) {
  say(R"({"ask": "set", "both": {"delay": "20ms"}, "back": {"rate": "5mbit", "delay": "30ms"}})");
  EXPECT_EQ(emulator_.impairment(link::Way::there), (Impairment{.delay = 20ms, .loss = 0.5}));
  EXPECT_EQ(emulator_.impairment(link::Way::back), (Impairment{.rate = 5'000'000, .delay = 30ms}));
}

TEST_F(LinkAnswersTest, WhatIsWrongChangesNothingAndIsSaid) {
  for (const auto& [request, why] :
       {std::pair{R"({"ask": "set", "there": {"delay": "20ms"}, "back": {"loss": "2"}})", "loss:"},
        {R"({"ask": "set", "both": {"delay": "20ms", "los": "2%"}})", "no impairment 'los'"},
        {R"({"ask": "set", "both": {"delay": 20}})", "its value is a text"},
        {R"({"ask": "set", "both": 20})", "is an object"},
        {R"({"ask": "sockets"})", "a link is asked by"},
        {R"([])", "a link is asked by"}}) {
    const auto lines = say(request);
    ASSERT_EQ(lines.size(), 1U) << request;
    EXPECT_NE(lines[0]["error"].get<std::string>().find(why), std::string::npos) << lines[0];
    EXPECT_EQ(emulator_.impairment(link::Way::there), (Impairment{.loss = 0.5}));
  }
}

TEST_F(LinkAnswersTest, IsNotTakenForAHost) {
  std::string folder = ::testing::TempDir() + "hawser-link-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  auto server = open_link_control(loop_, {"tap:a", "tap:b"}, {"wan", folder});
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_TRUE(running_hosts({folder}).empty());
  const auto links = running_hosts({folder}, Kind::link);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links.front().name, "wan");
  EXPECT_EQ(send_request(links.front(), R"({"ask": "link"})").value().size(), 4U);
  EXPECT_FALSE(open_link_control(loop_, {"tap:a", "tap:b"}, {"wan", folder}));
  server->reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hawser::control
