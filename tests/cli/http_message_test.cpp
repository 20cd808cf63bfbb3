#include "cli/http_message.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

constexpr std::string_view kSimple = "GET /a?b HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\n";

TEST(RequestParser, ReadsARequest) {
  RequestParser parser;
  EXPECT_EQ(parser.feed(kSimple), kSimple.size());
  ASSERT_TRUE(parser.is_complete());
  EXPECT_EQ(parser.request().method, HTTP_GET);
  EXPECT_EQ(parser.request().target, "/a?b");
  EXPECT_TRUE(parser.request().keep_alive);
  EXPECT_EQ(parser.request().fields.find("rAnGe"), "bytes=1-");
  EXPECT_EQ(parser.request().fields.find("cookie"), std::nullopt);
}

TEST(RequestParser, ReadsItByteByByte) {
  RequestParser parser;
  EXPECT_FALSE(parser.is_within());
  for (std::size_t i = 0; i < kSimple.size(); ++i) {
    ASSERT_FALSE(parser.is_complete());
    ASSERT_EQ(parser.feed(kSimple.substr(i, 1)), 1U);
    ASSERT_EQ(parser.is_within(), i + 1 < kSimple.size());
  }
  ASSERT_TRUE(parser.is_complete());
  EXPECT_EQ(parser.request().fields.find("host"), "x");
}

TEST(RequestParser, StopsBehindEachPipelinedRequest) {
  std::string both(kSimple);
  both += "HEAD /second HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n";
  RequestParser parser;
  ASSERT_EQ(parser.feed(both), kSimple.size());
  parser.next();
  ASSERT_EQ(parser.feed(std::string_view(both).substr(kSimple.size())),
            both.size() - kSimple.size());
  ASSERT_TRUE(parser.is_complete());
  EXPECT_EQ(parser.request().method, HTTP_HEAD);
  EXPECT_EQ(parser.request().target, "/second");
  EXPECT_FALSE(parser.request().keep_alive);
}

TEST(RequestParser, PassesOverABody) {
  const std::string first = "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
  RequestParser parser;
  ASSERT_EQ(parser.feed(first + "GET"), first.size());
  EXPECT_TRUE(parser.is_complete());
}

