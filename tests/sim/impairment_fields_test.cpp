#include "sim/impairment_fields.hpp"

#include <gtest/gtest.h>

namespace hawser::sim {
namespace {

using namespace std::chrono_literals;

TEST(ImpairmentFields, WhatIsWrittenIsReadAgain) {
  Impairment all;
  all.rate = 12'345'678;
  all.delay = 20ms;
  all.jitter = 1500us;
  all.queue = 64 << 10;
  all.loss = 0.1;
  all.burst = {.enter = 1.0 / 3, .leave = 0.25, .longest = 2s};
  all.mark = 0.02;
  all.mark_above = 3000;
  all.reorder = 0.05;
  all.reorder_delay = 7ns;
  all.duplicate = 1e-9;
  all.corrupt = 1;
  all.partitioned = true;
  all.mtu = 1400;
  all.mtu_silent = true;
  Impairment copy;
  for (const ImpairmentField& field : impairment_fields()) {
    EXPECT_EQ(field.set(copy, field.get(all)), std::nullopt) << field.name;
  }
  EXPECT_EQ(copy, all);
}

TEST(ImpairmentFields, OnlyWhatIsNotPerfectIsAnOption) {
  EXPECT_EQ(options_of({}), "");
  EXPECT_EQ(options_of({.rate = 1'500'000, .delay = 20ms, .loss = 0.01}),
            "--loss 0.01 --delay 20ms --rate 1500kbit");
  EXPECT_EQ(options_of({.burst = {.enter = 0.02, .leave = 0.25}}), "--burst 0.02 --burst-length 4");
}

TEST(ImpairmentFields, WhatIsWrongIsSaidAndChangesNothing) {
  Impairment impairment;
  for (const auto& [name, text] : {std::pair{"loss", "2"},
                                   {"burst", "x"},
                                   {"burst-length", "0.5"},
                                   {"burst-length", "4x"},
                                   {"delay", "20"},
                                   {"rate", "fast"},
                                   {"queue", "1.5"},
                                   {"path-mtu", "0"},
                                   {"partition", "yes"}}) {
    const ImpairmentField* field = find_impairment_field(name);
    ASSERT_NE(field, nullptr) << name;
    EXPECT_NE(field->set(impairment, text), std::nullopt) << name;
  }
  EXPECT_EQ(impairment, Impairment{});
  EXPECT_EQ(find_impairment_field("los"), nullptr);
}

}  // namespace
}  // namespace hawser::sim
