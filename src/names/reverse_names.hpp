// From addresses to the names of hosts, by DNS over a host's own sockets (RFC 1035 3.5,
// RFC 3596 2.5), for those who show addresses and do not wait for a name.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "hawser/address.hpp"
#include "hawser/host.hpp"
#include "hawser/resolver.hpp"
#include "names/channel.hpp"
#include "names/dns_sockets.hpp"

namespace hawser::names {

/// Belongs to one thread. Nothing in it waits: poll its descriptor and call `process`.
class ReverseNames {
 public:
  using Clock = std::chrono::steady_clock;
  /// Addresses that are asked for at the same time; what is more goes without a name.
  static constexpr std::size_t kMaxUnderWay = 64;

  /// Asks `servers`; without any, as hawser::resolve does. Each name may take `patience`.
  ReverseNames(Host& host, const std::vector<IpAddress>& servers,
               Duration patience = std::chrono::seconds(2));

  /// Asks for the name of an address, once.
  void ask(const IpAddress& address);
  /// As it came, whatever is in it; empty when there is none or nobody has told in time. No value
  /// while it may still come.
  std::optional<std::string> name(const IpAddress& address) const;

  /// Polls readable when there is something to process.
  int descriptor() { return sockets_.poller().descriptor(); }
  /// When `process` is to be called even so; an hour when nothing is under way.
  Duration longest_wait() const;
  void process();

 private:
  struct Entry {
    ReverseNames* owner = nullptr;
    Clock::time_point give_up_at;
    bool under_way = true;
    std::string name{};
  };
  static void on_answer(void* entry, int status, int timeouts, hostent* host);

  std::shared_ptr<host::Engine> engine_;
  Duration patience_;
  std::map<IpAddress, Entry> entries_;  // c-ares points into it
  std::size_t under_way_ = 0;
  DnsSockets sockets_;
  Channel channel_;  // null: nobody can be asked
};

}  // namespace hawser::names
