// What TUN and TAP interfaces of Linux have in common: the kernel on one side, this stack on the
// other. On a TUN frames are bare IP packets, on a TAP those of an Ethernet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hawser/device.hpp"

namespace hawser {

namespace link {
struct TunTapFile;
}

/// An interface of /dev/net/tun, one frame a system call. It is removed when this ends, unless it
/// was there before as a persistent one; then its addresses stay, too.
class TunTapDevice : public Device {
 public:
  ~TunTapDevice() override;

  std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override;
  /// What the kernel refuses, since the interface is down or the frame cannot be one, is lost.
  std::size_t write(Instant now, std::span<Packet> frames) override;
  int descriptor() const override { return fd_; }
  bool wants_writable() const override { return blocked_; }
  std::uint32_t mtu() const override { return mtu_; }
  /// Once somebody has removed the interface.
  std::optional<DeviceError> fault() const override { return failure_; }

  const std::string& name() const { return name_; }
  /// How many frames of the kernel's may wait to be read before it loses more of them; 1000 or 500
  /// for a new one. False when the kernel does not let us, as without CAP_NET_ADMIN.
  bool set_queue(std::uint32_t frames);
  /// Frames that the kernel refused.
  std::uint64_t refused() const { return refused_; }

 protected:
  /// Takes the file and leaves none behind.
  explicit TunTapDevice(link::TunTapFile& file);

 private:
  int fd_;
  std::string name_;
  std::uint32_t mtu_;
  std::uint32_t largest_frame_;
  bool blocked_ = false;
  std::uint64_t refused_ = 0;
  std::optional<DeviceError> failure_{};
};

}  // namespace hawser
