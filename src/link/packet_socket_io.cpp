// Frames in and out of a packet socket.
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <utility>

#include "link/packet_socket_state.hpp"
#include "link/segmentation.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser {

namespace {

constexpr std::uint32_t kAddresses = 12;  // both, at the front of a frame; a tag follows them
constexpr std::uint16_t kTagType = 0x8100;

/// What the kernel tells of a frame beside its bytes.
struct Told {
  tpacket_auxdata auxiliary{};
  timespec arrived{};
};

Told told_with(msghdr& message) {
  Told told;
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
       item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level == SOL_PACKET && item->cmsg_type == PACKET_AUXDATA) {
      std::memcpy(&told.auxiliary, CMSG_DATA(item), sizeof told.auxiliary);
    } else if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS) {
      std::memcpy(&told.arrived, CMSG_DATA(item), sizeof told.arrived);
    }
  }
  return told;
}

bool has_tag(const tpacket_auxdata& data) { return (data.tp_status & TP_STATUS_VLAN_VALID) != 0; }

/// Moves both addresses to `room`, four bytes before them, and writes the tag behind them, where it
/// was on the wire.
void put_tag_back(std::byte* room, const tpacket_auxdata& data) {
  std::memmove(room, room + 4, kAddresses);
  const bool told = (data.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
  wire::write16(room + kAddresses, told ? data.tp_vlan_tpid : kTagType);
  wire::write16(room + kAddresses + 2, data.tp_vlan_tci);
}

}  // namespace

PacketSocketDevice::State::State(link::Descriptor opened, const PacketSocketConfig& config,
                                 const link::Present& present, const MacAddress& ours)
    : socket(std::move(opened)),
      name(config.interface),
      interface(present.index),
      mac(ours),
      kernel_mac(present.mac),
      mtu(present.mtu),
      complete_checksums(config.complete_checksums || config.every_frame),
      every_frame(config.every_frame),
      arrivals_(kBatch),
      departures_(kBatch),
      messages_(kBatch) {}

// ---- in

std::size_t PacketSocketDevice::State::read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                                            std::size_t limit) {
  if (now >= look_at) look_after_interface(now);
  const std::size_t before = out.size();
  const std::size_t full = before + limit;
  arrival_times.clear();
  if (every_frame) {
    realtime_ahead_ = std::chrono::system_clock::now().time_since_epoch() -
                      std::chrono::steady_clock::now().time_since_epoch();
  }
  hand_over_waiting(out, full);
  while (out.size() < full) {
    const std::size_t wanted = prepare(pool, std::min(full - out.size(), kBatch));
    if (wanted == 0) break;
    const int count = ::recvmmsg(socket.get(), messages_.data(), static_cast<unsigned>(wanted),
                                 MSG_DONTWAIT, nullptr);
    if (count < 0) {
      if (errno == EINVAL) ++lost;  // of a kind that the kernel cannot describe
      if (errno == ENETDOWN) look_at = now;
      // An error that was waiting is taken by this: the interface went down, and may be up again.
      if (errno == EINVAL || errno == EINTR || errno == ENETDOWN) continue;
      break;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) take(pool, i, out, full);
    if (static_cast<std::size_t>(count) < wanted) break;
  }
  return out.size() - before;
}

/// It went down, which is told once, and so it does on its way to be removed, which is not told.
void PacketSocketDevice::State::look_after_interface(Instant now) {
  constexpr Duration kBetweenLooks = std::chrono::milliseconds(100);
  std::array<char, IF_NAMESIZE> now_called{};
  if (::if_indextoname(static_cast<unsigned>(interface), now_called.data()) == nullptr) {
    fault = DeviceError{std::error_code(ENODEV, std::generic_category()),
                        "the interface " + name + " was removed"};
    look_at = kNever;
    return;
  }
  const auto present = link::look_at(now_called.data());
  look_at = present && present->up ? kNever : now + kBetweenLooks;
}

/// Makes room for frames; gives for how many, which is fewer when the pool is exhausted.
std::size_t PacketSocketDevice::State::prepare(BufferPool& pool, std::size_t wanted) {
  for (std::size_t i = 0; i < wanted; ++i) {
    if (!prepare(pool, arrivals_[i], messages_[i])) return i;
  }
  return wanted;
}

