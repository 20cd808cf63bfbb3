// `hawser demo`: the whole life of a connection as a ladder, then what it cost.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "cli/command.hpp"
#include "cli/demo_scene.hpp"
#include "cli/impairment_options.hpp"
#include "cli/table.hpp"
#include "hawser/pcapng.hpp"

namespace hawser::cli {

namespace {

/// With the other defaults it loses a data segment early, which fast retransmit repairs.
constexpr std::uint64_t kDefaultSeed = 6;

struct DemoOptions {
  Impairment link;
  TcpEcn ecn = TcpEcn::passive;
  std::uint64_t bytes = 64 << 10;
  std::uint64_t seed = kDefaultSeed;
  bool all = false;
  std::string pcapng;
};

/// As parse_bytes, up to what a ladder can be drawn of.
Parsed<std::uint64_t> parse_amount(std::string_view text) {
  constexpr std::uint64_t kMost = 64 << 20;
  auto bytes = parse_bytes(text);
  if (bytes && *bytes > kMost) {
    return std::unexpected(fmt::format("'{}' is too much to draw: at most 64m", text));
  }
  return bytes;
}

Parsed<std::uint64_t> parse_seed(std::string_view text) {
  if (text == "random") return std::random_device{}();
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::unexpected(fmt::format("'{}' is not a seed: write a number, or random", text));
  }
  return seed;
}

double milliseconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

std::string bytes_of(std::uint64_t count) {
  return fmt::format("{} {}", count, count == 1 ? "byte" : "bytes");
}

/// In how much time the bytes arrived, and at which rate; empty if there were none.
std::string pace(const DemoResult& result) {
  const double seconds = static_cast<double>(result.elapsed.count()) / 1e9;
  if (seconds <= 0) return "";
  const double rate = static_cast<double>(result.bytes) * 8 / seconds;
  return fmt::format(
      " in {:.1f} ms: {}", seconds * 1e3,
      rate < 1e4 ? fmt::format("{:.0f} bit/s", rate) : fmt::format("{:.2f} Mbit/s", rate / 1e6));
}

struct Repairs {
  std::uint64_t fast = 0, rto = 0, tail = 0, probes = 0;
};

Repairs repairs(const observe::Ladder& ladder) {
  Repairs count;
  for (const observe::LadderRow& row : ladder.rows()) {
    count.fast +=
        row.reason == SendReason::retransmit_fast || row.reason == SendReason::retransmit_rack ? 1U
                                                                                               : 0U;
    count.tail += row.reason == SendReason::tail_loss_probe ? 1U : 0U;
    const bool repeated_syn = row.reason == SendReason::handshake && row.sent_before;
    count.rto += row.reason == SendReason::retransmit_rto || repeated_syn ? 1U : 0U;
    count.probes += row.reason == SendReason::window_probe ? 1U : 0U;
  }
  return count;
}

std::string lost(const PathCounters& counters) {
  std::string text = fmt::format("{} lost", counters.of(FrameFate::lost));
  if (const auto full = counters.of(FrameFate::queue_overflow)) {
    text += fmt::format(", {} queue full", full);
  }
  if (const auto large = counters.of(FrameFate::too_big)) {
    text += fmt::format(", {} too big", large);
  }
  if (counters.marked != 0) text += fmt::format(", {} marked", counters.marked);
  if (counters.corrupted != 0) text += fmt::format(", {} corrupted", counters.corrupted);
  if (counters.duplicated != 0) text += fmt::format(", {} twice", counters.duplicated);
  if (counters.reordered != 0) text += fmt::format(", {} late", counters.reordered);
  return text;
}

void print_outcome(const DemoOptions& options, const DemoResult& result) {
  if (result.complete) {
    fmt::print("  delivered   {}{}\n", bytes_of(result.bytes), pace(result));
    return;
  }
  const auto error = result.client_error ? result.client_error : result.server_error;
  fmt::print("  FAILED      {} of {} delivered: {}\n", result.bytes, bytes_of(options.bytes),
             error ? make_error_code(*error).message() : "the connection did not finish");
}

void print_summary(const DemoOptions& options, const observe::Ladder& ladder,
                   const DemoResult& result) {
  const Repairs repaired = repairs(ladder);
  fmt::print("\n");
  print_outcome(options, result);
  fmt::print("  segments    {} ->, {}\n", result.to_server.frames, lost(result.to_server));
  fmt::print("              {} <-, {}\n", result.to_client.frames, lost(result.to_client));
  fmt::print(
      "  sent again  {} by fast retransmit, {} by tail probe, {} by timeout; {} window probes\n",
      repaired.fast, repaired.tail, repaired.rto, repaired.probes);
  if (result.client.srtt) {
    fmt::print("  round trip  {:.1f} ms, variation {:.1f} ms, timeout {:.0f} ms\n",
               milliseconds(*result.client.srtt), milliseconds(result.client.rttvar),
               milliseconds(result.client.rto));
  }
  fmt::print("  seed        {}; the same seed prints the same\n", options.seed);
}

/// Records what passes the client's interface; simulated time begins at 1970-01-01.
std::unique_ptr<PcapngWriter> capture(DemoScene& scene, const std::string& path) {
  if (path.empty()) return nullptr;
  auto writer = PcapngWriter::create(path);
  if (!writer) give_up(writer.error().message);
  const std::uint32_t interface = (*writer)->add_interface("client");
  scene.on_frame([interface, to = writer->get()](Instant at, bool sent, const Packet& frame) {
    to->write_frame(interface, at.time_since_epoch(),
                    sent ? CaptureDirection::outbound : CaptureDirection::inbound, frame);
  });
  return std::move(*writer);
}

void run_demo(const DemoOptions& options) {
  DemoScene scene(options.link, options.bytes, options.seed, options.ecn);
  const auto writer = capture(scene, options.pcapng);
  const DemoResult result = scene.run();
  if (writer && !writer->flush()) give_up(writer->error()->message);
  observe::Ladder::Style style;
  style.colour = wants_colour();
  style.collapse = !options.all;
  fmt::print("{}", scene.ladder().render(style));
  print_summary(options, scene.ladder(), result);
  if (!result.complete) throw CLI::RuntimeError(1);
}

}  // namespace

