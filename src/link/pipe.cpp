#include "hawser/pipe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "link/largest_header.hpp"
#include "link/pipe_state.hpp"

namespace hawser {

namespace link {

namespace {

std::uint32_t largest_frame_of(const PipeConfig& config) {
  return config.mtu + (config.macs ? kLargestEthernetHeader : 0);
}

}  // namespace

Signal::Signal() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  reading_ = Descriptor(ends[0]);
  writing_ = Descriptor(ends[1]);
}

void Signal::raise() {
  if (raised_) return;
  const char mark = 0;
  raised_ = ::write(writing_.get(), &mark, 1) == 1;
}

void Signal::lower() {
  if (!raised_) return;
  char mark = 0;
  raised_ = ::read(reading_.get(), &mark, 1) != 1;
}

FrameRing::FrameRing(std::size_t bytes)
    : size_(bytes), bytes_(std::make_unique_for_overwrite<std::byte[]>(bytes)) {}

void FrameRing::put(std::span<const std::byte> bytes) {
  const std::size_t at = (begin_ + used_) % size_;
  const std::size_t first = std::min(bytes.size(), size_ - at);
  std::memcpy(bytes_.get() + at, bytes.data(), first);
  std::memcpy(bytes_.get(), bytes.data() + first, bytes.size() - first);
  used_ += bytes.size();
}

void FrameRing::copy_out(std::size_t offset, std::span<std::byte> bytes) const {
  const std::size_t at = (begin_ + offset) % size_;
  const std::size_t first = std::min(bytes.size(), size_ - at);
  std::memcpy(bytes.data(), bytes_.get() + at, first);
  std::memcpy(bytes.data() + first, bytes_.get(), bytes.size() - first);
}

bool FrameRing::push(const Packet& frame) {
  const Length length = frame.size();
  if (bytes_for(length) > size_ - used_) return false;
  put(std::as_bytes(std::span(&length, 1)));
  frame.for_each_piece([this](std::span<const std::byte> piece) {
    if (!piece.empty()) put(piece);
  });
  return true;
}

Packet FrameRing::pop(BufferPool& pool) {
  Length length = 0;
  copy_out(0, std::as_writable_bytes(std::span(&length, 1)));
  Packet frame = pool.take_packet();
  Slice slice = pool.take(length);
  if (!frame || !slice) return Packet{};
  copy_out(sizeof(Length), slice.spare().first(length));
  slice.extend(length);
  frame.append(std::move(slice));
  begin_ = (begin_ + bytes_for(length)) % size_;
  used_ -= bytes_for(length);
  return frame;
}

PipeState::PipeState(const PipeConfig& config)
    : mtu(config.mtu),
      largest_frame(largest_frame_of(config)),
      macs(config.macs),
      ends{End(config.queue), End(config.queue)} {}

}  // namespace link

PipeEnd::PipeEnd(std::shared_ptr<link::PipeState> state, std::size_t side)
    : state_(std::move(state)), side_(side) {}

PipeEnd::~PipeEnd() {
  const std::scoped_lock held(state_->mutex);
  link::PipeState::End& own = state_->ends[side_];
  link::PipeState::End& peer = state_->ends[1 - side_];
  own.gone = true;
  own.arriving.clear();
  if (peer.waits_for_room) peer.signal.raise();
}

std::size_t PipeEnd::read(Instant, BufferPool& pool, std::vector<Packet>& out, std::size_t limit) {
  const std::scoped_lock held(state_->mutex);
  link::PipeState::End& own = state_->ends[side_];
  link::PipeState::End& peer = state_->ends[1 - side_];
  std::size_t count = 0;
  for (; count < limit && !own.arriving.empty(); ++count) {
    Packet frame = own.arriving.pop(pool);
    if (!frame) break;
    out.push_back(std::move(frame));
  }
  if (own.arriving.empty()) own.signal.lower();
  if (peer.waits_for_room && own.arriving.is_at_most_half_full()) {
    peer.waits_for_room = false;
    peer.signal.raise();
  }
  return count;
}

std::size_t PipeEnd::write(Instant, std::span<Packet> frames) {
  const std::scoped_lock held(state_->mutex);
  link::PipeState::End& own = state_->ends[side_];
  link::PipeState::End& peer = state_->ends[1 - side_];
  std::size_t taken = 0;
  for (Packet& frame : frames) {
    const bool lost = peer.gone || frame.size() > state_->largest_frame;
    if (!lost && !peer.arriving.push(frame)) break;
    frame.reset();
    ++taken;
  }
  if (!peer.arriving.empty()) peer.signal.raise();
  blocked_ = taken < frames.size();
  own.waits_for_room = blocked_;
  return taken;
}

int PipeEnd::descriptor() const { return state_->ends[side_].signal.descriptor(); }

std::uint32_t PipeEnd::mtu() const { return state_->mtu; }

std::optional<MacAddress> PipeEnd::mac() const {
  if (!state_->macs) return std::nullopt;
  return (*state_->macs)[side_];
}

std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(const PipeConfig& config) {
  auto state = std::make_shared<link::PipeState>(config);
  if (config.queue < link::FrameRing::bytes_for(state->largest_frame) ||
      state->largest_frame > BufferPool::kFrameBlock) {
    throw std::invalid_argument("the queue of a pipe has no room for one frame");
  }
  return {std::unique_ptr<PipeEnd>(new PipeEnd(state, 0)),
          std::unique_ptr<PipeEnd>(new PipeEnd(state, 1))};
}

}  // namespace hawser