bool PacketSocketDevice::State::prepare(BufferPool& pool, Arrival& arrival, mmsghdr& message) {
  if (!arrival.frame) arrival.frame = pool.take_packet();
  if (!arrival.frame) return false;
  arrival.pieces[0] = {&arrival.offload, sizeof arrival.offload};
  for (std::size_t i = 0; i < arrival.room.size(); ++i) {
    Slice& slice = arrival.room[i];
    if (!slice) slice = pool.take(i == 0 ? BufferPool::kSmallBlock : BufferPool::kLargeBlock);
    if (!slice) return false;
    std::span<std::byte> room = slice.spare();
    if (i == 0) room = room.subspan(kTagRoom);
    arrival.pieces[i + 1] = {room.data(), room.size()};
  }
  message.msg_hdr = msghdr{};
  message.msg_hdr.msg_iov = arrival.pieces.data();
  message.msg_hdr.msg_iovlen = arrival.pieces.size();
  message.msg_hdr.msg_control = arrival.control.data();
  message.msg_hdr.msg_controllen = arrival.control.size();
  return true;
}

/// Gives the frame that was read on, or what becomes of it.
void PacketSocketDevice::State::take(BufferPool& pool, std::size_t index, std::vector<Packet>& out,
                                     std::size_t full) {
  Arrival& arrival = arrivals_[index];
  msghdr& message = messages_[index].msg_hdr;
  const std::uint32_t size = messages_[index].msg_len;
  const bool whole = size > sizeof arrival.offload && (message.msg_flags & MSG_TRUNC) == 0;
  const Told told = told_with(message);
  const bool tagged = has_tag(told.auxiliary);
  const bool one =
      (arrival.offload.segmentation & ~link::OffloadHeader::kEcn) == link::OffloadHeader::kWhole;
  if (whole && complete_checksums && (one || !every_frame)) complete_checksum(arrival, size);
  if (tagged) put_tag_back(arrival.room[0].spare().data(), told.auxiliary);
  Packet frame = whole ? frame_of(arrival, size - sizeof arrival.offload, tagged) : Packet{};
  if (!frame) {
    ++lost;
    return;
  }
  const Instant arrived = every_frame ? time_of(told.arrived) : Instant{};
  if (!one && (arrival.offload.segmentation == link::OffloadHeader::kUdp || every_frame)) {
    if (!cut(frame, arrival.offload, tagged, pool)) ++lost;
  } else if (waiting.empty() && out.size() < full) {
    out.push_back(std::move(frame));
    if (every_frame) arrival_times.push_back(arrived);
  } else {
    waiting.push_back(std::move(frame));
  }
  if (every_frame) waiting_times.resize(waiting.size(), arrived);
  hand_over_waiting(out, full);
}

/// Adds the pieces of a frame that a sender left whole to those that wait.
bool PacketSocketDevice::State::cut(const Packet& frame, const link::OffloadHeader& offload,
                                    bool tagged, BufferPool& pool) {
  const std::uint32_t transport_at = offload.checksum_start + (tagged ? kTagRoom : 0);
  const auto cut_apart =
      offload.segmentation == link::OffloadHeader::kUdp ? link::cut_datagrams : link::cut_segments;
  return cut_apart(frame, transport_at, offload.segment_bytes, pool, waiting);
}

/// On the steady clock; never later than now, nor earlier than the frame before, whatever somebody
/// does to the clock of the machine.
Instant PacketSocketDevice::State::time_of(const timespec& taken_down) {
  const Instant now(std::chrono::steady_clock::now().time_since_epoch());
  if (taken_down.tv_sec == 0) return last_arrival_ = now;
  const Instant told(std::chrono::seconds(taken_down.tv_sec) +
                     std::chrono::nanoseconds(taken_down.tv_nsec) - realtime_ahead_);
  last_arrival_ = std::clamp(told, std::min(last_arrival_, now), now);
  return last_arrival_;
}

