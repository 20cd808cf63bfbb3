// Captures in pcapng files, which Wireshark, tshark and tcpdump read (draft-ietf-opsawg-pcapng):
// a writer, and a device that records what crosses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/device.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"

namespace hawser {

enum class CaptureDirection : std::uint8_t { inbound = 1, outbound = 2 };

/// What the frames of an interface begin with; the numbers are those of the file.
enum class LinkType : std::uint16_t {
  ethernet = 1,  ///< LINKTYPE_ETHERNET: frames without their check sequence
  raw_ip = 101,  ///< LINKTYPE_RAW: bare IP packets, their version told by the first byte
};

/// Writes frames with stamps in nanoseconds. Bytes are collected and written in large pieces; the
/// rest at `flush` and at the end. After a failure nothing more is written and `error` says why.
/// One thread at a time.
class PcapngWriter {
 public:
  /// Creates or empties the file.
  static std::expected<std::unique_ptr<PcapngWriter>, DeviceError> create(const std::string& path);
  /// Flushes and closes.
  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  /// Describes an interface, as Wireshark shows it; returns its number. Each frame belongs to one.
  std::uint32_t add_interface(std::string_view name, LinkType type = LinkType::raw_ip);
  /// Records a frame. `stamp` is the time since 1970-01-01 00:00 UTC.
  void write_frame(std::uint32_t interface, Duration stamp, CaptureDirection direction,
                   const Packet& frame);

  /// Writes out what was collected. False when that, or anything before it, failed.
  bool flush();
  /// Why writing failed, if it did.
  const std::optional<DeviceError>& error() const { return error_; }

 private:
  friend class CaptureDevice;
  PcapngWriter(int fd, std::string path);

  static void encode_frame(std::vector<std::byte>& to, std::uint32_t interface, Duration stamp,
                           CaptureDirection direction, const Packet& frame);
  void append(std::span<const std::byte> blocks);

  int fd_;
  std::string path_;
  std::vector<std::byte> buffer_;
  std::uint32_t interfaces_ = 0;
  std::optional<DeviceError> error_;
};

/// Wraps a device and records the frames that it takes and gives. Put around an impaired device it
/// shows what the stack sees; inside of one, what crosses the wire. They are frames of an Ethernet
/// if the device has a `mac`, and bare IP packets otherwise.
class CaptureDevice final : public Device {
 public:
  /// `epoch` is the time since 1970 of the instant zero of the driver. Several devices of one
  /// thread may share a writer.
  CaptureDevice(std::unique_ptr<Device> device, std::shared_ptr<PcapngWriter> writer,
                std::string_view name, Duration epoch);

  std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override;
  std::size_t write(Instant now, std::span<Packet> frames) override;
  Instant next_deadline() const override { return device_->next_deadline(); }
  int descriptor() const override { return device_->descriptor(); }
  bool wants_writable() const override { return device_->wants_writable(); }
  std::uint32_t mtu() const override { return device_->mtu(); }
  std::optional<DeviceError> fault() const override { return device_->fault(); }
  std::optional<MacAddress> mac() const override { return device_->mac(); }

 private:
  void flush_now_and_then(Instant now);

  std::unique_ptr<Device> device_;
  std::shared_ptr<PcapngWriter> writer_;
  std::uint32_t interface_;
  Duration epoch_;
  Instant flushed_at_{};
  // Frames offered to the device, recorded once it has taken them.
  std::vector<std::byte> offered_;
  std::vector<std::size_t> offered_ends_;
};

}  // namespace hawser