TEST(RequestParser, Http10ClosesUnlessAsked) {
  RequestParser parser;
  parser.feed("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(parser.is_complete());
  EXPECT_EQ(parser.error_status(), 0);
  EXPECT_FALSE(parser.request().keep_alive);
  EXPECT_EQ(parser.request().minor_version, 0);
}

int status_for(const std::string& bytes) {
  RequestParser parser;
  parser.feed(bytes);
  return parser.error_status();
}

TEST(RequestParser, BoundsWhatItHolds) {
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(status_for("GET /" + std::string(RequestParser::kMaxTarget, 'a')), 414);
  EXPECT_EQ(status_for(start + "A: " + std::string(RequestParser::kMaxFieldBytes, 'a')), 431);
  EXPECT_EQ(status_for(start + std::string(RequestParser::kMaxFieldBytes + 1, 'a')), 431);
  std::string many = start;
  for (std::size_t i = 0; i < RequestParser::kMaxFields; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_for(many), 431);
  EXPECT_EQ(status_for(start + "Content-Length: 99999999\r\n\r\n" +
                       std::string(RequestParser::kMaxBody + 1, 'b')),
            413);
}

TEST(RequestParser, AMethodThatNobodyKnowsIsNoMalformedRequest) {
  // It got 400, as what is no HTTP at all.
  const std::string rest = " /a HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string method : {"FETCH", "get", "GETS", "X", "M!#$%&'*+-.^_`|~9"}) {
    RequestParser parser;
    for (const char byte : method + rest) ASSERT_EQ(parser.feed({&byte, 1}), 1U) << method;
    ASSERT_TRUE(parser.is_complete()) << method;
    EXPECT_EQ(parser.error_status(), 0) << method;
    EXPECT_EQ(parser.request().unknown_method, method);
    EXPECT_EQ(parser.request().target, "/a");
    parser.next();
    const std::string known = "HEAD" + rest;
    ASSERT_EQ(parser.feed(known), known.size());
    EXPECT_EQ(parser.request().method, HTTP_HEAD);
    EXPECT_EQ(parser.request().unknown_method, "");
  }
  EXPECT_EQ(status_for(std::string(RequestParser::kMaxMethod + 1, 'A') + rest), 501);
  EXPECT_EQ(status_for("FETCH /a HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(status_for("FETCH\r\n"), 400);
  EXPECT_EQ(status_for("FE(CH" + rest), 400);
  EXPECT_EQ(status_for(" /a HTTP/1.1\r\n"), 400);
}

TEST(RequestParser, PassesOverEmptyLinesBeforeARequest) {
  RequestParser parser;
  EXPECT_EQ(parser.feed("\r\n"), 2U);
  EXPECT_FALSE(parser.is_within());
  parser.feed(kSimple);
  EXPECT_TRUE(parser.is_complete());
}

TEST(RequestParser, RefusesWhatIsNotHttp) {
  EXPECT_EQ(status_for("\x16\x03\x01\x02"), 400);
  EXPECT_EQ(status_for("GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n"), 400);
  EXPECT_EQ(status_for("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(status_for("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(status_for("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_for("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n"),
            400)
      << "two lengths are how requests are smuggled";
}

TEST(ResponseParser, PassesOnABodyOfKnownLength) {
  std::string body;
  ResponseParser parser([](const HttpResponse& response) { return response.status == 200; },
                        [&](std::string_view bytes) {
                          body += bytes;
                          return true;
                        });
  ASSERT_TRUE(parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"));
  EXPECT_EQ(parser.response().length, 5U);
  EXPECT_FALSE(parser.is_complete());
  ASSERT_TRUE(parser.feed("cde"));
  EXPECT_TRUE(parser.is_complete());
  EXPECT_EQ(body, "abcde");
}

class ResponseParserTest : public testing::Test {
 protected:
  std::string body_;
  int heads_ = 0;
  ResponseParser parser_{[this](const HttpResponse&) {
                           ++heads_;
                           return true;
                         },
                         [this](std::string_view bytes) {
                           body_ += bytes;
                           return true;
                         }};
};

TEST_F(ResponseParserTest, JoinsChunks) {
  ASSERT_TRUE(parser_.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  ASSERT_TRUE(parser_.feed("2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n"));
  EXPECT_TRUE(parser_.is_complete());
  EXPECT_EQ(parser_.response().length, std::nullopt);
  EXPECT_EQ(parser_.response().fields.find("trailer"), std::nullopt);
  EXPECT_EQ(body_, "abcde");
}

TEST_F(ResponseParserTest, SkipsInterimResponses) {
  ASSERT_TRUE(
      parser_.feed("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz"));
  EXPECT_TRUE(parser_.is_complete());
  EXPECT_EQ(heads_, 1);
  EXPECT_EQ(parser_.response().status, 200);
  EXPECT_EQ(parser_.response().fields.find("link"), std::nullopt);
  EXPECT_EQ(body_, "z");
}

TEST_F(ResponseParserTest, WithoutALengthTheEndIsTheEnd) {
  ASSERT_TRUE(parser_.feed("HTTP/1.1 200 OK\r\n\r\nabc"));
  EXPECT_FALSE(parser_.is_complete());
  EXPECT_TRUE(parser_.finish());
}

TEST_F(ResponseParserTest, AnEndBeforeTheAnnouncedLengthIsNone) {
  ASSERT_TRUE(parser_.feed("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"));
  EXPECT_FALSE(parser_.finish());
}

TEST_F(ResponseParserTest, AnEndWithinChunksIsNone) {
  ASSERT_TRUE(parser_.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  EXPECT_FALSE(parser_.finish());
}

TEST_F(ResponseParserTest, AnEndWithinTheHeadIsNone) {
  ASSERT_TRUE(parser_.feed("HTTP/1.1 200 OK\r\nContent-"));
  EXPECT_FALSE(parser_.finish());
  EXPECT_FALSE(parser_.has_head());
}

TEST_F(ResponseParserTest, RefusesWhatIsNotHttp) {
  EXPECT_FALSE(parser_.feed("SSH-2.0-OpenSSH\r\n"));
  EXPECT_FALSE(parser_.problem().empty());
}

TEST(ResponseParser, EndsWhenACallbackGivesUp) {
  ResponseParser parser([](const HttpResponse&) { return false; },
                        [](std::string_view) { return true; });
  EXPECT_FALSE(parser.feed("HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nz"));
}

}  // namespace
}  // namespace hawser::cli
