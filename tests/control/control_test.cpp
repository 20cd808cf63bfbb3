#include "hawser/control.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "control/client.hpp"
#include "control/folder.hpp"
#include "tests/sockets/two_hosts.hpp"

namespace hawser::control {
namespace {

using Json = nlohmann::ordered_json;
using testing::TwoHosts;

std::string port_of(const TcpStream& stream) {
  return std::to_string(to_number(stream.local_endpoint().value().port));
}

class ControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "hawser-control-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name + "/run";
    parent_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(parent_); }

  std::expected<ControlSocket, ControlError> open(const std::string& name) {
    return ControlSocket::open(hosts_.server, {name, folder_});
  }
  std::vector<Json> ask(const std::string& name, std::string_view question) {
    const auto lines = send_request({name, folder_ + "/" + name}, Json{{"ask", question}}.dump());
    std::vector<Json> parsed;
    if (!lines) return parsed;
    for (const std::string& line : *lines) parsed.push_back(Json::parse(line));
    return parsed;
  }
  std::vector<FoundHost> running() { return running_hosts({folder_}); }

  /// A socket as a process leaves it that was killed.
  void leave_stale(const std::string& name) {
    std::filesystem::create_directory(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, (folder_ + "/" + name).c_str());
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket.get(), 1), 0);
  }

  TwoHosts hosts_;
  std::string parent_;
  std::string folder_;
};

TEST_F(ControlTest, TellsWhoItIsAndWhatItKnows) {
  const auto control = open("web");
  ASSERT_TRUE(control) << control.error().message;
  const std::vector<Json> lines = ask("web", "addresses");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].at("hawser"), 1);
  EXPECT_EQ(lines[0].at("host"), "web");
  EXPECT_EQ(lines[0].at("pid"), ::getpid());
  EXPECT_EQ(lines[0].at("answer"), "addresses");
  EXPECT_EQ(lines[1].at("address"), "10.0.0.1");
  EXPECT_EQ(lines[1].at("prefix_length"), 24);
  EXPECT_EQ(lines[1].at("interface"), "pair0");
  EXPECT_EQ(lines[1].at("state"), "preferred");
  EXPECT_TRUE(lines[1].at("valid_s").is_null());
  EXPECT_EQ(lines[2].at("address"), "fd00::1");
  EXPECT_EQ(lines[3].at("items"), 2);
}

TEST_F(ControlTest, ListsTheSocketsInAllTheirStates) {
  const auto control = open("web");
  ASSERT_TRUE(control);
  TcpListener listener = hosts_.listen();
  TcpStream near = hosts_.connect();
  TcpStream waiting = hosts_.connect();  // is not accepted
  TcpStream far = listener.accept(std::chrono::seconds(20)).value();
  const std::array<std::byte, 5> bytes{};
  ASSERT_TRUE(near.send_all(bytes));
  ASSERT_TRUE(far.wait(Ready::readable, std::chrono::seconds(20)));
  std::map<std::string, Json> by_remote;
  const std::vector<Json> lines = ask("web", "sockets");
  ASSERT_EQ(lines.size(), 5U);
  for (const Json& line : std::span(lines).subspan(1, 3)) {
    by_remote[line.at("state") == "LISTEN" ? "listener" : line.at("remote").at("port").dump()] =
        line;
  }
  const Json& listens = by_remote.at("listener");
  EXPECT_EQ(listens.at("local").at("port"), 7);
  EXPECT_EQ(listens.at("receive_queue"), 1);
  EXPECT_EQ(listens.at("send_queue"), 1024);
  const Json& open = by_remote.at(port_of(near));
  EXPECT_EQ(open.at("state"), "ESTABLISHED");
  EXPECT_EQ(open.at("receive_queue"), 5);
  EXPECT_EQ(open.at("held"), true);
  EXPECT_EQ(open.at("connection").at("bytes_received"), 5);
  EXPECT_TRUE(open.at("connection").contains("not_sending_because"));
  EXPECT_EQ(by_remote.at(port_of(waiting)).at("held"), false);
}

TEST_F(ControlTest, ListsTheSocketsWithoutConnections) {
  const auto control = open("web");
  ASSERT_TRUE(control);
  const UdpSocket datagrams = UdpSocket::bind(hosts_.server, {IpAddress{}, Port{53}}).value();
  const IcmpSocket echo = IcmpSocket::open(hosts_.server).value();
  const std::vector<Json> lines = ask("web", "sockets");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1].at("protocol"), "udp");
  EXPECT_EQ(lines[1].at("local").at("port"), 53);
  EXPECT_EQ(lines[2].at("protocol"), "icmp");
  EXPECT_EQ(lines[2].at("local").at("port"), echo.identifier().value());
  EXPECT_EQ(lines[2].at("datagrams").at("sent"), 0);
}

