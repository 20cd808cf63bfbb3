#include "cli/link_options.hpp"

#include <fmt/format.h>

#include <chrono>
#include <random>
#include <utility>

#include "cli/command.hpp"
#include "cli/impairment_options.hpp"
#include "hawser/impaired.hpp"
#include "hawser/pcapng.hpp"
#include "hawser/tun.hpp"

namespace hawser::cli {

namespace {

constexpr std::string_view kTunPrefix = "tun:";

std::vector<Prefix> read_prefixes(const std::vector<std::string>& texts, std::string_view option) {
  std::vector<Prefix> prefixes;
  for (const std::string& text : texts) {
    const std::optional<Prefix> prefix = Prefix::parse(text);
    if (!prefix) {
      refuse_usage(fmt::format("{}: '{}' is no address: write it as 10.9.0.2/24 or fd00:9::2/64",
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

/// A stack and the kernel cannot both be the same host.
void check_ends(const std::vector<Prefix>& ours, const std::vector<Prefix>& theirs) {
  for (const Prefix& own : ours) {
    for (const Prefix& other : theirs) {
      if (own.address == other.address) {
        refuse_usage(fmt::format(
            "{} is both --address and --host-address: each end of the link needs its own",
            own.address.to_string()));
      }
    }
  }
}

Duration realtime_epoch() {
  return std::chrono::system_clock::now().time_since_epoch() -
         std::chrono::steady_clock::now().time_since_epoch();
}

std::unique_ptr<Device> open_tun(const LinkOptions& options, std::vector<Prefix> host_addresses) {
  TunConfig config;
  config.name = options.link.substr(kTunPrefix.size());
  config.mtu = options.mtu;
  config.host_addresses = std::move(host_addresses);
  auto device = TunDevice::open(config);
  if (!device) give_up(device.error().message);
  return std::move(*device);
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
std::unique_ptr<Device> record(std::unique_ptr<Device> device, const LinkOptions& options) {
  if (options.pcapng.empty()) return device;
  auto writer = PcapngWriter::create(options.pcapng);
  if (!writer) give_up(writer.error().message);
  return std::make_unique<CaptureDevice>(std::move(device), std::move(*writer),
                                         options.link.substr(kTunPrefix.size()), realtime_epoch());
}

}  // namespace

void add_link_options(CLI::App& command, LinkOptions& options) {
  const std::string group = "Link";
  const auto describe = [&](CLI::Option* option, const std::string& type) {
    option->group(group)->type_name(type);
    return option;
  };
  describe(command.add_option("--link", options.link, "device: tun:NAME, made if it is not there"),
           "LINK")
      ->required();
  describe(command.add_option("--address", options.addresses,
                              "of our stack, as 10.9.0.2/24; once for each address"),
           "ADDR/LEN")
      ->required()
      ->expected(1)
      ->take_all();
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
  describe(command.add_option("--mtu", options.mtu, "bytes of the largest packet"), "BYTES")
      ->capture_default_str();
  describe(command.add_option("--pcapng", options.pcapng, "record all packets, for Wireshark"),
           "FILE");
  add_impairment_options(command, options.impairment);
  command.add_option("--seed", options.seed, "of what the impairments hit; random without it")
      ->group("Impairments, in both directions")
      ->type_name("N");
}

std::unique_ptr<Host> open_host(const LinkOptions& options) {
  if (!options.link.starts_with(kTunPrefix) || options.link.size() == kTunPrefix.size()) {
    refuse_usage(
        fmt::format("--link: '{}' is no link: write tun:NAME, as in tun:hw0", options.link));
  }
  HostConfig config;
  InterfaceConfig interface;
  interface.name = options.link.substr(kTunPrefix.size());
  interface.addresses = read_prefixes(options.addresses, "--address");
  config.stack.gateways = read_addresses(options.gateways, "--gateway");
  std::vector<Prefix> host_addresses = read_prefixes(options.host_addresses, "--host-address");
  check_ends(interface.addresses, host_addresses);
  config.stack.interfaces.push_back(std::move(interface));
  std::unique_ptr<Device> device = open_tun(options, std::move(host_addresses));
  return std::make_unique<Host>(std::move(config),
                                record(impair(std::move(device), options), options));
}

}  // namespace hawser::cli
