#include "cli/link_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace hawser::cli {

namespace {

using Fault = std::optional<std::string>;

std::size_t bits_of(const IpAddress& address) { return address.is_v4() ? 32 : 128; }

bool is_whole(const Prefix& prefix) { return prefix.length == bits_of(prefix.address); }

/// Whether all bits behind the network part are `value`.
bool host_part_is(const Prefix& prefix, bool value) {
  const auto& bytes = prefix.address.bytes();
  const std::size_t begin = 128 - bits_of(prefix.address) + prefix.length;
  for (std::size_t bit = begin; bit < 128; ++bit) {
    if (((bytes[bit / 8] >> (7 - bit % 8)) & 1U) != (value ? 1U : 0U)) return false;
  }
  return true;
}

/// Why no host can have the address; empty when one can.
std::string_view unfit_for_a_host(const Prefix& prefix) {
  const IpAddress& address = prefix.address;
  if (address.is_unspecified()) return "it stands for no address at all";
  if (address.is_loopback()) return "it is of the loopback network, which never leaves a host";
  if (address.is_multicast()) return "it is a multicast group";
  if (!address.is_v4()) return "";
  if (address.is_limited_broadcast()) return "it is the broadcast address";
  if (prefix.length >= 31) return "";  // RFC 3021: both addresses of a /31 are hosts
  if (host_part_is(prefix, true)) return "it is the broadcast address of that network";
  if (host_part_is(prefix, false)) return "it is that network itself";
  return "";
}

Fault check_each(const std::vector<Prefix>& addresses, std::string_view option) {
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string_view why = unfit_for_a_host(addresses[i]);
    if (!why.empty()) {
      return fmt::format("{}: no host can have {}: {}", option, addresses[i].to_string(), why);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (addresses[i].address == addresses[j].address) {
        return fmt::format("{}: {} is given twice", option, addresses[i].address.to_string());
      }
    }
  }
  return std::nullopt;
}

/// A stack and the kernel cannot both be the same host, and each must find the other on the link.
Fault check_ends(const LinkAddresses& addresses) {
  const std::vector<Prefix>& ours = addresses.ours;
  const auto is_v6 = [](const Prefix& own) { return !own.address.is_v4(); };
  // One that was given is meant to meet the kernel's: then a slip is told at once.
  const bool advertised = addresses.advertised && std::ranges::none_of(ours, is_v6);
  for (const Prefix& theirs : addresses.kernel) {
    bool meets = theirs.address.is_v4() ? addresses.leased : advertised;
    for (const Prefix& own : ours) {
      if (own.address == theirs.address) {
        return fmt::format(
            "{} is both --address and --host-address: each end of the link needs its own",
            own.address.to_string());
      }
      meets = meets || (own.contains(theirs.address) && theirs.contains(own.address));
    }
    if (!meets) {
      return fmt::format(
          "--host-address {} is in one network with no --address, so that the two ends cannot "
          "reach each other: write them as 10.9.0.2/24 and 10.9.0.1/24",
          theirs.to_string());
    }
  }
  return std::nullopt;
}

Fault check_gateway(const std::vector<Prefix>& ours, const IpAddress& gateway) {
  if (std::ranges::any_of(ours, [&](const Prefix& own) { return own.address == gateway; })) {
    return fmt::format("--gateway: {} is our own --address", gateway.to_string());
  }
  const bool near = gateway.is_link_local() || std::ranges::any_of(ours, [&](const Prefix& own) {
                      // A lone address has no network: its gateway is on the link because it is
                      // said to be.
                      const bool lone = is_whole(own) && own.address.family() == gateway.family();
                      return lone || own.contains(gateway);
                    });
  if (near) return std::nullopt;
  return fmt::format("--gateway: {} is in the network of no --address", gateway.to_string());
}

}  // namespace

std::optional<std::string> find_fault(const LinkAddresses& addresses) {
  if (Fault fault = check_each(addresses.ours, "--address")) return fault;
  if (Fault fault = check_each(addresses.kernel, "--host-address")) return fault;
  if (Fault fault = check_ends(addresses)) return fault;
  for (const IpAddress& gateway : addresses.gateways) {
    if (addresses.leased && gateway.is_v4()) continue;
    if (Fault fault = check_gateway(addresses.ours, gateway)) return fault;
  }
  return std::nullopt;
}

}  // namespace hawser::cli
