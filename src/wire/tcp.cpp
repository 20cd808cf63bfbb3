#include "wire/tcp.hpp"

#include <algorithm>
#include <array>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/ip.hpp"

namespace hawser::wire {

namespace {

enum OptionKind : std::uint8_t {
  kEnd = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8,
};

constexpr std::size_t kMssBytes = 4;
constexpr std::size_t kWindowScaleBytes = 3;
constexpr std::size_t kSackPermittedBytes = 2;
constexpr std::size_t kTimestampsBytes = 10;
constexpr std::size_t kSackBlockBytes = 8;

constexpr std::uint8_t kTcpProtocol = static_cast<std::uint8_t>(IpProtocol::tcp);
constexpr std::uint16_t kFlagBits = 0x1ff;

// Options in whole words as this stack, and nearly every other, sends them (RFC 7323 A).
constexpr std::uint32_t kNopNopTimestamps = kNop << 24 | kNop << 16 | kTimestamps << 8 | 10;
constexpr std::uint32_t kNopNopSack = kNop << 24 | kNop << 16 | kSack << 8;
constexpr std::uint32_t kSackPermittedTimestamps =
    kSackPermitted << 24 | 2 << 16 | kTimestamps << 8 | 10;
constexpr std::uint32_t kNopNopSackPermitted = kNop << 24 | kNop << 16 | kSackPermitted << 8 | 2;
constexpr std::uint32_t kMssWord = kMss << 24 | 4 << 16;
constexpr std::uint32_t kNopWindowScale = kNop << 24 | kWindowScale << 16 | 3 << 8;
constexpr std::size_t kTimestampsWords = 12;  // bytes, with the two NOPs

TcpTimestamps read_timestamps(const std::byte* at) { return {read32(at), read32(at + 4)}; }

void read_sack(TcpOptions& options, const std::byte* at, std::size_t bytes) {
  options.sack_count = 0;
  for (; bytes >= kSackBlockBytes; bytes -= kSackBlockBytes, at += kSackBlockBytes) {
    options.sack_blocks[options.sack_count++] = {SeqNum(read32(at)), SeqNum(read32(at + 4))};
  }
}

/// Reads one option of `length` bytes, kind and length included. False when the length is not one
/// that this kind can have; kinds that are not known have any (RFC9293-MUST-6).
bool read_option(TcpOptions& options, const std::byte* at, std::size_t length) {
  switch (read8(at)) {
    case kMss:
      if (length != kMssBytes) return false;
      options.mss = read16(at + 2);
      return true;
    case kWindowScale:
      if (length != kWindowScaleBytes) return false;
      options.window_scale = read8(at + 2);
      return true;
    case kSackPermitted:
      if (length != kSackPermittedBytes) return false;
      options.sack_permitted = true;
      return true;
    case kSack:  // 40 bytes of options have room for no more than four blocks
      if ((length - 2) % kSackBlockBytes != 0) return false;
      read_sack(options, at + 2, length - 2);
      return true;
    case kTimestamps:
      if (length != kTimestampsBytes) return false;
      options.timestamps = read_timestamps(at + 2);
      return true;
    default:
      return true;
  }
}

/// Reads options in any segment, order and alignment (RFC9293-MUST-4, RFC9293-MUST-5,
/// RFC9293-MUST-64, RFC9293-MUST-68). False for an impossible length (RFC9293-MUST-7).
bool read_options(TcpOptions& options, std::span<const std::byte> bytes) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  while (left != 0) {
    const std::uint8_t kind = read8(at);
    if (kind == kEnd) return true;
    if (kind == kNop) {
      ++at;
      --left;
      continue;
    }
    if (left < 2) return false;
    const std::size_t length = read8(at + 1);
    if (length < 2 || length > left) return false;
    if (!read_option(options, at, length)) return false;
    at += length;
    left -= length;
  }
  return true;
}

std::size_t sack_blocks_that_fit(const TcpOptions& options) {
  return std::min<std::size_t>(options.sack_count, options.timestamps ? 3 : 4);
}

/// MSS, window scale and SACK-permitted belong to segments with SYN and are left out of all others
/// (RFC9293-MUST-65, RFC 7323 2.2, RFC 2018 2).
std::size_t syn_option_bytes(const TcpOptions& options) {
  std::size_t bytes = 0;
  if (options.mss) bytes += 4;
  if (options.timestamps) {
    bytes += kTimestampsWords;
  } else if (options.sack_permitted) {
    bytes += 4;
  }
  if (options.window_scale) bytes += 4;
  return bytes;
}

std::size_t option_bytes(const TcpHeader& header) {
  const TcpOptions& options = header.options;
  if (header.flags.has(TcpFlag::syn)) return syn_option_bytes(options);
  std::size_t bytes = options.timestamps ? kTimestampsWords : 0;
  if (options.sack_count != 0) bytes += 4 + kSackBlockBytes * sack_blocks_that_fit(options);
  return bytes;
}

std::byte* write_timestamps(std::byte* at, std::uint32_t first_word, const TcpTimestamps& value) {
  write32(at, first_word);
  write32(at + 4, value.value);
  write32(at + 8, value.echo);
  return at + kTimestampsWords;
}

void write_syn_options(std::byte* at, const TcpOptions& options) {
  if (options.mss) {
    write32(at, kMssWord | *options.mss);
    at += 4;
  }
  if (options.timestamps) {
    at = write_timestamps(at, options.sack_permitted ? kSackPermittedTimestamps : kNopNopTimestamps,
                          *options.timestamps);
  } else if (options.sack_permitted) {
    write32(at, kNopNopSackPermitted);
    at += 4;
  }
  if (options.window_scale) write32(at, kNopWindowScale | *options.window_scale);
}

/// Writes what option_bytes() counted. Every option starts or ends on a word, so that no
/// End-of-List and no padding behind it is needed (RFC9293-MUST-69).
void write_options(std::byte* at, const TcpHeader& header) {
  const TcpOptions& options = header.options;
  if (header.flags.has(TcpFlag::syn)) {
    write_syn_options(at, options);
    return;
  }
  if (options.timestamps) at = write_timestamps(at, kNopNopTimestamps, *options.timestamps);
  if (options.sack_count == 0) return;
  const std::size_t count = sack_blocks_that_fit(options);
  write32(at, kNopNopSack | static_cast<std::uint32_t>(2 + kSackBlockBytes * count));
  at += 4;
  for (std::size_t i = 0; i < count; ++i, at += kSackBlockBytes) {
    write32(at, options.sack_blocks[i].begin.value());
    write32(at + 4, options.sack_blocks[i].end.value());
  }
}

}  // namespace

