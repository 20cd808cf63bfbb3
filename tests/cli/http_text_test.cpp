#include "cli/http_text.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

TEST(HttpText, PercentDecodes) {
  EXPECT_EQ(percent_decode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decode("%e2%82%AC"), "\xe2\x82\xac");
  EXPECT_EQ(percent_decode("plain+text"), "plain+text");
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
}

TEST(HttpText, EncodingAPathCanBeUndone) {
  std::string all;
  for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
  const std::string encoded = percent_encode_path(all);
  EXPECT_EQ(percent_decode(encoded), all);
  EXPECT_EQ(encoded.find_first_of(" \r\n\"<>?#:"), std::string::npos);
  EXPECT_EQ(percent_encode_path("a/b c"), "a/b%20c");
}

TEST(HttpText, EscapesWhatHtmlWouldRead) {
  EXPECT_EQ(html_escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
}

TEST(HttpText, TakesControlCharactersOut) {
  EXPECT_EQ(printable("a\x1b[2J\nb\x7f"), "a?[2J?b?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "??31m");  // CSI of C1, as UTF-8
  EXPECT_EQ(printable("\x9b"
                      "31m\xff"),
            "?31m?");
  EXPECT_EQ(printable("\xc3\xa4 \xe6\x97\xa5 \xf0\x9f\x98\x80"),
            "\xc3\xa4 \xe6\x97\xa5 \xf0\x9f\x98\x80");
  // Cut short, overlong, a surrogate, beyond the last.
  EXPECT_EQ(printable("\xe6\x97"), "??");
  EXPECT_EQ(printable("\xc0\xaf\xe0\x80\xaf"), "?????");
  EXPECT_EQ(printable("\xed\xa0\x80"), "???");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????");
}

TEST(HttpText, AWordOfALogIsOneWordOfAscii) {
  EXPECT_EQ(log_word("/a%20b?c=d&e"), "/a%20b?c=d&e");
  EXPECT_EQ(log_word("/a\" 200 9 B \x9b\xc3\xa4\n"), "/a%22%20200%209%20B%20%9B%C3%A4%0A");
}

TEST(HttpText, WritesAndReadsDates) {
  // The example of RFC 9110 5.6.7.
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date(http_date(951782400)), 951782400);  // 29 February 2000
}

TEST(HttpText, RefusesWhatIsNoDate) {
  for (const std::string_view bad :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08-49-37 GMT", "Sun, 06 Nov 1994 28:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

TEST(HttpText, KnowsMediaTypes) {
  EXPECT_EQ(media_type_of("a/b/page.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type_of("x.tar.gz"), "application/gzip");
  EXPECT_EQ(media_type_of("noextension"), "application/octet-stream");
  EXPECT_EQ(media_type_of("odd."), "application/octet-stream");
}

TEST(HttpText, WritesSizesForPeople) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(268435456), "256.0 MiB");
}

TEST(HttpText, ReadsDigitsAlone) {
  EXPECT_EQ(parse_digits("18446744073709551615"), 18446744073709551615ULL);
  EXPECT_EQ(parse_digits("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_digits("-1"), std::nullopt);
  EXPECT_EQ(parse_digits("+1"), std::nullopt);
  EXPECT_EQ(parse_digits(" 1"), std::nullopt);
  EXPECT_EQ(parse_digits(""), std::nullopt);
}

}  // namespace
}  // namespace hawser::cli
