#include "cli/http_answer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hawser::cli {
namespace {

namespace fs = std::filesystem;

/// A folder with some files, and a secret outside of it.
class HttpAnswerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hawser-answer-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    outside_ = pattern;
    const fs::path root = outside_ / "root";
    fs::create_directories(root / "sub dir");
    fs::create_directories(root / "site");
    write(outside_ / "secret", "secret");
    write(root / "file.txt", "0123456789");
    write(root / "empty", "");
    write(root / "sub dir" / "a&b.html", "inner");
    write(root / "site" / "index.html", "home");
    fs::create_symlink("file.txt", root / "inside");
    fs::create_symlink("../secret", root / "relative");
    fs::create_symlink(outside_ / "secret", root / "absolute");
    fs::create_directory_symlink("..", root / "up");
    ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
    folder_.emplace(std::move(*Folder::open(root.string())));
  }
  void TearDown() override { fs::remove_all(outside_); }

  static void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

  HttpAnswer ask(const std::string& target, const std::string& fields = "",
                 const std::string& method = "GET") {
    RequestParser parser;
    parser.feed(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
    EXPECT_TRUE(parser.is_complete()) << target;
    return answer(*folder_, parser.request());
  }
  static std::string body(const HttpAnswer& answer) {
    if (!answer.file) return answer.text;
    std::string bytes(answer.length, '\0');
    EXPECT_EQ(
        ::pread(answer.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(answer.offset)),
        static_cast<ssize_t>(bytes.size()));
    return bytes;
  }
  static std::string field(const HttpAnswer& answer, const std::string& name) {
    const std::size_t at = answer.head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return answer.head.substr(begin, answer.head.find("\r\n", begin) - begin);
  }

  fs::path outside_;
  std::optional<Folder> folder_;
};

