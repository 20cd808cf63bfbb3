// A host: a stack that runs in real time on one or more devices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hawser/device.hpp"
#include "hawser/io.hpp"
#include "hawser/stack.hpp"

namespace hawser {

namespace host {
class Engine;
}

struct HostConfig {
  /// One interface for each device, in the same order. The MTU of each is its device's.
  StackConfig stack;
  /// Of the stack's randomness, in place of `stack.seed`; unset takes it from getrandom(2).
  std::optional<std::uint64_t> seed;
  /// Bytes that packets and buffers of this host may hold at one time.
  std::size_t memory_limit = std::size_t{1} << 30;
  /// Whether the host runs in a thread of its own. If not, the program polls `Host::descriptor`
  /// and calls `Host::turn`; calls that block then need another thread which does so.
  bool start_thread = true;
};

/// What a host has done since it began.
struct HostCounters {
  std::uint64_t turns = 0;           ///< of the loop: how often it woke
  std::uint64_t frames_read = 0;     ///< from devices
  std::uint64_t frames_written = 0;  ///< taken by devices
  /// Thrown away because one device of several was blocked and its queue full.
  std::uint64_t frames_dropped = 0;
};

/// Runs a stack on its devices: reads and writes frames in batches, sleeps until the next deadline,
/// and wakes the threads that wait on sockets. A process may have any number of hosts. All calls
/// are safe from any thread. Sockets may outlive their host: their calls then give
/// Error::shut_down.
class Host {
 public:
  /// Throws std::system_error when the operating system gives no descriptors or no thread, and
  /// std::invalid_argument when interfaces and devices are not of one number.
  Host(HostConfig config, std::unique_ptr<Device> device);
  Host(HostConfig config, std::vector<std::unique_ptr<Device>> devices);
  Host(Host&& other) noexcept;
  Host& operator=(Host&& other) noexcept;
  /// Stops.
  ~Host();

  /// Resets the connections that are open, gives leases of addresses back, ends the thread and lets
  /// the devices go. Calls that wait on sockets of this host return Error::shut_down. Connections
  /// that were closed but have not finished are forgotten: `drain` first to let them finish.
  void stop();
  /// Waits until no connection is left but those in TIME-WAIT: what was closed has been delivered
  /// and acknowledged. False when the deadline passed first or the host was stopped.
  bool drain(Deadline deadline);

  /// Why the first device that failed did so, as when its interface was removed; nothing while all
  /// work. When the last one has failed the host stops by itself.
  std::optional<DeviceError> device_failure() const;

  StackCounters stack_counters() const;
  StackCensus census() const;
  /// The own addresses and the routes, as Stack gives them; none once stopped.
  std::vector<AddressInfo> addresses() const;
  std::vector<RouteInfo> routes() const;
  /// What DHCP servers gave, all servers of names, and the domains in which short names are looked
  /// for; none once stopped.
  std::vector<LeaseInfo> leases() const;
  std::vector<Endpoint> dns_servers() const;
  std::vector<std::string> search_domains() const;
  HostCounters counters() const;

  /// Polls readable when `turn` has work to do, unless the host has a thread of its own.
  int descriptor() const;
  /// Does what is to be done now, without waiting; for hosts that have no thread of their own.
  void turn();

  /// For the sockets.
  const std::shared_ptr<host::Engine>& engine() const { return engine_; }

 private:
  std::shared_ptr<host::Engine> engine_;
};

}  // namespace hawser
