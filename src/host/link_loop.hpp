// Runs an emulated link in real time: epoll over both devices, and a timer for what is due.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

#include "host/wake_up.hpp"
#include "link/emulator.hpp"

namespace hawser::host {

/// One thread is in `run`; others may look at the emulator, and change it, under the lock.
class LinkLoop {
 public:
  using Lock = std::unique_lock<std::mutex>;

  /// `emulator` outlives the loop.
  explicit LinkLoop(link::Emulator& emulator);

  /// Returns when `stop` polls readable, or why a device will never carry a frame again.
  std::optional<DeviceError> run(int stop);

  Lock lock() const { return Lock(mutex_); }
  /// Only under the lock.
  link::Emulator& emulator() { return emulator_; }

 private:
  void add(int fd, std::uint64_t tag);
  void update_interest(link::Way way);
  std::optional<DeviceError> fault();

  link::Emulator& emulator_;
  Descriptor epoll_;
  Alarm alarm_;
  std::array<std::uint32_t, 2> interest_{};  // of each device, as epoll knows it
  mutable std::mutex mutex_;
};

}  // namespace hawser::host