TEST_F(HttpAnswerTest, GivesAFile) {
  const HttpAnswer got = ask("/file.txt");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(body(got), "0123456789");
  EXPECT_EQ(field(got, "Content-Length"), "10");
  EXPECT_EQ(field(got, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(field(got, "Accept-Ranges"), "bytes");
  EXPECT_FALSE(got.close);
  EXPECT_TRUE(got.head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(got.head.ends_with("\r\n\r\n"));
}

TEST_F(HttpAnswerTest, HeadGivesTheSameFieldsAndNoBody) {
  const HttpAnswer got = ask("/file.txt", "", "HEAD");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(field(got, "Content-Length"), "10");
  EXPECT_EQ(got.length, 0U);
  EXPECT_FALSE(got.file);
  const HttpAnswer folder = ask("/", "", "HEAD");
  EXPECT_NE(field(folder, "Content-Length"), "0");
  EXPECT_EQ(folder.text, "");
}

TEST_F(HttpAnswerTest, GivesAnEmptyFile) {
  const HttpAnswer got = ask("/empty");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.length, 0U);
}

TEST_F(HttpAnswerTest, DecodesNamesAndTakesWholeUrls) {
  EXPECT_EQ(body(ask("/sub%20dir/a%26b.html?query")), "inner");
  EXPECT_EQ(body(ask("/./sub%20dir/../file.txt")), "0123456789");
  EXPECT_EQ(body(ask("http://proxy.example/file.txt")), "0123456789");
  EXPECT_EQ(body(ask("/inside")), "0123456789");
}

TEST_F(HttpAnswerTest, NothingLeadsOut) {
  for (const std::string target :
       {"/../secret", "/%2e%2e/secret", "/..%2fsecret", "/sub%20dir/../../secret", "/relative",
        "/absolute", "/up/secret", "/up/", "/up", "//etc/passwd", "/%2fetc/passwd", "/.%2e/secret",
        "/file.txt%00.html", "/%zz"}) {
    const HttpAnswer got = ask(target);
    EXPECT_EQ(got.status, 404) << target;
    EXPECT_FALSE(body(got).contains("secret")) << target;
  }
}

TEST_F(HttpAnswerTest, DoesNotWaitForAPipe) { EXPECT_EQ(ask("/pipe").status, 403); }

TEST_F(HttpAnswerTest, SaysWhatIsNotThere) {
  EXPECT_EQ(ask("/none").status, 404);
  EXPECT_EQ(ask("/file.txt/").status, 404);
  EXPECT_EQ(ask("/file.txt/x").status, 404);
  EXPECT_EQ(ask("*").status, 404);
}

TEST_F(HttpAnswerTest, OtherMethodsAreNotAllowed) {
  const HttpAnswer got = ask("/file.txt", "", "DELETE");
  EXPECT_EQ(got.status, 405);
  EXPECT_EQ(field(got, "Allow"), "GET, HEAD");
  EXPECT_TRUE(got.close);
}

TEST_F(HttpAnswerTest, MethodsThatNobodyKnowsAreNotImplemented) {
  const HttpAnswer got = ask("/file.txt", "", "FETCH");
  EXPECT_EQ(got.status, 501);
  EXPECT_EQ(field(got, "Allow"), "");
  EXPECT_TRUE(got.close);
  EXPECT_TRUE(got.head.starts_with("HTTP/1.1 501 Not Implemented\r\n"));
}

TEST_F(HttpAnswerTest, ListsAFolder) {
  const std::string page = body(ask("/"));
  EXPECT_TRUE(page.contains("<a href=\"./sub%20dir/\">sub dir/</a>"));
  EXPECT_TRUE(page.contains("<a href=\"./file.txt\">file.txt</a>"));
  EXPECT_LT(page.find("sub dir"), page.find("file.txt")) << "folders come first";
  EXPECT_FALSE(page.contains("pipe"));
  EXPECT_TRUE(body(ask("/sub%20dir/")).contains("a&amp;b.html"));
  EXPECT_EQ(body(ask("/site/")), "home");
}

TEST_F(HttpAnswerTest, ListsOnlyTheLinksThatItFollows) {
  // Those that lead out were listed with the size of what they lead to.
  const std::string page = body(ask("/"));
  EXPECT_TRUE(page.contains("<a href=\"./inside\">inside</a></td><td class=\"n\">10 B</td>"));
  for (const std::string link : {"relative", "absolute", "up"}) {
    EXPECT_FALSE(page.contains("./" + link)) << link;
  }
  fs::create_symlink("../file.txt", outside_ / "root" / "sub dir" / "above");
  EXPECT_TRUE(body(ask("/sub%20dir/")).contains("./above")) << "it stays beneath the root";
}

TEST_F(HttpAnswerTest, SendsFoldersToTheirSlash) {
  const HttpAnswer got = ask("/sub%20dir");
  EXPECT_EQ(got.status, 301);
  EXPECT_EQ(field(got, "Location"), "/sub%20dir/");
}

TEST_F(HttpAnswerTest, GivesAPart) {
  const HttpAnswer got = ask("/file.txt", "Range: bytes=2-4\r\n");
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(field(got, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(field(got, "Content-Length"), "3");
  EXPECT_EQ(body(got), "234");
}

TEST_F(HttpAnswerTest, RefusesAPartBeyondTheEnd) {
  const HttpAnswer got = ask("/file.txt", "Range: bytes=10-\r\n");
  EXPECT_EQ(got.status, 416);
  EXPECT_EQ(field(got, "Content-Range"), "bytes */10");
}

TEST_F(HttpAnswerTest, GivesAPartOnlyOfTheSameVersion) {
  const HttpAnswer whole = ask("/file.txt");
  const std::string range = "Range: bytes=2-\r\nIf-Range: ";
  EXPECT_EQ(ask("/file.txt", range + field(whole, "ETag") + "\r\n").status, 206);
  EXPECT_EQ(ask("/file.txt", range + field(whole, "Last-Modified") + "\r\n").status, 206);
  EXPECT_EQ(ask("/file.txt", range + "\"other\"\r\n").status, 200);
  EXPECT_EQ(ask("/file.txt", range + "Sun, 06 Nov 1994 08:49:37 GMT\r\n").status, 200);
  EXPECT_EQ(ask("/file.txt", range + "nonsense\r\n").status, 200);
}

TEST_F(HttpAnswerTest, SaysWhenTheClientHasItAlready) {
  const HttpAnswer whole = ask("/file.txt");
  const std::string tag = field(whole, "ETag");
  EXPECT_EQ(ask("/file.txt", "If-None-Match: \"x\", W/" + tag + "\r\n").status, 304);
  EXPECT_EQ(ask("/file.txt", "If-None-Match: *\r\n").status, 304);
  EXPECT_EQ(ask("/file.txt", "If-None-Match: \"x\"\r\n").status, 200);
  EXPECT_EQ(ask("/file.txt", "If-Modified-Since: " + field(whole, "Last-Modified") + "\r\n").status,
            304);
  EXPECT_EQ(ask("/file.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status, 200);
  const HttpAnswer not_modified = ask("/file.txt", "If-None-Match: *\r\n");
  EXPECT_EQ(not_modified.length, 0U);
  EXPECT_EQ(field(not_modified, "Content-Length"), "");
}

TEST_F(HttpAnswerTest, AnotherVersionHasAnotherTag) {
  const std::string before = field(ask("/file.txt"), "ETag");
  write(outside_ / "root" / "file.txt", "01234567890");
  EXPECT_NE(field(ask("/file.txt"), "ETag"), before);
}

TEST_F(HttpAnswerTest, ClosesWhenAsked) {
  const HttpAnswer got = ask("/file.txt", "Connection: close\r\n");
  EXPECT_TRUE(got.close);
  EXPECT_EQ(field(got, "Connection"), "close");
}

}  // namespace
}  // namespace hawser::cli
