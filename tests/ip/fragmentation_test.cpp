#include "ip/fragmentation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "ip/reassembly.hpp"
#include "tests/wire/support.hpp"

namespace hawser::ip {
namespace {

using wire::testing::Bytes;
using wire::testing::contents;

class Fragmentation : public ::testing::TestWithParam<Family> {
 protected:
  bool v4() const { return GetParam() == Family::ipv4; }
  std::uint32_t headers() const { return v4() ? 20 : 48; }

  wire::IpHeader header() const {
    wire::IpHeader header;
    header.source = *IpAddress::parse(v4() ? "10.0.0.1" : "fd00::1");
    header.destination = *IpAddress::parse(v4() ? "10.0.0.2" : "fd00::2");
    header.protocol = 17;
    header.hop_limit = 9;
    header.dscp = 10;
    header.ecn = 2;
    header.flow_label = v4() ? 0 : 0x12345;
    return header;
  }
  /// A packet of random bytes: `own` in the packet itself, the others in `slices` of odd lengths.
  Packet packet(std::uint32_t own, std::uint32_t sliced, std::uint32_t slices) {
    Packet result = pool.take_packet();
    const Bytes head = wire::testing::random_bytes(random, own);
    EXPECT_TRUE(result.append_copy(head));
    for (std::uint32_t i = 0; i < slices; ++i) {
      const std::uint32_t size = i + 1 == slices ? sliced : sliced / 3 | 1U;
      sliced -= size;
      Slice slice = pool.take(size);
      std::ranges::copy(wire::testing::random_bytes(random, size), slice.spare().begin());
      slice.extend(size);
      EXPECT_TRUE(result.append(std::move(slice)));
    }
    wire::push_ip(result, header());
    return result;
  }
  /// What a receiver makes of them.
  Packet reassemble(std::vector<Packet>& fragments) {
    const IpConfig config;
    StackCounters counters;
    Reassembly reassembly(config, pool, random, counters);
    Packet whole;
    for (Packet& fragment : fragments) {
      EXPECT_FALSE(whole);
      const auto parsed = wire::parse_ip(fragment.head(), fragment.size());
      EXPECT_TRUE(parsed && parsed->fragment);
      if (!parsed || !parsed->fragment) return {};
      whole = reassembly.on_fragment(Instant{}, *parsed, std::move(fragment));
    }
    return whole;
  }

