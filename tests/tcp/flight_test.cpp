// What is in flight: examples, and a comparison with a model that looks at every segment each time.
#include "tcp/recovery/flight.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "core/random.hpp"

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

constexpr SeqNum kUna{0xfffff000};
constexpr std::uint32_t kFull = 1000;
constexpr Instant kStart{1h};
constexpr SeqNum at(std::uint32_t segment) { return kUna + segment * kFull; }
constexpr Flight::Path kPath{.in_recovery = false, .min_rtt = 40ms, .srtt = 40ms};

class FlightTest : public ::testing::Test {
 protected:
  void send(std::uint32_t segments, Duration each = 0ms) {
    for (std::uint32_t i = 0; i < segments; ++i, now += each) {
      nxt += kFull;
      flight.on_sent(now, nxt, kFull);
    }
  }
  Flight::Delivery ack(SeqNum una, std::vector<SackBlock> blocks = {}) {
    Flight::Ack ack{.now = now, .una = una, .nxt = nxt, .blocks = blocks};
    ack.min_rtt = 1ms;
    return flight.on_ack(ack);
  }

  Flight flight{kUna};
  SeqNum nxt = kUna;
  Instant now = kStart;
};

TEST_F(FlightTest, CountsWhatIsOnItsWay) {
  send(5);
  now += 40ms;
  EXPECT_EQ(flight.pipe(), 5 * kFull);
  const auto first = ack(at(1));
  EXPECT_EQ(first.bytes, kFull);
  EXPECT_EQ(first.rtt, 40ms);
  EXPECT_EQ(first.first_original, at(1));
  const auto second = ack(at(1), {{at(2), at(4)}});
  EXPECT_EQ(second.sacked, 2 * kFull);
  EXPECT_EQ(flight.pipe(), 2 * kFull);
  const auto again = ack(at(1), {{at(2), at(4)}});
  EXPECT_EQ(again.bytes, 0U) << "nothing in it is new";
  EXPECT_EQ(ack(at(5)).bytes, 2 * kFull);
  EXPECT_TRUE(flight.empty());
  EXPECT_EQ(flight.pipe(), 0U);
}

TEST_F(FlightTest, CountsASegmentOnceAllOfItHasArrived) {
  send(3);
  EXPECT_EQ(ack(kUna, {{at(1), at(1) + 400}}).sacked, 0U);
  EXPECT_EQ(ack(kUna, {{at(1) + 600, at(2)}}).sacked, 0U);
  EXPECT_EQ(ack(kUna, {{at(1) + 300, at(1) + 700}}).sacked, kFull);
}

TEST_F(FlightTest, TakesNoSampleOfWhatWasSentTwice) {  // RFC6298-3
  send(2);
  now += 40ms;
  flight.lose_oldest(SendReason::retransmit_fast);
  flight.on_resent(now, kUna, at(1));
  now += 40ms;
  const auto delivery = ack(at(2));
  EXPECT_EQ(delivery.rtt, std::nullopt) << "the second waited for the first";
  EXPECT_EQ(delivery.bytes, 2 * kFull);
}

TEST_F(FlightTest, SendsSmallLostSegmentsTogether) {
  for (int i = 0; i < 10; ++i) flight.on_sent(now, nxt += 150, kFull);
  flight.lose_all(SendReason::retransmit_rto);
  const auto first = flight.next_lost(kFull);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->begin, kUna);
  EXPECT_EQ(first->end, kUna + 900);
  flight.on_resent(now, first->begin, first->end);
  EXPECT_EQ(flight.lost_bytes(), 600U);
  EXPECT_EQ(flight.next_lost(kFull)->end, kUna + 1500);
  EXPECT_EQ(ack(kUna + 900).bytes, 900U);
}