TEST_F(ControlTest, OneNameBelongsToOneRunningHost) {
  auto control = open("web");
  ASSERT_TRUE(control);
  const auto second = ControlSocket::open(hosts_.client, {"web", folder_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, make_error_code(Error::address_in_use));
  ASSERT_EQ(running().size(), 1U);
  control = open("other");  // the first goes, its name is free
  ASSERT_EQ(running().size(), 1U);
  EXPECT_EQ(running()[0].name, "other");
  EXPECT_TRUE(open("web"));
}

TEST_F(ControlTest, SocketsOfDeadProcessesAreReplacedAndRemoved) {
  leave_stale("web");
  leave_stale("other");
  const auto control = open("web");
  ASSERT_TRUE(control) << control.error().message;
  const auto hosts = running();
  ASSERT_EQ(hosts.size(), 1U);
  EXPECT_EQ(hosts[0].name, "web");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/other"));
}

TEST_F(ControlTest, NothingButASocketIsEverRemoved) {
  ASSERT_TRUE(open("web"));
  std::filesystem::path file = folder_ + "/precious";
  std::fclose(std::fopen(file.c_str(), "w"));
  EXPECT_EQ(running_hosts({folder_}).size(), 0U);
  EXPECT_FALSE(open("precious"));
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(ControlTest, AFolderThatIsOpenToOthersIsRefused) {
  std::filesystem::create_directory(folder_);
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  const auto control = open("web");
  ASSERT_FALSE(control);
  EXPECT_EQ(control.error().code, std::errc::operation_not_permitted);
  EXPECT_TRUE(running().empty());
}

TEST_F(ControlTest, AFolderBehindALinkIsRefused) {
  const std::string elsewhere = parent_ + "/elsewhere";
  std::filesystem::create_directory(elsewhere);
  std::filesystem::permissions(elsewhere, std::filesystem::perms::owner_all);
  std::filesystem::create_symlink(elsewhere, folder_);
  EXPECT_FALSE(open("web"));
}

TEST_F(ControlTest, FolderAndSocketAreTheUsersAlone) {
  const auto control = open("web");
  ASSERT_TRUE(control);
  struct stat status{};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat(control->path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(ControlTest, NamesThatCannotBeAreRefused) {
  for (const char* name : {"a/b", ".hidden", "-x", "a b", "\n"}) {
    const auto control = open(name);
    ASSERT_FALSE(control) << name;
    EXPECT_EQ(control.error().code, make_error_code(Error::invalid_argument));
  }
  EXPECT_FALSE(open(std::string(65, 'x')));
  EXPECT_TRUE(is_valid_name(default_name())) << default_name();
}

TEST_F(ControlTest, RequestsThatMakeNoSenseAreAnsweredWithAnError) {
  const auto control = open("web");
  ASSERT_TRUE(control);
  const std::vector<Json> lines = ask("web", "everything");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].contains("error"));
  for (const char* request :
       {"\n", "[]\n", "{\"ask\": 1}\n", "nonsense\n", "{\"ask\":\"\xff\"}\n"}) {
    const Descriptor socket = connect_to(control->path());
    ASSERT_TRUE(socket);
    ASSERT_GT(::write(socket.get(), request, std::strlen(request)), 0);
    std::array<char, 4096> answer{};
    const ssize_t got = ::read(socket.get(), answer.data(), answer.size());
    if (got > 0) {
      EXPECT_TRUE(std::string_view(answer.data(), static_cast<std::size_t>(got)).contains("error"));
    }
  }
  EXPECT_EQ(ask("web", "host").size(), 3U);  // it goes on answering
}

TEST_F(ControlTest, ARequestWithoutEndIsNotKept) {
  const auto control = open("web");
  ASSERT_TRUE(control);
  const Descriptor socket = connect_to(control->path());
  const std::string junk(1 << 20, 'x');
  // It hangs up behind the longest request that there can be.
  std::size_t sent = 0;
  while (sent < junk.size()) {
    const ssize_t some = ::send(socket.get(), junk.data() + sent, junk.size() - sent, MSG_NOSIGNAL);
    if (some <= 0) break;
    sent += static_cast<std::size_t>(some);
  }
  EXPECT_LT(sent, junk.size());
  EXPECT_EQ(ask("web", "host").size(), 3U);
}

TEST_F(ControlTest, AHostThatHasStoppedKnowsNothing) {
  const auto control = open("web");
  ASSERT_TRUE(control);
  hosts_.server.stop();
  EXPECT_EQ(ask("web", "addresses").size(), 2U);
  EXPECT_EQ(ask("web", "sockets").size(), 2U);
}

}  // namespace
}  // namespace hawser::control
