// Network namespaces for tests of real devices, each in a child process, and the kernel's sockets
// in them.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "hawser/address.hpp"
#include "tests/link/support.hpp"

namespace hawser::link::testing {

constexpr int kGenerous = 20000;  // milliseconds

/// A test of a real device. Needs root; an ordinary user is told so.
class NamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, for a network namespace of its own";
    if (needs_tun() && !std::filesystem::exists("/dev/net/tun")) {
      GTEST_SKIP() << "needs /dev/net/tun";
    }
    if (!can_unshare()) GTEST_SKIP() << "may not make a network namespace here";
  }

  /// Runs `body` in a child with a namespace of its own; its failures fail the test.
  template <typename Body>
  static void in_namespace(Body body) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (::unshare(CLONE_NEWNET) != 0) ::_exit(2);
      body();
      ::_exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see above; status " << status;
  }

  virtual bool needs_tun() const { return true; }

 private:
  static bool can_unshare() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::unshare(CLONE_NEWNET) == 0 ? 0 : 1);
    int status = 0;
    return ::waitpid(child, &status, 0) == child && status == 0;
  }
};

/// Runs a command in the namespace; ip(8) mostly.
inline void run(const std::string& command) {
  EXPECT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT: commands of the tests
}

/// A socket of the kernel.
struct Socket {
  explicit Socket(int family) : fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { ::close(fd); }
  int fd;
};

/// To port 9999. With `segment` it is many datagrams of that size, sent in one go (UDP_SEGMENT).
inline void send_datagram(const IpAddress& to, const Bytes& data, int segment = 0) {
  const Socket socket(to.is_v4() ? AF_INET : AF_INET6);
  if (segment != 0) {
    EXPECT_EQ(::setsockopt(socket.fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(9999);
  std::memcpy(&v4.sin_addr, to.bytes().data() + 12, 4);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(9999);
  std::memcpy(&v6.sin6_addr, to.bytes().data(), 16);
  const auto* address =
      to.is_v4() ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const socklen_t length = to.is_v4() ? sizeof v4 : sizeof v6;
  EXPECT_EQ(::sendto(socket.fd, data.data(), data.size(), 0, address, length),
            static_cast<ssize_t>(data.size()))
      << std::strerror(errno);
}

inline std::uint32_t flags_of(const std::string& name) {
  const Socket socket(AF_INET);
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  EXPECT_EQ(::ioctl(socket.fd, SIOCGIFFLAGS, &request), 0);
  return static_cast<std::uint32_t>(request.ifr_flags);
}

}  // namespace hawser::link::testing
