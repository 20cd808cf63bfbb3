// hawser-mutate: gives any number of mutated frames to stacks, a new one every few thousand frames,
// on Ethernets and on links of bare packets in turn. The same seed makes the same frames.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <string_view>

#include "fuzz/hostile_frames.hpp"

namespace hawser {
namespace {

constexpr std::uint64_t kFramesPerStack = 5000;
constexpr std::uint64_t kReportEvery = 1000000;

struct Options {
  std::uint64_t seed = 1;  ///< of the first stack; each further has the next
  std::uint64_t count = 1000000;
};

bool parse(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Options> parse(std::span<char*> arguments) {
  Options options;
  for (; arguments.size() >= 2; arguments = arguments.subspan(2)) {
    const std::string_view name = arguments[0];
    if (name != "--seed" && name != "--count") return std::nullopt;
    if (!parse(arguments[1], name == "--seed" ? options.seed : options.count)) return std::nullopt;
  }
  if (!arguments.empty()) return std::nullopt;
  return options;
}

void add(fuzz::FrameFates& sum, const fuzz::FrameFates& more) {
  sum.dropped += more.dropped;
  sum.answered += more.answered;
  sum.taken += more.taken;
  sum.bytes_in += more.bytes_in;
  sum.bytes_out += more.bytes_out;
  sum.bytes_later += more.bytes_later;
  sum.most_later = std::max(sum.most_later, more.most_later);
  sum.most_excess = std::max(sum.most_excess, more.most_excess);
}

void report(std::uint64_t next_seed, const fuzz::FrameFates& fates) {
  fmt::print(
      "{} frames: {} dropped, {} answered, {} taken; {} bytes in, {} out, at most {} more than a "
      "frame had; {} by themselves, at most {} in a second; next seed {}\n",
      fates.dropped + fates.answered + fates.taken, fates.dropped, fates.answered, fates.taken,
      fates.bytes_in, fates.bytes_out, fates.most_excess, fates.bytes_later, fates.most_later,
      next_seed);
  std::fflush(stdout);
}

int run(const Options& options) {
  fuzz::FrameSource source;
  fuzz::FrameFates fates;
  std::uint64_t seed = options.seed;
  for (std::uint64_t done = 0; done < options.count; ++seed) {
    Random random(seed);
    fuzz::StackTarget target(seed % 2 == 0, seed);
    const std::uint64_t end = std::min(options.count, done + kFramesPerStack);
    for (std::uint64_t frame = 0; done < end; ++done, ++frame) {
      if (const auto violation = target.feed(next_frame(source, target, random))) {
        fmt::print("violated: {} in frame {} of seed {}\n", violation, frame, seed);
        return 1;
      }
    }
    add(fates, target.fates());
    if (const auto violation = target.rest()) {
      fmt::print("violated: {} after seed {}\n", violation, seed);
      return 1;
    }
    if (done % kReportEvery == 0 || done == options.count) report(seed + 1, fates);
  }
  return 0;
}

}  // namespace
}  // namespace hawser

int main(int argc, char** argv) {
  const auto options = hawser::parse(std::span(argv + 1, static_cast<std::size_t>(argc - 1)));
  if (!options) {
    std::fputs("usage: hawser-mutate [--seed S] [--count N]\n", stderr);
    return 2;
  }
  return hawser::run(*options);
}