/// The field holds the sum of the pseudo-header; with it all of the segment is summed.
void PacketSocketDevice::State::complete_checksum(const Arrival& arrival, std::size_t size) {
  const link::OffloadHeader& offload = arrival.offload;
  const std::size_t field_at = std::size_t{offload.checksum_start} + offload.checksum_offset;
  const std::span<const iovec> pieces(arrival.pieces);
  if ((offload.flags & link::OffloadHeader::kNeedsChecksum) == 0 ||
      field_at + 2 > std::min(size - pieces[0].iov_len, pieces[1].iov_len)) {
    return;
  }
  wire::Checksum sum;
  std::size_t skip = offload.checksum_start;
  std::size_t left = size - pieces[0].iov_len;
  for (const iovec& piece : pieces.subspan(1)) {
    const std::size_t here = std::min(left, piece.iov_len);
    sum.add(std::span(static_cast<const std::byte*>(piece.iov_base), here).subspan(skip));
    left -= here;
    skip = 0;
  }
  // To UDP zero would mean that there is none (RFC 768); all ones are the same to either.
  const std::uint16_t value = sum.value() == 0 ? std::uint16_t{0xffff} : sum.value();
  wire::write16(static_cast<std::byte*>(pieces[1].iov_base) + field_at, value);
}

/// The frame of `size` bytes that was read, in the blocks that it was read into.
Packet PacketSocketDevice::State::frame_of(Arrival& arrival, std::size_t size, bool tagged) {
  Packet frame = std::move(arrival.frame);
  std::size_t left = size + kTagRoom;
  for (Slice& slice : arrival.room) {
    const auto here = static_cast<std::uint32_t>(std::min(left, slice.spare().size()));
    if (here == 0) break;
    left -= here;
    slice.extend(here);
    if (&slice == arrival.room.data() && !tagged) slice.trim_front(kTagRoom);
    frame.append(std::move(slice));
  }
  // Within this machine nobody fills a checksum in that no wire will ever see.
  constexpr unsigned kVouchedFor =
      link::OffloadHeader::kNeedsChecksum | link::OffloadHeader::kDataValid;
  if ((arrival.offload.flags & kVouchedFor) != 0) frame.set_checksum(ChecksumMark::verified);
  return frame;
}

void PacketSocketDevice::State::hand_over_waiting(std::vector<Packet>& out, std::size_t full) {
  if (waiting.empty() || out.size() >= full) return;
  const auto count = static_cast<std::ptrdiff_t>(std::min(waiting.size(), full - out.size()));
  std::move(waiting.begin(), waiting.begin() + count, std::back_inserter(out));
  waiting.erase(waiting.begin(), waiting.begin() + count);
  if (!every_frame) return;
  std::move(waiting_times.begin(), waiting_times.begin() + count,
            std::back_inserter(arrival_times));
  waiting_times.erase(waiting_times.begin(), waiting_times.begin() + count);
}

std::uint64_t PacketSocketDevice::State::dropped_by_socket() {
  tpacket_stats now{};  // since it was asked last
  socklen_t size = sizeof now;
  if (::getsockopt(socket.get(), SOL_PACKET, PACKET_STATISTICS, &now, &size) == 0) {
    dropped_ += now.tp_drops;
  }
  return dropped_;
}

// ---- out

std::size_t PacketSocketDevice::State::write(std::span<Packet> frames) {
  std::size_t taken = 0;
  blocked = false;
  while (taken < frames.size()) {
    const std::size_t wanted = describe(frames.subspan(taken));
    const int sent =
        ::sendmmsg(socket.get(), messages_.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      blocked = true;
      break;
    }
    // An error is that of the first frame.
    if (sent < 0) ++refused;
    const std::size_t done = sent < 0 ? 1 : static_cast<std::size_t>(sent);
    for (Packet& frame : frames.subspan(taken, done)) frame.reset();
    taken += done;
  }
  return taken;
}

/// Makes a message of each of the first frames; gives how many.
std::size_t PacketSocketDevice::State::describe(std::span<const Packet> frames) {
  static constexpr link::OffloadHeader kNothingLeftToDo{};
  const std::size_t count = std::min(frames.size(), kBatch);
  for (std::size_t i = 0; i < count; ++i) {
    std::array<iovec, 2 + Packet::kMaxSlices>& pieces = departures_[i];
    std::size_t used = 0;
    // Sending does not write to what it is given.
    const auto add = [&](std::span<const std::byte> piece) {
      pieces[used++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    };
    add(std::as_bytes(std::span(&kNothingLeftToDo, 1)));
    frames[i].for_each_piece(add);
    messages_[i].msg_hdr = msghdr{};
    messages_[i].msg_hdr.msg_iov = pieces.data();
    messages_[i].msg_hdr.msg_iovlen = used;
  }
  return count;
}

}  // namespace hawser
