// The few requests of rtnetlink(7) that setting up an interface takes.
#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "hawser/address.hpp"
#include "link/descriptor.hpp"

namespace hawser::link {

/// A socket of NETLINK_ROUTE. Each request waits for the kernel's answer, which comes at once; no
/// error means that it was done.
class Netlink {
 public:
  /// What keeps it from being used, if anything.
  std::error_code open();

  /// Keeps the kernel from giving the interface an address of its own making (fe80::) and from
  /// soliciting routers on it; before it is up.
  std::error_code disable_generated_addresses(int interface);
  /// Sets the MTU, if one is given, and brings the interface up.
  std::error_code bring_up(int interface, std::optional<std::uint32_t> mtu);
  /// Adds an address and waits until packets to it are delivered, which for IPv6 is a little later.
  /// It is no error when it is there already.
  std::error_code add_address(int interface, const Prefix& address);
  /// Whether the kernel takes packets to this address for its own.
  bool is_local(const IpAddress& address);

 private:
  class Request;
  struct Answer;
  /// Sends a request and takes the one message that answers it.
  std::error_code exchange(Request& request, Answer& answer);
  /// The same for a request that is answered with nothing but an error or its absence.
  std::error_code perform(Request& request);
  std::error_code wait_until_local(const IpAddress& address);

  Descriptor socket_;
};

}  // namespace hawser::link
