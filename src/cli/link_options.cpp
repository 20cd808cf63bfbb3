#include "cli/link_options.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "cli/command.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_checks.hpp"
#include "cli/link_name.hpp"
#include "cli/numbers.hpp"
#include "cli/stream_command.hpp"
#include "hawser/impaired.hpp"
#include "hawser/packet_socket.hpp"
#include "hawser/pcapng.hpp"
#include "hawser/tap.hpp"
#include "hawser/tun.hpp"

namespace hawser::cli {

namespace {

std::optional<MacAddress> read_mac(const LinkOptions& options, const LinkName& link) {
  if (options.mac.empty()) return std::nullopt;
  if (link.kind == LinkName::Kind::tun) {
    refuse_usage("--mac: a TUN device has no addresses of an Ethernet: use --link tap:NAME");
  }
  const std::optional<MacAddress> mac = MacAddress::parse(options.mac);
  if (!mac) {
    refuse_usage(
        fmt::format("--mac: '{}' is no address of an Ethernet: write it as "
                    "02:00:00:00:00:01",
                    options.mac));
  }
  return mac;
}

Parsed<std::optional<std::uint64_t>> parse_link_seed(std::string_view text) {
  return parse_count(text);
}

std::vector<Prefix> read_prefixes(const std::vector<std::string>& texts, std::string_view option) {
  std::vector<Prefix> prefixes;
  for (const std::string& text : texts) {
    const std::optional<Prefix> prefix = Prefix::parse(text);
    // An address alone would be a network of its own, from which nobody is reached.
    if (!prefix || !text.contains('/')) {
      refuse_usage(
          fmt::format("{}: '{}' is no address with the length of its network: write it as "
                      "10.9.0.2/24 or fd00:9::2/64",
                      option, text));
    }
    prefixes.push_back(*prefix);
  }
  return prefixes;
}

std::vector<IpAddress> read_addresses(const std::vector<std::string>& texts,
                                      std::string_view option) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    if (!address) {
      refuse_usage(
          fmt::format("{}: '{}' is no address: write it as 10.9.0.1 or fd00:9::1", option, text));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

Duration realtime_epoch() {
  return std::chrono::system_clock::now().time_since_epoch() -
         std::chrono::steady_clock::now().time_since_epoch();
}

std::unique_ptr<Device> open_device(const LinkName& link, const LinkOptions& options,
                                    const std::vector<Prefix>& host_addresses) {
  const std::optional<MacAddress> mac = read_mac(options, link);
  switch (link.kind) {
    case LinkName::Kind::tun:
      return or_give_up(TunDevice::open({link.name, options.mtu, host_addresses}));
    case LinkName::Kind::tap:
      return or_give_up(TapDevice::open({link.name, options.mtu, host_addresses, mac}));
    case LinkName::Kind::packet:
      break;
  }
  if (!host_addresses.empty()) {
    refuse_usage(
        fmt::format("--host-address: a packet socket leaves the interface as it is: "
                    "give it addresses with 'ip address add ... dev {}'",
                    link.name));
  }
  if (options.mtu) {
    refuse_usage(
        fmt::format("--mtu: a packet socket leaves the interface as it is: change it with "
                    "'ip link set {} mtu {}'",
                    link.name, *options.mtu));
  }
  return or_give_up(PacketSocketDevice::open({link.name, mac, !options.pcapng.empty()}));
}

std::unique_ptr<Device> impair(std::unique_ptr<Device> device, const LinkOptions& options) {
  if (options.impairment == Impairment{}) return device;
  ImpairedConfig config;
  config.outbound = options.impairment;
  config.inbound = options.impairment;
  config.seed = options.seed ? *options.seed : std::random_device{}();
  return std::make_unique<ImpairedDevice>(std::move(device), config);
}

/// Outside of the impairments: it records what the stack sends and gets, as tcpdump on a host does.
std::unique_ptr<Device> record(std::unique_ptr<Device> device, const LinkOptions& options,
                               const std::string& name) {
  if (options.pcapng.empty()) return device;
  auto writer = PcapngWriter::create(options.pcapng);
  if (!writer) give_up(writer.error().message);
  return std::make_unique<CaptureDevice>(std::move(device), std::move(*writer), name,
                                         realtime_epoch());
}

/// Nobody who has not asked for a name has to have one.
std::optional<ControlSocket> open_control(Host& host, const std::string& name) {
  auto control = ControlSocket::open(host, {name, {}});
  if (control) return std::move(*control);
  if (control.error().code == make_error_code(Error::invalid_argument)) {
    refuse_usage(fmt::format("--name: {}", control.error().message));
  }
  if (!name.empty()) give_up(fmt::format("--name: {}", control.error().message));
  fmt::print(stderr, "hawser: this host cannot be asked: {}\n", control.error().message);
  return std::nullopt;
}

}  // namespace

void add_link_options(CLI::App& command, LinkOptions& options) {
  const std::string group = "Link";
  const auto describe = [&](CLI::Option* option, const std::string& type) {
    option->group(group)->type_name(type);
    return option;
  };
  describe(command.add_option(
               "--link", options.link,
               "device: tun:NAME or tap:NAME, made if it is not there, or packet:NAME on an "
               "Ethernet that is"),
           "LINK")
      ->required();
  describe(command.add_option("--address", options.addresses,
                              "of our stack, as 10.9.0.2/24; once for each address"),
           "ADDR/LEN")
      ->expected(1)
      ->take_all();
  command
      .add_flag("--dhcp", options.dhcp,
                "ask a DHCP server for an IPv4 address, a gateway and servers of names")
      ->group(group);
  describe(command.add_option("--host-address", options.host_addresses,
                              "of the kernel's end of the link, as 10.9.0.1/24"),
           "ADDR/LEN")
      ->expected(1)
      ->take_all();
  describe(command.add_option("--gateway", options.gateways,
                              "for what is not on the link, one of each family"),
           "ADDR")
      ->expected(1)
      ->take_all();
  describe(command.add_option("--dns", options.name_servers,
                              "whom to ask for names, in this order; without it those that the "
                              "network tells, or those of /etc/resolv.conf"),
           "ADDR")
      ->expected(1)
      ->take_all();
  describe(command.add_option("--mac", options.mac,
                              "our address on the Ethernet of a tap or packet link; random "
                              "without it"),
           "MAC");
  add_parsed(command, "--mtu", options.mtu, parse_mtu,
             "bytes of the largest packet on a tun or tap link; 1500 for a new one without it",
             "BYTES")
      ->group(group);
  describe(command.add_option("--pcapng", options.pcapng, "record all packets, for Wireshark"),
           "FILE");
  describe(command.add_option("--name", options.name,
                              "by which hawser ss, addr and route know this host; the program and "
                              "its process without it"),
           "NAME");
  add_ecn_option(command, options.ecn)->group(group);
  add_impairment_options(command, options.impairment);
  add_parsed(command, "--seed", options.seed, parse_link_seed,
             "of what the impairments hit; random without it", "N")
      ->group("Impairments, in both directions");
}

namespace {

/// Ends the command when a signal came: it must not have to wait for a server that is not there.
void wait_a_little(StopSignals& signals) {
  pollfd polled{signals.descriptor(), POLLIN, 0};
  if (::poll(&polled, 1, 10) == 1) end_by_signal(signals);
}

/// Without an address of IPv4 there is nothing to do for most.
void wait_for_lease(const Host& host, StopSignals& signals) {
  using namespace std::chrono_literals;
  const auto begin = std::chrono::steady_clock::now();
  const auto is_leased = [](const AddressInfo& own) {
    return own.origin == AddressOrigin::dhcp && own.state == AddressState::preferred;
  };
  while (std::ranges::none_of(host.addresses(), is_leased)) {
    // Whether another has it takes some seconds to ask (RFC 5227 2.1.1).
    if (std::chrono::steady_clock::now() - begin > (host.leases().empty() ? 30s : 40s)) {
      give_up(
          "--dhcp: no server gave an address: is there one on this link? Otherwise give one "
          "with --address");
    }
    wait_a_little(signals);
  }
}

/// Without any other address there is nothing to do before a router has told its prefix.
void wait_for_advertised(const Host& host, const std::vector<Prefix>& host_addresses,
                         StopSignals& signals) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + 30s;
  const auto meets_the_kernel = [&](const AddressInfo& own) {
    return own.state == AddressState::preferred &&
           std::ranges::any_of(host_addresses, [&](const Prefix& theirs) {
             return own.prefix.contains(theirs.address);
           });
  };
  while (std::ranges::none_of(host.addresses(), meets_the_kernel)) {
    if (std::chrono::steady_clock::now() > end) {
      give_up(
          "no router advertised the network of --host-address: is there one on this link? "
          "Otherwise give our own address with --address");
    }
    wait_a_little(signals);
  }
}

/// Until the link was asked about the given addresses they may not be used (RFC 4862 5.4).
void wait_for_addresses(const Host& host, StopSignals& signals) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + 5s;
  for (;;) {
    bool tentative = false;
    for (const AddressInfo& own : host.addresses()) {
      if (own.origin != AddressOrigin::manual) continue;
      if (own.state == AddressState::duplicate) {
        give_up(fmt::format("--address {}: another host on the link has it",
                            own.prefix.address.to_string()));
      }
      tentative = tentative || own.state == AddressState::tentative;
    }
    if (!tentative || std::chrono::steady_clock::now() > end) return;
    wait_a_little(signals);
  }
}

}  // namespace

