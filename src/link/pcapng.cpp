#include "hawser/pcapng.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hawser {

namespace {

// draft-ietf-opsawg-pcapng 4: blocks of whole 32-bit words in the byte order of whoever writes,
// which the magic number of the section header tells.
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;

constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kUserApplication = 4;  // shb_userappl
constexpr std::uint16_t kName = 2;             // if_name
constexpr std::uint16_t kResolution = 9;       // if_tsresol
constexpr std::uint8_t kNanoseconds = 9;       // ten to the minus ninth of a second
constexpr std::uint16_t kFlags = 2;            // epb_flags, whose lowest two bits are the direction

constexpr std::size_t kWriteAt = std::size_t{64} * 1024;
constexpr Duration kFlushEach = std::chrono::seconds(1);

using Buffer = std::vector<std::byte>;

template <typename Number>
void put(Buffer& to, Number value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void put_bytes(Buffer& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void pad(Buffer& to, std::size_t written) { to.resize(to.size() + (4 - written % 4) % 4); }

void put_option(Buffer& to, std::uint16_t code, std::span<const std::byte> value) {
  put(to, code);
  put(to, static_cast<std::uint16_t>(value.size()));
  put_bytes(to, value);
  pad(to, value.size());
}

void put_end_of_options(Buffer& to) {
  put(to, kOptionEnd);
  put(to, std::uint16_t{0});
}

/// A block from its type on; `end` completes the two lengths that frame it.
class Block {
 public:
  Block(Buffer& to, std::uint32_t type) : to_(to), begin_(to.size()) {
    put(to_, type);
    put(to_, std::uint32_t{0});
  }
  void end() {
    const auto length = static_cast<std::uint32_t>(to_.size() - begin_ + sizeof(std::uint32_t));
    put(to_, length);
    std::memcpy(&to_[begin_ + sizeof(std::uint32_t)], &length, sizeof length);
  }

 private:
  Buffer& to_;
  std::size_t begin_;
};

void put_section_header(Buffer& to) {
  Block block(to, kSectionHeader);
  put(to, kByteOrderMagic);
  put(to, std::uint16_t{1});  // version 1.0
  put(to, std::uint16_t{0});
  put(to, ~std::uint64_t{0});  // the length of the section is not told
  put_option(to, kUserApplication, std::as_bytes(std::span(std::string_view("hawser"))));
  put_end_of_options(to);
  block.end();
}

DeviceError file_error(const std::string& path, int number, const char* what) {
  const std::error_code code(number, std::generic_category());
  return {code, std::string(what) + " the capture file " + path + ": " + code.message()};
}

}  // namespace

std::expected<std::unique_ptr<PcapngWriter>, DeviceError> PcapngWriter::create(
    const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return std::unexpected(file_error(path, errno, "cannot create"));
  auto writer = std::unique_ptr<PcapngWriter>(new PcapngWriter(fd, path));
  put_section_header(writer->buffer_);
  return writer;
}

PcapngWriter::PcapngWriter(int fd, std::string path) : fd_(fd), path_(std::move(path)) {
  buffer_.reserve(2 * kWriteAt);
}

PcapngWriter::~PcapngWriter() {
  flush();
  ::close(fd_);
}

std::uint32_t PcapngWriter::add_interface(std::string_view name, LinkType type) {
  Buffer bytes;
  Block block(bytes, kInterfaceDescription);
  put(bytes, static_cast<std::uint16_t>(type));
  put(bytes, std::uint16_t{0});
  put(bytes, std::uint32_t{0});  // frames are recorded whole
  put_option(bytes, kName, std::as_bytes(std::span(name)));
  put_option(bytes, kResolution, std::as_bytes(std::span(&kNanoseconds, 1)));
  put_end_of_options(bytes);
  block.end();
  append(bytes);
  return interfaces_++;
}

void PcapngWriter::encode_frame(Buffer& to, std::uint32_t interface, Duration stamp,
                                CaptureDirection direction, const Packet& frame) {
  const auto time = static_cast<std::uint64_t>(stamp.count());
  const std::uint32_t size = frame.size();
  Block block(to, kEnhancedPacket);
  put(to, interface);
  put(to, static_cast<std::uint32_t>(time >> 32));
  put(to, static_cast<std::uint32_t>(time));
  put(to, size);  // as captured
  put(to, size);  // as it was
  frame.for_each_piece([&to](std::span<const std::byte> piece) { put_bytes(to, piece); });
  pad(to, size);
  const std::uint32_t flags = static_cast<std::uint32_t>(direction);
  put_option(to, kFlags, std::as_bytes(std::span(&flags, 1)));
  put_end_of_options(to);
  block.end();
}

void PcapngWriter::write_frame(std::uint32_t interface, Duration stamp, CaptureDirection direction,
                               const Packet& frame) {
  if (error_) return;
  encode_frame(buffer_, interface, stamp, direction, frame);
  if (buffer_.size() >= kWriteAt) flush();
}

void PcapngWriter::append(std::span<const std::byte> blocks) {
  if (error_) return;
  put_bytes(buffer_, blocks);
  if (buffer_.size() >= kWriteAt) flush();
}

bool PcapngWriter::flush() {
  for (std::span<const std::byte> left = buffer_; !left.empty() && !error_;) {
    const ssize_t written = ::write(fd_, left.data(), left.size());
    if (written >= 0) {
      left = left.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error_ = file_error(path_, errno, "cannot write to");
    }
  }
  buffer_.clear();
  return !error_;
}

CaptureDevice::CaptureDevice(std::unique_ptr<Device> device, std::shared_ptr<PcapngWriter> writer,
                             std::string_view name, Duration epoch)
    : device_(std::move(device)),
      writer_(std::move(writer)),
      interface_(
          writer_->add_interface(name, device_->mac() ? LinkType::ethernet : LinkType::raw_ip)),
      epoch_(epoch) {}

std::size_t CaptureDevice::read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                                std::size_t limit) {
  const std::size_t before = out.size();
  const std::size_t count = device_->read(now, pool, out, limit);
  for (const Packet& frame : std::span(out).subspan(before)) {
    writer_->write_frame(interface_, epoch_ + now.time_since_epoch(), CaptureDirection::inbound,
                         frame);
  }
  flush_now_and_then(now);
  return count;
}

std::size_t CaptureDevice::write(Instant now, std::span<Packet> frames) {
  // The device empties what it takes, so all is encoded before and what it leaves is forgotten.
  offered_.clear();
  offered_ends_.assign(1, 0);
  for (const Packet& frame : frames) {
    PcapngWriter::encode_frame(offered_, interface_, epoch_ + now.time_since_epoch(),
                               CaptureDirection::outbound, frame);
    offered_ends_.push_back(offered_.size());
  }
  const std::size_t taken = device_->write(now, frames);
  writer_->append(std::span(offered_).first(offered_ends_[taken]));
  flush_now_and_then(now);
  return taken;
}

/// So that a capture can be looked at while it grows, and little is lost when the program is
/// killed.
void CaptureDevice::flush_now_and_then(Instant now) {
  if (now - flushed_at_ < kFlushEach) return;
  flushed_at_ = now;
  writer_->flush();
}

}  // namespace hawser
