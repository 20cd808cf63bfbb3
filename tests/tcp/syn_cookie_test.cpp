#include "tcp/syn_cookie.hpp"

#include <gtest/gtest.h>

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

class SynCookieTest : public ::testing::Test {
 protected:
  TcpHeader syn() const {
    TcpHeader header;
    header.seq = SeqNum(4711);
    header.flags = TcpFlag::syn;
    header.options.mss = 1460;
    header.options.window_scale = 8;
    header.options.sack_permitted = true;
    header.options.timestamps = TcpTimestamps{99, 0};
    return header;
  }
  SynReceived encoded(const TcpHeader& header, Instant now) const {
    SynReceived record = make_syn_received(tuple, header, config, offer, SeqNum(0), 1234);
    cookies.encode(now, record);
    return record;
  }
  /// The ACK of a SYN-ACK.
  static TcpHeader answer(const TcpHeader& syn_ack) {
    TcpHeader ack;
    ack.seq = syn_ack.ack;
    ack.ack = syn_ack.seq + 1;
    ack.flags = TcpFlag::ack;
    if (syn_ack.options.timestamps) {
      ack.options.timestamps = TcpTimestamps{100, syn_ack.options.timestamps->value};
    }
    return ack;
  }
  std::optional<SynReceived> decoded(const TcpHeader& ack, Instant now) const {
    return cookies.decode(now, tuple, ack, config, offer, 1234);
  }

  Random random{5};
  SynCookies cookies{random};
  TcpConfig config;
  Offer offer{.mss = 1460, .window = 65535, .window_scale = 5};
  Tuple tuple{{IpAddress::v4(10, 0, 0, 1), Port{80}}, {IpAddress::v4(10, 0, 0, 2), Port{99}}};
};

TEST_F(SynCookieTest, BringsBackWhatWasAgreedUpon) {
  for (const Instant now : {Instant(1h), Instant(1h + 63ms), Instant(1000h + 1ns), Instant(0h)}) {
    const TcpHeader syn_ack = SynCookies::syn_ack(encoded(syn(), now), now);
    const auto record = decoded(answer(syn_ack), now + 1s);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->irs, SeqNum(4711));
    EXPECT_EQ(record->iss, syn_ack.seq);
    EXPECT_EQ(record->peer_mss, 1460);
    EXPECT_TRUE(record->window_scaling);
    EXPECT_EQ(record->snd_wscale, 8);
    EXPECT_TRUE(record->sack);
    EXPECT_TRUE(record->timestamps);
    // Never ahead of the clock: what follows must not look older.
    EXPECT_LE(static_cast<std::int32_t>(syn_ack.options.timestamps->value - 1234 -
                                        static_cast<std::uint32_t>(now.time_since_epoch() / 1ms)),
              0);
  }
}

TEST_F(SynCookieTest, TheMssIsNeverMoreThanThePeerTakes) {
  for (std::uint32_t mss = 0; mss < 10000; mss += 7) {
    TcpHeader header = syn();
    header.options.mss = static_cast<std::uint16_t>(mss);
    const auto record = decoded(
        answer(SynCookies::syn_ack(encoded(header, Instant(1h)), Instant(1h))), Instant(1h));
    ASSERT_TRUE(record);
    EXPECT_LE(record->peer_mss, std::max(mss, std::uint32_t{kMinMss}));
    EXPECT_GE(record->peer_mss * 5U, std::min(mss, 1500U));
  }
}

TEST_F(SynCookieTest, NoOtherNumberIsTaken) {
  const Instant now(1h);
  const TcpHeader good = answer(SynCookies::syn_ack(encoded(syn(), now), now));
  for (int bit = 0; bit < 32; ++bit) {
    TcpHeader bad = good;
    bad.ack = SeqNum(((good.ack - 1).value() ^ (1U << bit)) + 1);
    EXPECT_FALSE(decoded(bad, now)) << bit;
    bad = good;
    bad.seq = SeqNum(((good.seq - 1).value() ^ (1U << bit)) + 1);
    EXPECT_FALSE(decoded(bad, now)) << bit;
  }
  tuple.remote.port = Port{98};
  EXPECT_FALSE(decoded(good, now));
}

TEST_F(SynCookieTest, ItLivesForOneToTwoMinutes) {
  const Instant now(1h);
  const TcpHeader ack = answer(SynCookies::syn_ack(encoded(syn(), now), now));
  EXPECT_TRUE(decoded(ack, now + 119s));
  EXPECT_FALSE(decoded(ack, now + 120s));
  EXPECT_FALSE(decoded(ack, now + 32min));  // when the five bits of the counter are the same again
}

}  // namespace
}  // namespace hawser::tcp
