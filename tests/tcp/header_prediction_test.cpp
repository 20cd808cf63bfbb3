// Header prediction must not change anything: a segment that it takes has the same effects as the
// same segment when it goes through the chain of checks (RFC 9293 3.10.7.4).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp::test {
namespace {

using namespace std::chrono_literals;

/// Nothing of this end's looks at CWR, but a segment that has it is not as predicted.
constexpr TcpFlags kUnpredicted = TcpFlag::cwr;

/// A random peer, which mostly says what is expected of it, and a random application. With
/// `unpredicted` each of the peer's segments takes the long way.
class Conversation {
 public:
  Conversation(std::uint64_t seed, TcpFlags unpredicted) : random_(seed), extra_(unpredicted) {
    script_.establish(
        {.window_scale = random_.chance(0.5) ? std::optional<std::uint8_t>(2) : std::nullopt,
         .timestamps = random_.chance(0.5),
         .sack = random_.chance(0.5)});
  }

  void step() {
    script_.after(std::chrono::microseconds(random_.below(30'000)));
    switch (random_.below(5)) {
      case 0:
        script_.write(1 + random_.below(4000));
        break;
      case 1:
        script_.read(1 + random_.below(4000));
        break;
      default:
        segment();
    }
    for (const Sent& sent : script_.take_all()) sent_to_ = std::max(sent_to_, note(sent));
  }

  std::string account() {
    const TcpInfo info = script_.info();
    return fmt::format(
        "{}state {} srtt {} rto {} cwnd {} wnd {} flight {} queues {} {} {} ready {}",
        std::exchange(log_, {}), static_cast<int>(info.state), info.srtt.value_or(0ns).count(),
        info.rto.count(), info.cwnd, info.snd_wnd, info.in_flight, info.send_queue,
        info.receive_queue, info.out_of_order, static_cast<int>(script_.take_ready()));
  }

 private:
  void segment() {
    const auto length = static_cast<std::uint32_t>(random_.chance(0.5) ? random_.below(1400) : 0);
    const auto gap = static_cast<std::uint32_t>(random_.chance(0.1) ? random_.below(3000) : 0);
    const std::uint32_t seq = random_.chance(0.1) ? next_ - std::min(next_ - 1, gap) : next_ + gap;
    acked_ += static_cast<std::uint32_t>(random_.below(sent_to_ - acked_ + 1));
    const TcpFlags flags = random_.chance(0.5) ? kAck | TcpFlag::psh : TcpFlags(kAck);
    script_.in({.flags = flags | extra_,
                .seq = seq,
                .ack = acked_,
                .length = length,
                .window = static_cast<std::uint16_t>(random_.below(20) * 1000)});
    if (seq <= next_) next_ = std::max(next_, seq + length);
  }

  std::uint32_t note(const Sent& sent) {
    log_ += fmt::format("[{} {} {} {} {} sack {}] ", sent.header.flags.to_string(), sent.seq,
                        sent.ack, sent.length, sent.header.window, sent.sack.size());
    next_ = std::max(next_, sent.ack);
    return sent.end();
  }

  Random random_;
  TcpFlags extra_;
  ConnectionScript script_;
  std::uint32_t next_ = 1;     // what the peer sends next
  std::uint32_t sent_to_ = 1;  // what has left
  std::uint32_t acked_ = 1;
  std::string log_;
};

TEST(HeaderPrediction, ChangesNothing) {
  std::size_t exchanged = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Conversation predicted(seed, {});
    Conversation checked(seed, kUnpredicted);
    for (int step = 0; step < 200; ++step) {
      predicted.step();
      checked.step();
      const std::string account = predicted.account();
      ASSERT_EQ(account, checked.account()) << "seed " << seed << ", step " << step;
      exchanged += account.size();
    }
  }
  EXPECT_GT(exchanged, 1'000'000U);
}

}  // namespace
}  // namespace hawser::tcp::test
