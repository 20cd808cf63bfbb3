// The programs that send datagrams and echo requests, and know of each what became of it: what
// arrives is what was sent, comes from who sent it, and, where nothing is in its way, once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hawser/world.hpp"
#include "swarm_network_plan.hpp"

namespace hawser::swarm {

class Stage;

class Datagrams {
 public:
  /// What has to become of one.
  struct Promise {
    bool arrives = false;
    /// There is no such host: instead of an echo, an error says so.
    bool to_nobody = false;
    /// Of an echo: somebody may say that it failed, or was too large.
    bool may_hear_errors = false;
    bool may_repeat = false;
    /// Its own address is gone: it need not even leave.
    bool may_be_refused = false;
  };

  Datagrams(Stage& stage, std::uint64_t seed, std::vector<StackId> hosts);

  /// Opens a socket of each kind on each host, or closes them.
  void open();
  void close();
  /// Datagrams to the group reach the members of now.
  void send(const DatagramPlan& planned, const Promise& promise);
  void join(HostNumber host, Net net);
  void leave(HostNumber host, Net net);
  /// False when the socket is none of these.
  bool on_ready(StackId stack, SocketHandle socket);
  /// Somebody forges fragments of this one, so that it need not arrive.
  void release(std::uint32_t number);
  /// Fails if one did not arrive that had to.
  void check_arrivals() const;

  std::uint64_t sent() const { return sent_.size(); }
  std::uint64_t arrived() const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Sent {
    DatagramPlan plan;
    Promise promise;
    bool left = false;          ///< the stack took it
    std::uint32_t members = 0;  ///< of the group when it left; a bit for each host, as in the next
    std::uint32_t heard = 0;    ///< where it arrived, or its echo did
  };
  struct Host {
    StackId stack{};
    SocketHandle udp;
    SocketHandle echo;
    std::array<bool, kNets> is_member{};  ///< of the group of each net
  };

  Result<void> give(const Host& host, const DatagramPlan& planned, std::uint32_t number);
  void read_datagrams(HostNumber host);
  void read_echoes(HostNumber host);
  void on_datagram(HostNumber host, const UdpReceived& got);
  void on_reply(HostNumber host, const EchoAnswer& answer);
  void on_echo_error(HostNumber host, const EchoAnswer& answer);
  void take(HostNumber host, Sent& sent, std::size_t bytes);
  std::uint32_t must_hear(const Sent& sent) const;
  std::string name_of(std::uint32_t number) const;
  /// Fills `bytes` with what datagram `number` consists of: its number, then what follows from it.
  void compose(std::uint32_t number, std::span<std::byte> bytes) const;
  bool is_whole(std::uint32_t number, std::span<const std::byte> bytes);

  Stage& stage_;
  std::uint64_t seed_;
  std::vector<Host> hosts_;
  std::vector<Sent> sent_;  // by number
  std::vector<std::byte> room_;
  std::vector<std::byte> expected_;
  std::uint64_t bytes_ = 0;
};

/// Which datagram a payload of UDP or ICMP echo, headers included, is of.
std::uint32_t number_of_datagram(std::span<const std::byte> payload);

}  // namespace hawser::swarm