RunningHost open_host(const LinkOptions& options, StopSignals& signals) {
  const LinkName link = read_link_name(options.link, "--link");
  if (options.dhcp && link.kind == LinkName::Kind::tun) {
    refuse_usage("--dhcp: there is no DHCP on a TUN device: use --link tap:NAME or packet:NAME");
  }
  const bool is_tap = link.kind == LinkName::Kind::tap;
  const bool by_itself = is_tap && !options.host_addresses.empty() && options.addresses.empty();
  if (!options.dhcp && options.addresses.empty() && !by_itself) {
    refuse_usage("--address is required, unless a DHCP server gives one (--dhcp)");
  }
  HostConfig config;
  InterfaceConfig interface;
  interface.name = link.name;
  interface.addresses = read_prefixes(options.addresses, "--address");
  config.stack.gateways = read_addresses(options.gateways, "--gateway");
  const std::vector<Prefix> host_addresses =
      read_prefixes(options.host_addresses, "--host-address");
  if (const auto fault = find_fault(
          {interface.addresses, host_addresses, config.stack.gateways, options.dhcp, is_tap})) {
    refuse_usage(*fault);
  }
  interface.dhcp = options.dhcp;
  config.stack.tcp.defaults.ecn = options.ecn;
  config.stack.interfaces.push_back(std::move(interface));
  std::unique_ptr<Device> device = impair(open_device(link, options, host_addresses), options);
  auto host =
      std::make_unique<Host>(std::move(config), record(std::move(device), options, link.name));
  wait_for_addresses(*host, signals);
  if (options.dhcp) {
    wait_for_lease(*host, signals);
  } else if (by_itself) {
    wait_for_advertised(*host, host_addresses, signals);
  }
  std::optional<ControlSocket> control = open_control(*host, options.name);
  return {std::move(host), std::move(control), read_addresses(options.name_servers, "--dns")};
}

}  // namespace hawser::cli
