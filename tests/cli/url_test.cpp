#include "cli/url.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

TEST(Url, TakesApart) {
  const auto url = Url::parse("http://10.9.0.1:8080/a/b?x=1#part");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->host, "10.9.0.1");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->target, "/a/b?x=1");
  EXPECT_EQ(url->authority(), "10.9.0.1:8080");
}

TEST(Url, FillsInWhatIsLeftOut) {
  const auto url = Url::parse("http://example");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->port, 80);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(url->authority(), "example");
  EXPECT_EQ(Url::parse("http://example?q")->target, "/?q");
}

TEST(Url, PutsBracketsAroundIpv6) {
  const auto url = Url::parse("http://[fd00:9::1]:81/");
  ASSERT_TRUE(url) << url.error();
  EXPECT_EQ(url->host, "fd00:9::1");
  EXPECT_EQ(url->authority(), "[fd00:9::1]:81");
}

TEST(Url, SaysWhatIsWrong) {
  for (const std::string_view bad : {"", "file", "https://a/", "ftp://a/", "http://", "http:///x",
                                     "http://a:99999/", "http://a:0/", "http://a/b c",
                                     "http://user@a/", "http://a/\r\nX: y", "http://a/\xc3\xa4"}) {
    EXPECT_FALSE(Url::parse(bad)) << bad;
  }
}

TEST(Url, ResolvesReferences) {
  const Url base = *Url::parse("http://h:81/a/b/c?d");
  const auto lead = [&](std::string_view reference) {
    const auto url = base.resolve(reference);
    return url ? url->to_string() : "error";
  };
  EXPECT_EQ(lead("http://other/x"), "http://other/x");
  EXPECT_EQ(lead("//other/x"), "http://other/x");
  EXPECT_EQ(lead("/x"), "http://h:81/x");
  EXPECT_EQ(lead("x"), "http://h:81/a/b/x");
  EXPECT_EQ(lead("../x?y:z"), "http://h:81/a/x?y:z");
  EXPECT_EQ(lead("../../../../x"), "http://h:81/x");
  EXPECT_EQ(lead("./"), "http://h:81/a/b/");
  EXPECT_EQ(lead("?q"), "http://h:81/a/b/c?q");
  EXPECT_EQ(lead(""), "http://h:81/a/b/c?d");
  EXPECT_EQ(lead("https://h/"), "error");
}

TEST(Url, NamesAFile) {
  EXPECT_EQ(Url::parse("http://h/a/b%20c.txt?x/y")->file_name(), "b c.txt");
  EXPECT_EQ(Url::parse("http://h/a/")->file_name(), "index.html");
  EXPECT_EQ(Url::parse("http://h/..%2f..%2fetc%2fpasswd")->file_name(), "index.html");
  EXPECT_EQ(Url::parse("http://h/%2e%2e")->file_name(), "index.html");
  EXPECT_EQ(Url::parse("http://h/a%0ab")->file_name(), "index.html");
}

}  // namespace
}  // namespace hawser::cli