  BufferPool pool;
  Random random{5};
};
INSTANTIATE_TEST_SUITE_P(Families, Fragmentation, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(Fragmentation, IsUndoneByReassembly) {  // RFC8200-4.5
  for (const std::uint32_t mtu : {68U, 576U, 1280U, 1281U, 1500U}) {
    for (const std::uint32_t sliced : {1U, 500U, 1452U, 1480U, 1481U, 9000U, 65000U}) {
      const std::uint32_t slices = sliced < 100 ? 1 : 1 + sliced % 8;
      const Packet whole = packet(static_cast<std::uint32_t>(random.below(97)), sliced, slices);
      if (whole.size() <= mtu) continue;
      std::vector<Packet> fragments;
      ASSERT_TRUE(fragment(whole, mtu, 77, pool, fragments));
      for (std::size_t i = 0; i < fragments.size(); ++i) {
        ASSERT_LE(fragments[i].size(), mtu);
        if (i + 1 < fragments.size()) {
          ASSERT_GT(fragments[i].size() + 8, mtu) << "as large as it may be";
        }
        const auto parsed = wire::parse_ip(fragments[i].head(), fragments[i].size());
        ASSERT_TRUE(parsed);
        EXPECT_EQ(parsed->header.hop_limit, 9);
        EXPECT_EQ(parsed->header.ecn, 2);
        EXPECT_EQ(parsed->fragment->identification, 77U);
        EXPECT_EQ(parsed->header.dont_fragment, !v4());
      }
      if (fragments.size() > Reassembly::kMaxFragments) continue;
      const Packet again = reassemble(fragments);
      ASSERT_TRUE(again);
      const std::size_t header = v4() ? 20 : 40;
      const Bytes before = contents(whole);
      const Bytes after = contents(again);
      EXPECT_EQ(Bytes(before.begin() + static_cast<std::ptrdiff_t>(header), before.end()),
                Bytes(after.begin() + static_cast<std::ptrdiff_t>(header), after.end()));
    }
  }
}

TEST_P(Fragmentation, CopiesNoPayload) {
  const Packet whole = packet(8, 60000, 3);
  const std::size_t before = pool.bytes_in_use();
  std::vector<Packet> fragments;
  ASSERT_TRUE(fragment(whole, 1500, 1, pool, fragments));
  EXPECT_LT(pool.bytes_in_use() - before, fragments.size() * 600);
}

TEST_P(Fragmentation, CutsWhatIsAllInThePacketItself) {
  Packet whole = pool.take_packet();
  ASSERT_TRUE(whole.append_copy(wire::testing::random_bytes(random, 96)));
  whole.prepend(60);  // an inner header, say
  const Bytes inner = contents(whole);
  wire::push_ip(whole, header());
  std::vector<Packet> fragments;
  ASSERT_TRUE(fragment(whole, 156, 1, pool, fragments));
  ASSERT_EQ(fragments.size(), 2U);
  const Packet again = reassemble(fragments);
  ASSERT_TRUE(again);
  const Bytes after = contents(again);
  EXPECT_EQ(Bytes(after.begin() + (v4() ? 20 : 40), after.end()), inner);
}

TEST_P(Fragmentation, OfFragmentsIsForRouters) {  // RFC791-3.2
  if (!v4()) return;
  const Packet whole = packet(8, 4000, 2);
  std::vector<Packet> fragments;
  ASSERT_TRUE(fragment(whole, 1500, 7, pool, fragments));
  std::vector<Packet> smaller;
  for (const Packet& each : fragments) {
    if (each.size() > 600) {
      ASSERT_TRUE(fragment(each, 600, 7, pool, smaller));
    } else {
      smaller.push_back(each.share());
    }
  }
  EXPECT_GT(smaller.size(), fragments.size());
  const Packet again = reassemble(smaller);
  ASSERT_TRUE(again);
  EXPECT_EQ(again.size(), whole.size());
}

TEST_P(Fragmentation, RefusesWhatItCannotCut) {
  std::vector<Packet> fragments;
  const Packet whole = packet(8, 3000, 1);
  EXPECT_FALSE(fragment(whole, headers() + 7, 1, pool, fragments)) << "no room for eight bytes";
  EXPECT_TRUE(fragment(whole, headers() + 8, 1, pool, fragments));
  std::vector<Packet> more;
  if (!v4()) {
    EXPECT_FALSE(fragment(fragments[0], 60, 1, pool, more)) << "a fragment";
  }
  BufferPool small(2000);
  EXPECT_FALSE(fragment(whole, 576, 1, small, more));
  EXPECT_TRUE(more.empty()) << "all or nothing";
  EXPECT_EQ(small.bytes_in_use(), 0U);
}

TEST(FragmentIds, DoNotRepeatTooSoon) {  // RFC6864-4.3
  Random random(3);
  FragmentIds ids(random);
  const IpAddress us = IpAddress::v4(10, 0, 0, 1);
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 65536; ++i) {
    seen.insert(static_cast<std::uint16_t>(ids.next(us, IpAddress::v4(10, 0, 0, 2))));
  }
  EXPECT_EQ(seen.size(), 65536U);
}

TEST(FragmentIds, TellNothingOfOtherHosts) {  // RFC7739-4
  Random random(3);
  FragmentIds ids(random);
  const IpAddress us = IpAddress::v4(10, 0, 0, 1);
  std::set<std::uint32_t> beginnings;
  std::uint32_t previous = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint32_t id = ids.next(us, IpAddress::v4(10, 0, 1, static_cast<std::uint8_t>(i)));
    EXPECT_GT(id - previous, 100000U) << "no counter that all share";
    previous = id;
    beginnings.insert(id);
  }
  EXPECT_EQ(beginnings.size(), 200U);
  Random other(4);
  EXPECT_NE(FragmentIds(other).next(us, us), FragmentIds(random).next(us, us));
}

}  // namespace
}  // namespace hawser::ip