TEST_F(FlightTest, KeepsFewRecordsOfManySmallSegments) {
  for (int i = 0; i < 100'000; ++i) flight.on_sent(now, nxt += 1, kFull);
  flight.lose_all(SendReason::retransmit_rto);
  std::size_t records = 0;
  while (const auto lost = flight.next_lost(1)) {
    flight.on_resent(now, lost->begin, lost->end);
    ++records;
  }
  EXPECT_LE(records, Flight::kManySegments + 100'000 / kFull + 1);
}

TEST_F(FlightTest, CutsWhatIsTooLong) {
  send(3);
  flight.lose_all(SendReason::retransmit_rto);
  flight.cut(700);
  std::vector<std::uint32_t> lengths;
  while (const auto lost = flight.next_lost(700)) {
    lengths.push_back(distance(lost->begin, lost->end));
    flight.on_resent(now, lost->begin, lost->end);
  }
  EXPECT_EQ(lengths, (std::vector<std::uint32_t>{700, 700, 700, 700, 200}));
}

TEST_F(FlightTest, SendsTheOldestLossFirst) {
  send(6);
  now += 40ms;
  ack(kUna, {{at(5), at(6)}, {at(3), at(4)}, {at(1), at(2)}});
  flight.detect_losses(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), 3 * kFull);
  for (const std::uint32_t expected : {0U, 2U, 4U}) {
    const auto lost = flight.next_lost(kFull);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->begin, at(expected));
    EXPECT_EQ(lost->why, SendReason::retransmit_fast);
    flight.on_resent(now, lost->begin, lost->end);
  }
  EXPECT_FALSE(flight.next_lost(kFull));
}

TEST_F(FlightTest, KeepsItsOrderWhenTheSameIsLostAgain) {  // once it stood behind itself
  send(8);
  now += 40ms;
  ack(kUna, {{at(1), at(4)}, {at(5), at(8)}});
  flight.detect_losses(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), 2 * kFull);
  flight.on_resent(now, kUna, at(1));
  now += 1ms;
  send(1);
  now += 1ms;
  flight.on_resent(now, at(4), at(5));
  now += 500ms;
  flight.on_timeout(now, kPath);  // finds 0, 8 and 4, in this order
  EXPECT_EQ(flight.lost_bytes(), 3 * kFull);
  flight.on_resent(now, at(4), at(5));
  now += 500ms;
  flight.on_timeout(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), 3 * kFull);
  for (const std::uint32_t expected : {0U, 4U, 8U}) {
    const auto lost = flight.next_lost(kFull);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->begin, at(expected));
    flight.on_resent(now, lost->begin, lost->end);
  }
  EXPECT_FALSE(flight.next_lost(kFull));
  flight.find_again(false);
  EXPECT_EQ(flight.pipe(), 3 * kFull);
}

TEST_F(FlightTest, MakesNoLongSegmentsOfShortOnes) {  // when a packet had no room for all of one
  for (int i = 0; i < 10; ++i) flight.on_sent(now, nxt += 400, kFull);
  flight.lose_all(SendReason::retransmit_rto);
  flight.on_resent(now, kUna, kUna + 300);
  std::uint32_t lost = 3700;
  while (const auto next = flight.next_lost(kFull)) {
    EXPECT_LE(distance(next->begin, next->end), kFull);
    lost -= distance(next->begin, next->end);
    flight.on_resent(now, next->begin, next->end);
  }
  EXPECT_EQ(lost, 0U);
}

TEST_F(FlightTest, ForgetsOldTimesAfterALongPause) {  // microseconds go round in 71 minutes
  send(3);
  now += 40ms;
  ack(kUna, {{at(2), at(3)}});
  ack(kUna, {{at(1), at(3)}});  // reordering: it is worth keeping
  ack(at(3));
  EXPECT_TRUE(flight.is_worth_keeping());
  now += 50min;
  send(3);
  now += 40ms;
  ack(at(4));
  flight.detect_losses(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), 0U);
  EXPECT_EQ(flight.detect_at(), kNever);
}

TEST_F(FlightTest, TakesNoSampleOfWhatAProbeRepeated) {  // RFC6298-3
  send(1);
  flight.on_oldest_repeated();
  now += 10s;
  EXPECT_EQ(ack(at(1)).rtt, std::nullopt);
}

TEST_F(FlightTest, WaitsForWhatMayBeLate) {  // RFC8985-6.2
  send(3);
  now += 40ms;
  ack(kUna, {{at(1), at(2)}});
  flight.detect_losses(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), 0U);
  EXPECT_EQ(flight.detect_at(), now + 10ms) << "a quarter of the least round trip";
  now += 10ms;
  flight.detect_losses(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), kFull);
  EXPECT_EQ(flight.next_lost(kFull)->why, SendReason::retransmit_rack);
}

