// How an interface on an Ethernet comes to IPv6 addresses, routes and servers by itself: its own
// link-local address, questions for routers, and what these advertise (RFC 4861 6.3, RFC 4862 5,
// RFC 7559, RFC 8106).
//
//   autoconfiguration.cpp     the life of an interface: its address, duplicates, solicitations
//   router_advertisement.cpp  what routers say: default routes, prefixes, addresses, servers
//   redirect.cpp              better first hops, of IPv4 too (RFC 1122 3.2.2.2, RFC 4861 8.3)
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "core/random.hpp"
#include "hawser/addressing.hpp"
#include "hawser/mac_address.hpp"
#include "ip/duplicate_detection.hpp"
#include "ip/interface_identifier.hpp"
#include "ip/interfaces.hpp"
#include "wire/neighbour_discovery.hpp"

namespace hawser::ip {

/// Ask all routers of the link to advertise themselves.
struct SolicitRouters {
  InterfaceId interface{};
  std::optional<IpAddress> source{};  ///< unset: from ::, since there is no address yet
};
/// An address that was tentative may be used.
struct AddressReady {
  InterfaceId interface{};
  IpAddress address;
};
/// Another on the link has an address that we wanted: it is not used.
struct AddressTaken {
  InterfaceId interface{};
  IpAddress address;
};
using AutoconfigurationOutput =
    std::variant<ProbeAddress, SolicitRouters, AddressReady, AddressTaken>;

/// Keeps addresses and routes of `Interfaces` as the link tells. It sends nothing itself: what is
/// to be done is polled. What routers say is bounded for each interface; of too much, the first
/// counts.
class Autoconfiguration {
 public:
  static constexpr std::size_t kMaxRouters = 8;    ///< RFC 4861 6.3.4: at least two
  static constexpr std::size_t kMaxPrefixes = 16;  ///< on the link
  static constexpr std::size_t kMaxAddresses = 16;
  static constexpr std::size_t kMaxServers = 4;  ///< RFC 8106 5.3.1: at least three
  static constexpr std::size_t kMaxRedirects = 64;

  /// Routes that routers advertise have this metric, less or more by one as they prefer
  /// (RFC 4191 3): those of the configuration come first.
  static constexpr std::uint32_t kRouterMetric = 1024;
  /// RFC 4861 10, RFC 7559 2
  static constexpr Duration kMaxSolicitationDelay = std::chrono::seconds(1);
  static constexpr Duration kSolicitationInterval = std::chrono::seconds(4);
  static constexpr Duration kMaxSolicitationInterval = std::chrono::hours(1);
  /// RFC 4862 5.5.3 (e): nobody makes an address that lives longer end sooner than this.
  static constexpr Duration kTwoHours = std::chrono::hours(2);
  /// How often another identifier is tried (RFC 7217 7: IDGEN_RETRIES).
  static constexpr std::uint8_t kIdentifierRetries = 3;
  /// How long a redirect is believed.
  static constexpr Duration kRedirectLifetime = std::chrono::minutes(10);
  /// Routers may not cut the paths of packets to less hops than this.
  static constexpr std::uint8_t kLeastHopLimit = 32;

  /// `interfaces` outlives it. `key` and `kind` are how identifiers are made.
  Autoconfiguration(Interfaces& interfaces, Random random, KeyedHash key, IdentifierKind kind);

  // ---- what the stack wants

  /// Begins on an Ethernet: a link-local address, unless it has one, and then questions for
  /// routers.
  void start(Instant now, InterfaceId interface, const MacAddress& mac);
  bool is_started(InterfaceId interface) const { return state_of(interface) != nullptr; }
  /// Asks whether another has an address of ours that is tentative; it is made usable then.
  void detect_duplicates(Instant now, InterfaceId interface, const IpAddress& address, bool delay);
  /// An address was removed: no longer asked about.
  void on_removed(InterfaceId interface, const IpAddress& address);

  // ---- what was heard on the link

  /// `source` is a link-local address (RFC 4861 6.1.2).
  void on_router_advertisement(Instant now, InterfaceId interface, const IpAddress& source,
                               const wire::RouterAdvertisement& advertised);
  /// Of either family. False when it is not from the router that we use to the destination
  /// (RFC 1122 3.2.2.2, RFC 4861 8.1), or leads to no neighbour; of IPv6 also when the interface
  /// was not started.
  bool on_redirect(Instant now, InterfaceId interface, const IpAddress& source,
                   const wire::Redirect& redirect);
  /// Somebody says that it has an address: an advertisement, or ARP with it as sender.
  void on_claim(InterfaceId interface, const IpAddress& address);
  /// Somebody asks whether it may have an address.
  void on_probe(InterfaceId interface, const IpAddress& address,
                const std::optional<wire::Nonce>& nonce);
  /// A router says that it is none any more (RFC 4861 7.2.5).
  void on_router_ceased(InterfaceId interface, const IpAddress& router);
  /// A neighbour does not answer: redirects to it count no more.
  void on_neighbour_lost(InterfaceId interface, const IpAddress& neighbour);

  // ---- time, and what is to be done

  void on_time(Instant now);
  Instant next_deadline() const;
  std::optional<AutoconfigurationOutput> poll_output(Instant now);

  /// Servers of names that routers told, of all interfaces, the first heard in front.
  std::vector<Endpoint> dns_servers() const;
  /// Of what is sent by an interface, if a router said so (RFC 4861 6.3.2: CurHopLimit).
  std::optional<std::uint8_t> hop_limit(InterfaceId interface) const;

 private:
  struct Server {
    IpAddress address;
    Instant valid_until{};
  };
  struct State {
    InterfaceId interface{};
    MacAddress mac;
    bool has_router = false;  ///< one that advertised itself is still to be used
    Instant next_solicitation = kNever;
    Duration interval{};         ///< between the last and the next
    std::uint8_t hop_limit = 0;  ///< zero: not told
    std::vector<Server> servers;
  };

  State* state_of(InterfaceId interface);
  const State* state_of(InterfaceId interface) const;

  // autoconfiguration.cpp
  void make_address(Instant now, const State& state, OwnAddress wanted);
  void on_verdict(Instant now, const AddressVerdict& verdict);
  void on_duplicate(Instant now, const OwnAddress& own);
  void on_usable(Instant now, const OwnAddress& own);
  void begin_solicitations(Instant now, State& state);
  void solicit(Instant now, State& state);
  void settle(Instant now);
  void settle_duplicates(Instant now);
  void miss_routers(Instant now);
  Duration jitter(Duration of);

  // redirect.cpp
  bool is_gateway_on_link(InterfaceId interface, const IpAddress& gateway) const;

  // router_advertisement.cpp
  void on_default_router(Instant now, State& state, const IpAddress& source,
                         const wire::RouterAdvertisement& advertised);
  void on_prefix_on_link(Instant now, const State& state, const wire::PrefixInformation& told);
  void on_autonomous_prefix(Instant now, const State& state, const IpAddress& source,
                            const wire::PrefixInformation& told);
  static void on_server(Instant now, State& state, const wire::DnsServer& told);
  std::size_t count_routes(InterfaceId interface, RouteOrigin origin, bool with_gateway) const;

  Interfaces& interfaces_;
  Random random_;
  KeyedHash key_;
  IdentifierKind kind_;
  DuplicateDetection duplicates_;
  std::vector<State> states_;      // of the interfaces that were started
  std::uint64_t routes_seen_ = 0;  // generation of interfaces_ when routers were last looked for
  std::deque<RouteInfo> redirects_;
  std::deque<AutoconfigurationOutput> outputs_;
};

}  // namespace hawser::ip