std::expected<ParsedTcp, DropReason> parse_tcp(std::span<const std::byte> segment) {
  if (segment.size() < kTcpMinHeader) return std::unexpected(DropReason::truncated);
  const std::byte* at = segment.data();
  const std::uint16_t offset_and_flags = read16(at + 12);
  const std::size_t header_bytes = (offset_and_flags >> 12) * 4U;
  if (header_bytes < kTcpMinHeader || header_bytes > segment.size()) {
    return std::unexpected(DropReason::bad_tcp_header);
  }
  std::expected<ParsedTcp, DropReason> result;
  TcpHeader& header = result->header;
  header.source = Port{read16(at)};
  header.destination = Port{read16(at + 2)};
  header.seq = SeqNum(read32(at + 4));
  header.ack = SeqNum(read32(at + 8));
  header.flags = TcpFlags(static_cast<std::uint16_t>(offset_and_flags & kFlagBits));
  header.window = read16(at + 14);  // unsigned (RFC9293-MUST-1)
  header.urgent = read16(at + 18);
  result->header_bytes = static_cast<std::uint8_t>(header_bytes);
  if (header_bytes == kTcpMinHeader) return result;
  // Nearly every segment of a connection with timestamps has these and nothing else.
  if (header_bytes == kTcpMinHeader + kTimestampsWords && read32(at + 20) == kNopNopTimestamps) {
    header.options.timestamps = read_timestamps(at + 24);
    return result;
  }
  if (!read_options(header.options, segment.subspan(kTcpMinHeader, header_bytes - kTcpMinHeader))) {
    return std::unexpected(DropReason::bad_tcp_options);
  }
  return result;
}

bool tcp_checksum_ok(const Packet& segment, const IpAddress& source, const IpAddress& destination) {
  Checksum checksum;
  checksum.add_pseudo_header(source, destination, kTcpProtocol, segment.size());
  checksum.add(segment);
  return checksum.value() == 0;  // RFC9293-MUST-3
}

std::size_t tcp_header_size(const TcpHeader& header) {
  return kTcpMinHeader + option_bytes(header);
}

void push_tcp(Packet& packet, const TcpHeader& header, const IpAddress& source,
              const IpAddress& destination, ChecksumMark mark) {
  const std::size_t header_bytes = tcp_header_size(header);
  std::byte* at = packet.prepend(header_bytes).data();
  write16(at, to_number(header.source));
  write16(at + 2, to_number(header.destination));
  write32(at + 4, header.seq.value());
  write32(at + 8, header.ack.value());
  write16(at + 12,
          static_cast<std::uint16_t>(header_bytes / 4 << 12 | (header.flags.bits() & kFlagBits)));
  write16(at + 14, header.window);
  write16(at + 16, 0);
  write16(at + 18, header.urgent);
  if (header_bytes > kTcpMinHeader) write_options(at + kTcpMinHeader, header);

  Checksum checksum;
  checksum.add_pseudo_header(source, destination, kTcpProtocol, packet.size());
  if (mark == ChecksumMark::to_fill) {
    write16(at + 16, checksum.sum());
  } else {
    checksum.add(packet);
    write16(at + 16, checksum.value());  // RFC9293-MUST-2
  }
  packet.set_checksum(mark);
}

}  // namespace hawser::wire