TEST_F(FlightTest, FindsWhatWasLostAgain) {  // RFC8985-3.4: lost retransmissions
  send(4);
  now += 40ms;
  ack(kUna, {{at(1), at(4)}});
  flight.detect_losses(now, kPath);
  flight.on_resent(now, kUna, at(1));
  now += 1ms;
  send(4);
  now += 40ms;
  ack(kUna, {{at(1), at(5)}});
  Flight::Path path = kPath;
  path.in_recovery = true;
  flight.detect_losses(now, path);
  EXPECT_EQ(flight.lost_bytes(), kFull);
  EXPECT_EQ(flight.next_lost(kFull)->begin, kUna);
}

TEST_F(FlightTest, LearnsThatThePathReorders) {  // RFC8985-6.2: step 3
  send(5);
  now += 40ms;
  ack(kUna, {{at(3), at(4)}});
  EXPECT_FALSE(flight.rack().reordering_seen());
  ack(kUna, {{at(1), at(2)}, {at(3), at(4)}});
  EXPECT_TRUE(flight.rack().reordering_seen());
  ack(kUna, {{at(1), at(5)}});
  flight.detect_losses(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), 0U) << "three have passed it, and still it may come";
  EXPECT_TRUE(flight.is_worth_keeping());
}

TEST_F(FlightTest, TakesBlocksOfOneAckForNoReordering) {
  send(6);
  ack(kUna, {{at(5), at(6)}, {at(3), at(4)}, {at(1), at(2)}});
  EXPECT_FALSE(flight.rack().reordering_seen());
}

