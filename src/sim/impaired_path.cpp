#include "sim/impaired_path.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/marking.hpp"

namespace hawser {

std::string_view to_string(FrameFate fate) {
  switch (fate) {
    case FrameFate::delivered:
      return "delivered";
    case FrameFate::lost:
      return "lost";
    case FrameFate::queue_overflow:
      return "queue overflow";
    case FrameFate::partitioned:
      return "partitioned";
    case FrameFate::too_big:
      return "too big";
    case FrameFate::no_memory:
      return "no memory";
    case FrameFate::count_:
      break;
  }
  return "unknown";
}

}  // namespace hawser

namespace hawser::sim {

namespace {

constexpr double kNanosecondBits = 8e9;  // bits in a byte times nanoseconds in a second

double serialisation_ns(std::uint64_t bytes, std::uint64_t bits_per_second) {
  return static_cast<double>(bytes) * kNanosecondBits / static_cast<double>(bits_per_second);
}

/// Changes the byte at `offset` behind the packet's own bytes, in a copy that nobody shares; false
/// without memory.
bool change_payload(Packet& frame, std::uint32_t offset, std::byte change, BufferPool& pool) {
  const auto own = static_cast<std::uint32_t>(frame.own_bytes().size());
  const std::uint32_t payload = frame.size() - own;
  Slice copy = pool.take(payload);
  if (!copy) return false;
  const auto bytes = copy.spare().first(payload);
  frame.copy_to(own, bytes);
  bytes[offset] ^= change;
  copy.extend(payload);
  frame.truncate(own);
  return frame.append(std::move(copy));
}

}  // namespace

/// All chance that one frame meets.
struct ImpairedPath::Draws {
  double loss, burst, reorder, duplicate, corrupt, jitter;
  std::uint64_t where;
};

struct ImpairedPath::Later {
  bool operator()(const InFlight& a, const InFlight& b) const {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
};

ImpairedPath::ImpairedPath(const Impairment& impairment, Random random, BufferPool& pool,
                           bool ethernet)
    : impairment_(impairment),
      random_(random),
      marks_(random.fork()),
      pool_(&pool),
      ethernet_(ethernet) {}

ImpairedPath::Draws ImpairedPath::draw() {
  Draws draws{};
  draws.loss = random_.unit();
  draws.burst = random_.unit();
  draws.reorder = random_.unit();
  draws.duplicate = random_.unit();
  draws.corrupt = random_.unit();
  draws.jitter = random_.unit();
  draws.where = random_.next();
  return draws;
}

bool ImpairedPath::lose(Instant now, const Draws& draws) {
  const BurstLoss& burst = impairment_.burst;
  if (bad_ && now - bad_since_ < burst.longest) {
    bad_ = draws.burst >= burst.leave;
  } else {
    bad_ = draws.burst < burst.enter;
    bad_since_ = now;
  }
  return bad_ || draws.loss < impairment_.loss;
}

/// Whether more than `queue` would wait for the link. One that is idle takes anything.
bool ImpairedPath::exceeds(Instant now, std::uint32_t bytes, std::uint64_t queue) const {
  if (impairment_.rate == 0 || link_free_at_ <= now) return false;
  const auto waiting = static_cast<double>((link_free_at_ - now).count());
  return waiting + serialisation_ns(bytes, impairment_.rate) >
         serialisation_ns(queue, impairment_.rate);
}

bool ImpairedPath::mark(Instant now, Packet& frame, std::uint32_t bytes, double chance) {
  const bool above = impairment_.mark_above != 0 && exceeds(now, bytes, impairment_.mark_above);
  return (above || chance < impairment_.mark) && mark_congestion(frame, ethernet_, *pool_);
}

Instant ImpairedPath::leave_link(Instant now, std::uint32_t bytes) {
  if (impairment_.rate == 0) return now;
  const double time = std::ceil(serialisation_ns(bytes, impairment_.rate));
  link_free_at_ = std::max(link_free_at_, now) + Duration(static_cast<Duration::rep>(time));
  return link_free_at_;
}

bool ImpairedPath::corrupt(Packet& frame, std::uint64_t where) {
  const std::uint32_t offset = static_cast<std::uint32_t>((where >> 8) % frame.size());
  const std::byte change{static_cast<std::uint8_t>(1 + where % 255)};
  const auto own = static_cast<std::uint32_t>(frame.own_bytes().size());
  if (offset < own) {
    frame.own_bytes()[offset] ^= change;
  } else if (!change_payload(frame, offset - own, change, *pool_)) {
    return false;
  }
  frame.set_checksum(ChecksumMark::in_frame);
  return true;
}

void ImpairedPath::launch(Instant at, std::uint64_t serial, Packet frame, bool duplicate) {
  flight_.push_back({at, next_order_++, serial, std::move(frame), duplicate});
  std::ranges::push_heap(flight_, Later{});
}

FrameVerdict ImpairedPath::refuse(FrameFate fate, std::uint64_t serial) {
  ++counters_.fates[static_cast<std::size_t>(fate)];
  FrameVerdict verdict;
  verdict.serial = serial;
  verdict.fate = fate;
  return verdict;
}

FrameVerdict ImpairedPath::on_frame(Instant now, Packet frame, Instant entered) {
  const Draws draws = draw();
  const std::uint32_t bytes = frame.size();
  FrameVerdict verdict;
  verdict.serial = counters_.frames++;
  counters_.bytes += bytes;

  const bool lost = lose(now, draws);
  const double mark_chance = marks_.unit();
  if (impairment_.partitioned) return refuse(FrameFate::partitioned, verdict.serial);
  if (impairment_.mtu != 0 && bytes > impairment_.mtu) {
    return refuse(FrameFate::too_big, verdict.serial);
  }
  if (lost) return refuse(FrameFate::lost, verdict.serial);
  if (exceeds(entered, bytes, impairment_.queue)) {
    return refuse(FrameFate::queue_overflow, verdict.serial);
  }
  verdict.marked = mark(entered, frame, bytes, mark_chance);
  verdict.corrupted = draws.corrupt < impairment_.corrupt && bytes != 0;
  if (verdict.corrupted && !corrupt(frame, draws.where)) {
    return refuse(FrameFate::no_memory, verdict.serial);
  }

  const auto jitter = static_cast<double>(impairment_.jitter.count()) * draws.jitter;
  Instant at = std::max(leave_link(entered, bytes), now) + impairment_.delay +
               Duration(static_cast<Duration::rep>(jitter));
  verdict.reordered = draws.reorder < impairment_.reorder;
  if (verdict.reordered) {
    at += impairment_.reorder_delay;
  } else {
    at = last_arrival_ = std::max(at, last_arrival_);
  }
  verdict.arrives = at;
  if (draws.duplicate < impairment_.duplicate) {
    if (Packet copy = frame.share()) {
      verdict.duplicated = true;
      launch(at, verdict.serial, std::move(copy), false);
    }
  }
  launch(at, verdict.serial, std::move(frame), verdict.duplicated);
  ++counters_.fates[static_cast<std::size_t>(FrameFate::delivered)];
  counters_.corrupted += verdict.corrupted ? 1U : 0U;
  counters_.marked += verdict.marked ? 1U : 0U;
  counters_.duplicated += verdict.duplicated ? 1U : 0U;
  counters_.reordered += verdict.reordered ? 1U : 0U;
  return verdict;
}

Arrival ImpairedPath::poll(Instant now) {
  if (flight_.empty() || flight_.front().at > now) return {};
  std::ranges::pop_heap(flight_, Later{});
  InFlight& next = flight_.back();
  Arrival arrival{std::move(next.frame), next.serial, next.duplicate, next.at};
  flight_.pop_back();
  return arrival;
}

std::size_t ImpairedPath::poll_frames(Instant now, std::vector<Packet>& out, std::size_t limit) {
  std::size_t moved = 0;
  while (moved < limit) {
    Arrival arrival = poll(now);
    if (!arrival) break;
    out.push_back(std::move(arrival.frame));
    ++moved;
  }
  return moved;
}

Instant ImpairedPath::next_deadline() const {
  return flight_.empty() ? kNever : flight_.front().at;
}

}  // namespace hawser::sim
