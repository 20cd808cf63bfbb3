#include "wire/domain_list.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "core/random.hpp"

namespace hawser::wire {
namespace {

using Domains = std::vector<std::string>;
using namespace std::string_view_literals;

Domains read(std::string_view bytes) { return parse_domains(std::as_bytes(std::span(bytes))); }

TEST(DomainList, ReadsLabelsAndPointersBack) {
  EXPECT_EQ(read("\3eng\5apple\3com\0\11marketing\xc0\4"sv),
            (Domains{"eng.apple.com", "marketing.apple.com"}));  // RFC3397-2
  EXPECT_EQ(read("\1a\1b\0\xc0\2\1c\xc0\0"sv), (Domains{"a.b", "b", "c.a.b"}));
  EXPECT_EQ(read(""), Domains{});
}

TEST(DomainList, RefusesWhatCannotBe) {
  for (const std::string_view bad :
       {"\0"sv, "\1a"sv, "\2a"sv, "\1a\0\1"sv, "\xc0\0"sv, "\1a\xc0\0"sv, "\1a\0\xc0\3"sv,
        "\1a\0\xc0\4"sv, "\1a\0\xc0"sv, "\100aaaa"sv, "\1a\0\1.\0"sv, "\1\33\0"sv, "\1 \0"sv,
        "\1a\0\1b\xc0\5"sv}) {
    EXPECT_EQ(read(bad), Domains{}) << bad;
  }
  std::string longest;
  for (int i = 0; i < 4; ++i) longest += std::string(1, '\77') + std::string(63, 'x');
  EXPECT_EQ(read(longest + '\0'), Domains{}) << "255 characters";
}

TEST(DomainList, KeepsTheFirstFew) {
  std::string many;
  for (int i = 0; i < 9; ++i) many += std::string("\1") + static_cast<char>('a' + i) + '\0';
  EXPECT_EQ(read(many), (Domains{"a", "b", "c", "d", "e", "f"}));
}

TEST(DomainList, ComesBackAsItWasSent) {
  const Domains domains{"harbour.example", "example", "a-b.c_d.9"};
  EXPECT_EQ(parse_domains(emit_domains(domains)), domains);
}

/// Pointers to pointers end, whatever they say.
TEST(DomainList, EndsWithAnyBytes) {
  Random random(1);
  std::size_t legal = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes;
    for (std::uint64_t left = random.below(12); left > 0; --left) {
      static constexpr std::string_view kUsual = "\0\1\1\2\xc0\xc0\2\4ab"sv;
      bytes += kUsual[random.below(kUsual.size())];
    }
    const Domains domains = read(bytes);
    legal += domains.empty() ? 0 : 1;
    EXPECT_EQ(parse_domains(emit_domains(domains)), domains);
  }
  EXPECT_GT(legal, 50U);
}

}  // namespace
}  // namespace hawser::wire
