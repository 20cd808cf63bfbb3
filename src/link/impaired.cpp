#include "hawser/impaired.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "sim/impaired_path.hpp"

namespace hawser {

namespace {

/// Frames that move between a path and the device below in one go.
constexpr std::size_t kBatch = 64;

}  // namespace

struct ImpairedDevice::State {
  State(std::unique_ptr<Device> below, const ImpairedConfig& config, Random random)
      : device(std::move(below)),
        outbound(config.outbound, random.fork(), pool, device->mac().has_value()),
        inbound(config.inbound, random.fork(), pool, device->mac().has_value()) {}

  bool blocked() const { return !leaving.empty(); }
  void flush(Instant now);

  std::unique_ptr<Device> device;
  BufferPool pool;  // of the copies of corrupted frames; before the paths, which use it
  sim::ImpairedPath outbound;
  sim::ImpairedPath inbound;
  std::vector<Packet> leaving;   // their time has come, and the device has yet to take them
  std::vector<Packet> arriving;  // empty between calls
};

/// Gives the device below whatever has come through.
void ImpairedDevice::State::flush(Instant now) {
  do {
    if (leaving.empty()) outbound.poll_frames(now, leaving, kBatch);
    const std::size_t taken = device->write(now, leaving);
    leaving.erase(leaving.begin(), leaving.begin() + static_cast<std::ptrdiff_t>(taken));
  } while (!blocked() && outbound.next_deadline() <= now);
}

ImpairedDevice::ImpairedDevice(std::unique_ptr<Device> device, const ImpairedConfig& config)
    : state_(std::make_unique<State>(std::move(device), config, Random(config.seed))) {}

ImpairedDevice::~ImpairedDevice() = default;

std::size_t ImpairedDevice::read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                                 std::size_t limit) {
  state_->device->read(now, pool, state_->arriving, limit);
  for (Packet& frame : state_->arriving) state_->inbound.on_frame(now, std::move(frame));
  state_->arriving.clear();
  return state_->inbound.poll_frames(now, out, limit);
}

std::size_t ImpairedDevice::write(Instant now, std::span<Packet> frames) {
  if (state_->blocked()) state_->flush(now);
  if (state_->blocked()) return 0;
  for (Packet& frame : frames) state_->outbound.on_frame(now, std::move(frame));
  state_->flush(now);
  return frames.size();
}

Instant ImpairedDevice::next_deadline() const {
  const Instant in = std::min(state_->inbound.next_deadline(), state_->device->next_deadline());
  // A blocked device is waited for by its descriptor.
  return state_->blocked() ? in : std::min(in, state_->outbound.next_deadline());
}

int ImpairedDevice::descriptor() const { return state_->device->descriptor(); }

bool ImpairedDevice::wants_writable() const {
  return state_->blocked() || state_->device->wants_writable();
}

std::uint32_t ImpairedDevice::mtu() const { return state_->device->mtu(); }
std::optional<DeviceError> ImpairedDevice::fault() const { return state_->device->fault(); }
std::optional<MacAddress> ImpairedDevice::mac() const { return state_->device->mac(); }

const PathCounters& ImpairedDevice::outbound() const { return state_->outbound.counters(); }
const PathCounters& ImpairedDevice::inbound() const { return state_->inbound.counters(); }

}  // namespace hawser