void add_demo(CLI::App& app) {
  CLI::App* demo = app.add_subcommand(
      "demo", "Show the whole life of a connection over a simulated link, segment by segment");
  auto options = std::make_shared<DemoOptions>();
  options->link.loss = 0.02;
  options->link.delay = std::chrono::milliseconds(20);
  options->link.rate = 10'000'000;
  add_impairment_options(*demo, options->link);
  add_ecn_option(*demo, options->ecn);
  add_parsed(*demo, "--bytes", options->bytes, parse_amount,
             "what the client sends, as 64k (the default) or 1m", "SIZE");
  add_parsed(
      *demo, "--seed", options->seed, parse_seed,
      fmt::format("of all chance: a number, or random. The default, {}, shows a loss and its "
                  "repair",
                  kDefaultSeed),
      "N");
  demo->add_option("--pcapng", options->pcapng,
                   "also write what the client's interface saw, for Wireshark or tcpdump")
      ->type_name("FILE");
  demo->add_flag("--all", options->all, "print every segment, long runs of data included");
  demo->footer(
      "Without options: --loss 2% --delay 20ms --rate 10mbit. It needs no privilege and\n"
      "no network; time is simulated.\n\n"
      "Examples:\n"
      "  hawser demo\n"
      "  hawser demo --loss 10% --seed random\n"
      "  hawser demo --loss 0 --ecn on --mark-above 8k\n"
      "  hawser demo --delay 100ms --rate 1mbit --bytes 20k --all");
  demo->callback([options] { run_demo(*options); });
}

}  // namespace hawser::cli
