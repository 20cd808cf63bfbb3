#include "tcp/time_wait.hpp"

#include <gtest/gtest.h>

namespace hawser::tcp {
namespace {

// The cases of RFC 6191 2: which incarnations use timestamps, whether the SYN's is newer than the
// last one seen, and whether its sequence number is larger.
struct Case {
  bool old_timestamps;
  bool new_timestamps;
  int timestamp;  // against the last one seen
  bool larger;
  bool reopens;
};

class MayReopen : public ::testing::TestWithParam<Case> {};

TEST_P(MayReopen, ByTimestampsThenByNumber) {  // RFC6191-2, RFC9293-SHLD-4
  const Case& c = GetParam();
  TimeWait record;
  record.rcv_nxt = SeqNum(0xfffffff0);
  record.timestamps = c.old_timestamps;
  record.ts_recent = 0xffffffff;
  TcpHeader syn;
  syn.flags = TcpFlag::syn;
  syn.seq = c.larger ? record.rcv_nxt + 100 : record.rcv_nxt - 100;
  if (c.new_timestamps) {
    syn.options.timestamps =
        TcpTimestamps{record.ts_recent + static_cast<std::uint32_t>(c.timestamp), 0};
  }
  EXPECT_EQ(may_reopen(record, syn, true), c.reopens);
  // A stack that does not use timestamps goes by the number alone.
  EXPECT_EQ(may_reopen(record, syn, false), c.larger);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc6191, MayReopen,
    ::testing::Values(Case{true, true, 1, false, true}, Case{true, true, 0, true, true},
                      Case{true, true, 0, false, false}, Case{true, true, -1, true, false},
                      Case{true, false, 0, true, true}, Case{true, false, 0, false, false},
                      Case{false, true, 0, false, true}, Case{false, false, 0, true, true},
                      Case{false, false, 0, false, false}));

TEST(IsnBeyond, LiesAboveWhatTheOldIncarnationUsed) {  // RFC9293-MAY-2
  TimeWait record;
  record.snd_nxt = SeqNum(0xffff0000);
  EXPECT_GT(isn_beyond(record, SeqNum(0xfffe0000)), record.snd_nxt + 65535);
  EXPECT_EQ(isn_beyond(record, SeqNum(0x00100000)), SeqNum(0x00100000));
}

}  // namespace
}  // namespace hawser::tcp
