// The inside of a host: one stack, its devices, its loop, and the threads that wait.
//
// One mutex guards everything. The loop holds it while it works and not while it sleeps. A call of
// a socket takes it, does its call of the stack, and sends what that gave to send itself, which
// costs less than waking the loop; only the timer may then need to be set earlier. The memory of
// packets is shared with the send buffers of the stack, so devices are read and written under the
// mutex, too.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <sys/epoll.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "hawser/host.hpp"
#include "host/wake_up.hpp"

namespace hawser::host {

/// A thread that waits for a socket. Lives on the stack of that thread.
struct Waiter {
  Ready interest = Ready::none;
  bool woken = false;
  std::condition_variable wake{};
};

/// Something that wants to hear of each readiness of a socket, as pollers do. Called under the
/// mutex.
class Watch {
 public:
  virtual void on_ready() = 0;
  /// The socket was closed or the host stopped: the socket must not be looked at again. The watch
  /// may end with this call.
  virtual void on_gone() = 0;

 protected:
  ~Watch() = default;
};

/// What the engine knows of a socket that somebody holds. Guarded by the engine's mutex.
struct SocketEntry {
  SocketHandle handle;
  std::vector<Waiter*> waiters;  ///< the longest waiting first
  std::vector<Watch*> watches;
};

class Engine {
 public:
  using Lock = std::unique_lock<std::mutex>;

  Engine(HostConfig config, std::vector<std::unique_ptr<Device>> devices);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();
  /// Ends the thread, resets what is open, wakes all who wait. Once done it does nothing.
  void stop();

  /// Steady time as the stack sees it. Under the lock it never goes backwards.
  static Instant now();

  // ---- the loop

  int descriptor() const { return epoll_.get(); }
  void turn();

  // ---- for sockets; all but `lock` under the lock

  Lock lock() const { return Lock(mutex_); }
  bool stopped() const { return stopped_; }
  /// Not to be used once stopped.
  Stack& stack() { return *stack_; }
  /// Sends what is ready to leave, wakes whom it concerns, sets the timer.
  void after_call(Instant at);

  /// From now on readiness of `entry.handle` reaches `entry`, until `detach`.
  void attach(SocketEntry& entry);
  /// Ends all waiting for the socket and clears the handle.
  void detach(SocketEntry& entry);

  /// Likewise of an entry that stands for many sockets and has no handle: it is woken by `notify`
  /// and by the end of the host.
  void attach_group(SocketEntry& entry) { groups_.push_back(&entry); }
  void detach_group(SocketEntry& entry) { std::erase(groups_, &entry); }

  /// Tells those who wait for `entry` what has become possible.
  void notify(SocketEntry& entry, Ready what);
  /// Sleeps until one of `interest` (or an error, or the end) was told of the socket, the socket
  /// was closed, or the host stopped. False when `until` passed first.
  bool wait(Lock& lock, SocketEntry& entry, Ready interest, Instant until);
  /// Readiness is told once, to the first who waits for it. Whoever leaves what it has not used up
  /// passes it on.
  void pass_on(SocketEntry& entry);
  /// Sleeps until the peer has acknowledged all, our FIN included, or the connection is gone. False
  /// when `until` passed first.
  bool wait_until_acknowledged(Lock& lock, SocketHandle socket, Instant until);
  /// The same for all connections that there are.
  bool wait_until_quiet(Lock& lock, Instant until);

  HostCounters counters() const { return counters_; }
  const std::optional<DeviceError>& device_failure() const { return failure_; }
  StackCounters stack_counters() const;
  StackCensus census() const;

 private:
  /// A device and what it could not take yet.
  struct Port {
    std::unique_ptr<Device> device;
    std::vector<Packet> queue{};
    bool polled_for_writing = false;
    bool readable = false;
    bool failed = false;
  };
  /// A thread that waits for the end of a connection, or of all.
  struct Departure {
    SocketHandle socket;  ///< none: of all
    bool done = false;
    std::condition_variable wake{};
  };

  static std::uint64_t key_of(SocketHandle handle) {
    return std::uint64_t{handle.index} << 32U | handle.generation;
  }
  void run();
  void do_stop();
  /// All but the end of the thread.
  void finish();
  void retire(Port& port, const DeviceError& why);
  void note_events(std::span<const epoll_event> events);
  void work();
  void read_device(Instant at, std::size_t index);
  /// True when frames may be left that could be sent now.
  bool flush(Instant at);
  bool all_ports_blocked() const;
  void send_leaving(Instant at);
  void write_port(Instant at, Port& port);
  void deliver();
  void check_departures();
  bool has_departed(const Departure& departure) const;
  bool wait_for_departure(Lock& lock, Departure& departure, Instant until);
  Instant next_deadline() const;
  void register_descriptor(int fd, std::uint64_t tag);
  /// Resets the connections that are open, and gives leases of addresses back.
  void take_leave();
  void wake_everyone();

  mutable std::mutex mutex_;
  std::vector<Port> ports_;
  BufferPool pool_;
  std::unique_ptr<Stack> stack_;
  StackCounters last_counters_;
  HostCounters counters_;
  std::optional<DeviceError> failure_{};  ///< of the first device that failed
  bool stopping_ = false;                 ///< the loop ends
  bool stopped_ = false;                  ///< there is no stack any more
  std::once_flag stop_once_;
  bool more_ = false;  ///< there is work that no descriptor tells of

  absl::flat_hash_map<std::uint64_t, SocketEntry*> entries_;  ///< by `key_of` their handles
  std::vector<SocketEntry*> groups_;
  std::vector<Departure*> departures_;

  // Kept from turn to turn so that nothing is allocated when all is steady.
  std::vector<Packet> received_;
  std::vector<Packet> leaving_;

  Descriptor epoll_;
  Alarm alarm_;
  WakeUp wake_up_;
  std::thread thread_;
};

}  // namespace hawser::host
