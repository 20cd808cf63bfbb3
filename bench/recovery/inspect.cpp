#include "inspect.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "hawser/pcapng.hpp"
#include "observe/ladder.hpp"

namespace hawser::recovery {

namespace {

using observe::End;

constexpr std::string_view kSeriesHead =
    "time_ms,cwnd,ssthresh,in_flight,srtt_ms,rto_ms,backoff,recovery,acked,segments_sent,"
    "retransmits,timeouts,fast_recoveries\n";

double milliseconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

std::string series_line(Instant now, const TcpInfo& info) {
  return fmt::format("{:.3f},{},{},{},{:.3f},{:.3f},{},{},{},{},{},{},{}\n",
                     milliseconds(now.time_since_epoch()), info.cwnd, info.ssthresh, info.in_flight,
                     milliseconds(info.srtt.value_or(Duration{})), milliseconds(info.rto),
                     info.backoff, to_string(info.recovery), info.bytes_acked, info.segments_sent,
                     info.retransmits, info.timeouts, info.fast_recoveries);
}

/// What the sender's end of the link sees: what leaves, lost or not, and what arrives.
void capture(PcapngWriter& to, const FrameSighting& sighting) {
  const bool outbound = sighting.direction == Direction::a_to_b;
  if (outbound != (sighting.where == FrameSighting::Where::sent)) return;
  to.write_frame(0, sighting.at.time_since_epoch(),
                 outbound ? CaptureDirection::outbound : CaptureDirection::inbound, sighting.frame);
}

void draw(observe::Ladder& ladder, const FrameSighting& sighting) {
  const End from = sighting.direction == Direction::a_to_b ? End::left : End::right;
  if (sighting.where == FrameSighting::Where::sent) {
    ladder.on_sent(from, sighting.at, sighting.frame, sighting.verdict);
  } else {
    ladder.on_arrived(from, sighting.verdict.serial);
  }
}

std::unique_ptr<PcapngWriter> open_capture(const std::string& path) {
  if (path.empty()) return nullptr;
  auto writer = PcapngWriter::create(path);
  if (!writer) throw std::runtime_error(writer.error().message);
  (*writer)->add_interface("sender");
  return std::move(*writer);
}

void write_series(const std::string& path, const std::string& text) {
  if (path == "-") {
    fmt::print("{}", text);
  } else if (!(std::ofstream(path) << text << std::flush)) {
    throw std::runtime_error(fmt::format("cannot write {}", path));
  }
}

}  // namespace

Measured inspect(const Cell& cell, const RunOptions& run_options, const InspectOptions& options) {
  observe::Ladder ladder;
  std::string series(kSeriesHead);
  const auto writer = open_capture(options.pcapng);
  Watch watch;
  watch.every = options.every;
  if (!options.series.empty()) {
    watch.sample = [&](Instant now, const TcpInfo& info) { series += series_line(now, info); };
  }
  if (options.ladder) {
    watch.sender = [&](const Event& event) { ladder.on_event(End::left, event); };
    watch.receiver = [&](const Event& event) { ladder.on_event(End::right, event); };
  }
  watch.frame = [&](const FrameSighting& sighting) {
    if (writer) capture(*writer, sighting);
    if (options.ladder) draw(ladder, sighting);
  };
  Measured measured{cell, run(cell, run_options.span, run_options.seed, watch)};
  if (writer && !writer->flush()) throw std::runtime_error(writer->error()->message);
  if (!options.series.empty()) write_series(options.series, series);
  if (options.ladder) {
    observe::Ladder::Style style;
    style.left_name = "sender";
    style.right_name = "receiver";
    fmt::print("{}", ladder.render(style));
  }
  return measured;
}

}  // namespace hawser::recovery