TEST_F(FlightTest, WidensTheWindowWithReportsOfDuplicates) {  // RFC8985-6.2: step 4
  const auto window = [&] { return flight.rack().window_us(false, 0, 40'000, 1'000'000); };
  EXPECT_EQ(window(), 10'000U);
  send(3);
  ack(at(1), {{kUna, at(1)}});
  EXPECT_EQ(window(), 20'000U);
  ack(at(1), {{kUna, at(1)}});
  EXPECT_EQ(window(), 20'000U) << "once in a round trip";
  ack(at(3), {{at(1), at(2)}});
  EXPECT_EQ(window(), 30'000U);
  for (int i = 0; i < Rack::kPersist; ++i) flight.on_recovered();
  EXPECT_EQ(window(), 10'000U);
}

TEST_F(FlightTest, LosesWhatThePeerHasThrownAway) {  // RFC2018-8
  send(4);
  ack(kUna, {{at(1), at(4)}});
  ack(at(1), {});
  EXPECT_TRUE(flight.has_reneged());
  flight.lose_sacked();
  EXPECT_EQ(flight.lost_bytes(), 3 * kFull);
  EXPECT_EQ(flight.next_lost(kFull)->begin, at(1));
}

TEST_F(FlightTest, AtATimeoutLosesOnlyWhatIsOld) {  // RFC8985-6.3
  send(3);
  now += 200ms;
  send(2);
  now += 10ms;
  flight.on_timeout(now, kPath);
  EXPECT_EQ(flight.lost_bytes(), 3 * kFull);
  flight.find_again(false);
  EXPECT_EQ(flight.lost_bytes(), 0U);
  EXPECT_EQ(flight.pipe(), 5 * kFull);
}

TEST_F(FlightTest, IgnoresHostileBlocks) {  // RFC2018-5
  send(4);
  ack(kUna, {{at(3), at(9)}, {at(2), at(1)}, {kUna, at(2)}, {kUna - 5000, kUna - 10}});
  EXPECT_EQ(flight.sacked_bytes(), 0U);
}

TEST_F(FlightTest, RecognisesReportsOfDuplicates) {  // RFC2883-5
  send(6);
  EXPECT_EQ(ack(at(2), {{kUna, at(1)}}).dsack, (SackBlock{kUna, at(1)}));
  EXPECT_EQ(ack(at(2), {{at(4), at(5)}, {at(3), at(6)}}).dsack, (SackBlock{at(4), at(5)}));
  EXPECT_EQ(ack(at(2), {{at(3), at(5)}}).dsack, std::nullopt);
}

/// One segment as the model knows it.
struct Plain {
  std::uint32_t length = 0;
  bool sacked = false;
  bool lost = false;
};

/// Cutting changes no sum, and leaves nothing that is too long.
void expect_same_when_cut(Flight& flight, Instant now) {
  flight.lose_all(SendReason::retransmit_rto);
  const std::uint32_t bytes = flight.bytes();
  const std::uint32_t sacked = flight.sacked_bytes();
  std::uint32_t lost = flight.lost_bytes();
  flight.cut(300);
  EXPECT_EQ(flight.bytes(), bytes);
  EXPECT_EQ(flight.sacked_bytes(), sacked);
  EXPECT_EQ(flight.lost_bytes(), lost);
  while (const auto next = flight.next_lost(300)) {
    const std::uint32_t length = distance(next->begin, next->end);
    ASSERT_LE(length, 300U);
    flight.on_resent(now, next->begin, next->end);
    lost -= length;
    ASSERT_EQ(flight.lost_bytes(), lost);
  }
  EXPECT_EQ(flight.pipe(), bytes - sacked);
}

TEST(FlightModel, AgreesOverManyRandomRuns) {
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    SeqNum una{static_cast<std::uint32_t>(random.below(5000)) - 2500};
    SeqNum nxt = una;
    Flight flight(una);
    std::deque<Plain> model;
    Instant now = kStart;
    for (int step = 0; step < 300; ++step) {
      now += std::chrono::microseconds(1 + random.below(3000));
      const auto choice = random.below(10);
      if (choice < 4 && model.size() < 200) {
        const auto length = static_cast<std::uint32_t>(1 + random.below(kFull));
        flight.on_sent(now, nxt += length, kFull);
        model.push_back({length});
      } else if (choice < 7 && !model.empty()) {
        // The peer acknowledges some, and reports a run of segments above.
        std::size_t acked = random.below(3) == 0 ? random.below(model.size() + 1) : 0;
        for (; acked > 0; --acked) {
          una += model.front().length;
          model.pop_front();
        }
        std::vector<SackBlock> blocks;
        if (model.size() > 2) {
          const std::size_t from = 1 + random.below(model.size() - 1);
          const std::size_t to = std::min(model.size(), from + 1 + random.below(5));
          SeqNum begin = una;
          for (std::size_t i = 0; i < from; ++i) begin += model[i].length;
          SeqNum end = begin;
          for (std::size_t i = from; i < to; ++i) {
            end += model[i].length;
            model[i].sacked = true;
            model[i].lost = false;
          }
          blocks.push_back({begin, end});
        }
        while (!model.empty() && model.front().sacked) {  // nobody reneges here
          una += model.front().length;
          model.pop_front();
        }
        std::erase_if(blocks, [&](const SackBlock& block) { return block.end <= una; });
        flight.on_ack({.now = now, .una = una, .nxt = nxt, .blocks = blocks});
      } else if (choice == 7) {
        flight.lose_all(SendReason::retransmit_rto);
        for (Plain& segment : model) segment.lost = !segment.sacked;
      } else if (choice == 8) {
        // Alone, so that the model needs no merging.
        if (const auto lost = flight.next_lost(1)) {
          SeqNum begin = una;
          auto segment = model.begin();
          while (begin != lost->begin) begin += (segment++)->length;
          ASSERT_TRUE(segment->lost) << "what is sent again was lost";
          ASSERT_EQ(lost->end, begin + segment->length);
          flight.on_resent(now, lost->begin, lost->end);
          segment->lost = false;
        }
      } else {
        flight.lose_oldest(SendReason::retransmit_fast);
        if (!model.empty()) model.front().lost = true;
      }
      std::map<std::string_view, std::uint32_t> sum;
      for (const Plain& segment : model) {
        sum["all"] += segment.length;
        if (segment.sacked) sum["sacked"] += segment.length;
        if (segment.lost) sum["lost"] += segment.length;
      }
      ASSERT_EQ(flight.bytes(), sum["all"]) << round << ' ' << step;
      ASSERT_EQ(flight.sacked_bytes(), sum["sacked"]) << round << ' ' << step;
      ASSERT_EQ(flight.lost_bytes(), sum["lost"]) << round << ' ' << step;
      ASSERT_EQ(flight.next_lost(1).has_value(), sum["lost"] > 0) << round << ' ' << step;
    }
    expect_same_when_cut(flight, now);
  }
}

}  // namespace
}  // namespace hawser::tcp
