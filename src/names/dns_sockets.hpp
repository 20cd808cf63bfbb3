// The sockets of one look-up: those that c-ares asks for, made on a host of ours.
#pragma once

#include <ares.h>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "hawser/host.hpp"
#include "hawser/poller.hpp"
#include "hawser/tcp_stream.hpp"
#include "hawser/udp_socket.hpp"

namespace hawser::names {

/// c-ares knows each by a number of ours, which is no descriptor of the operating system.
class DnsSockets {
 public:
  explicit DnsSockets(Host& host) : host_(host), poller_(host) {}
  DnsSockets(const DnsSockets&) = delete;
  DnsSockets& operator=(const DnsSockets&) = delete;

  /// The servers that will be asked, of which c-ares forgets the zones.
  void set_servers(std::vector<Endpoint> servers) { servers_ = std::move(servers); }
  const std::vector<Endpoint>& servers() const { return servers_; }
  /// Whether any server has sent anything.
  bool has_heard() const { return heard_; }
  /// Whether a host said that no server is there.
  bool was_refused() const { return refused_; }
  /// Lets `channel` use them; they must outlive it.
  void attach(ares_channel channel);
  /// For ares_options.sock_state_cb, with this object as data: what c-ares waits for.
  static void on_state(void* self, ares_socket_t number, int readable, int writable);

  Poller& poller() { return poller_; }
  /// Tells the channel what has become possible. Error: shut_down.
  IoResult<void> process(ares_channel channel);

 private:
  struct Entry {
    UdpSocket datagrams;
    TcpStream stream;
    bool is_stream = false;
    bool watched = false;
  };

  static ares_socket_t open(int domain, int type, int protocol, void* self);
  static int close(ares_socket_t number, void* self);
  static int connect(ares_socket_t number, const sockaddr* remote, ares_socklen_t length,
                     void* self);
  static ares_ssize_t receive(ares_socket_t number, void* data, std::size_t size, int flags,
                              sockaddr* from, ares_socklen_t* length, void* self);
  static ares_ssize_t send(ares_socket_t number, const iovec* parts, int count, void* self);

  /// Null, with errno set, when there is no such socket.
  Entry* find(ares_socket_t number);
  Endpoint with_zone(const Endpoint& server) const;
  void watch(ares_socket_t number, Ready interest);

  Host& host_;
  Poller poller_;
  std::vector<Endpoint> servers_;
  std::map<ares_socket_t, Entry> entries_;
  ares_socket_t next_ = 1;
  bool heard_ = false;
  bool refused_ = false;
};

}  // namespace hawser::names
