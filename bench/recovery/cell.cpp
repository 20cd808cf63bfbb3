#include "cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "hawser/buffer.hpp"
#include "hawser/stack.hpp"

namespace hawser::recovery {

namespace {

using namespace std::chrono_literals;

constexpr double kMeanBurst = 4;           // frames
constexpr Duration kLongestBurst = 100ms;  // so that one who waits for a timeout finds it over
constexpr double kReordered = 0.05;
constexpr double kLeastQueue = 20 * kMtu;

constexpr auto kKinds = std::to_array<Kind>({Kind::random, Kind::burst, Kind::reorder});

double seconds(Duration span) { return static_cast<double>(span.count()) / 1e9; }

Duration at_rate(double bytes, std::uint64_t rate) {
  return Duration(std::llround(bytes * 8e9 / static_cast<double>(rate)));
}

std::string rate_name(std::uint64_t rate) {
  if (rate % 1'000'000 == 0) return fmt::format("{}mbit", rate / 1'000'000);
  if (rate % 1'000 == 0) return fmt::format("{}kbit", rate / 1'000);
  return fmt::format("{}bit", rate);
}

std::string duration_name(Duration span) {
  if (span % 1ms == 0ns) return fmt::format("{}ms", span / 1ms);
  return span % 1us == 0ns ? fmt::format("{}us", span / 1us) : fmt::format("{}ns", span.count());
}

std::optional<std::uint32_t> flows_of(std::string_view word) {
  std::uint32_t flows = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data() + 1, end, flows);
  if (error != std::errc{} || stop != end || flows < 1 || flows > 1000) return std::nullopt;
  return flows;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

/// Takes what a parser made of a word; false when it could make nothing of it.
template <typename T>
bool take(T& field, const Parsed<T>& parsed) {
  if (parsed) field = *parsed;
  return parsed.has_value();
}

bool is_known(const std::string& algorithm) {
  BufferPool pool;
  const Prefix address{IpAddress::v4(10, 0, 0, 1), 24};
  StackConfig config;
  config.interfaces.push_back({"probe", 1500, {address}});
  Stack stack(config, pool);
  TcpSettings settings;
  settings.congestion_control = algorithm;
  const Endpoint remote{IpAddress::v4(10, 0, 0, 2), Port{1}};
  return stack.tcp_connect({}, {address.address, Port{}}, remote, &settings).has_value();
}

/// One word of a name; what is wrong with it, if anything is.
Parsed<bool> read_word(std::string_view word, Cell& cell) {
  for (const Kind kind : kKinds) {
    if (word != to_string(kind)) continue;
    cell.kind = kind;
    return true;
  }
  if (word.ends_with('%') && take(cell.loss, parse_probability(word))) return true;
  if (const bool digit = word.front() >= '0' && word.front() <= '9'; digit) {
    if (word != "0" && take(cell.rate, parse_rate(word)) && cell.rate != 0) return true;
    if (word != "0" && take(cell.rtt, parse_duration(word))) return true;
    return std::unexpected(fmt::format("'{}' is not a rate, a time or a loss in percent", word));
  }
  if (word.starts_with('x') && word.size() > 1) {
    if (const auto flows = flows_of(word)) {
      cell.flows = *flows;
      return true;
    }
  }
  cell.algorithms = split(word, '+');
  for (const std::string& algorithm : cell.algorithms) {
    if (is_known(algorithm)) continue;
    return std::unexpected(fmt::format("'{}' is no kind of loss and no algorithm; known are {}",
                                       algorithm, join(known_algorithms(), ", ")));
  }
  return true;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::random:
      return "random";
    case Kind::burst:
      return "burst";
    case Kind::reorder:
      return "reorder";
  }
  return "unknown";
}

std::string Cell::name() const {
  std::string name = fmt::format("{} {} {:g}% {} {}", rate_name(rate), duration_name(rtt),
                                 loss * 100, to_string(kind), join(algorithms, "+"));
  if (flows != 1) name += fmt::format(" x{}", flows);
  return name;
}

double Cell::bandwidth_delay_product() const {
  return static_cast<double>(rate) / 8 * seconds(rtt);
}

std::uint64_t Cell::queue() const {
  return static_cast<std::uint64_t>(std::max(bandwidth_delay_product(), kLeastQueue));
}

Impairment Cell::data_path() const {
  Impairment path;
  path.rate = rate;
  path.delay = rtt / 2;
  path.queue = queue();
  if (kind == Kind::burst) {
    path.burst.leave = 1 / kMeanBurst;
    path.burst.longest = kLongestBurst;
    // So that the share of time in the bad state, enter / (enter + leave), is the loss.
    path.burst.enter = std::min(1.0, path.burst.leave * loss / std::max(1 - loss, 1e-9));
    return path;
  }
  path.loss = loss;
  if (kind == Kind::reorder) {
    path.reorder = kReordered;
    // Four packets overtake at least, one more than RFC 5681 takes for reordering.
    path.reorder_delay = std::max(rtt / 8, at_rate(4 * kMtu, rate));
  }
  return path;
}

Impairment Cell::ack_path() const {
  Impairment path;
  path.delay = rtt - rtt / 2;
  if (flows > 1) path.jitter = rtt / 20;
  return path;
}

double Cell::capacity() const { return static_cast<double>(rate) * kSegmentPayload / kMtu; }

std::optional<double> Cell::expected() const {
  if (flows != 1 || kind != Kind::random) return std::nullopt;
  const std::string& algorithm = algorithms.front();
  if (algorithm != "reno" && algorithm != "cubic") return std::nullopt;
  if (loss == 0) return capacity();
  double window = std::sqrt(1.5 / loss);
  if (algorithm == "cubic") {
    constexpr double kC = 0.4;
    constexpr double kBeta = 0.7;
    const double factor = std::pow(kC * (3 + kBeta) / (4 * (1 - kBeta)), 0.25);
    window = std::max(window, factor * std::pow(seconds(rtt) / loss, 0.75));
  }
  return std::min(capacity(), window * kSegmentPayload * 8 / seconds(rtt));
}

Parsed<Cell> parse_cell(std::string_view name) {
  Cell cell;
  for (const std::string& word : split(name, ' ')) {
    if (const auto read = read_word(word, cell); !read) return std::unexpected(read.error());
  }
  if (cell.rtt < 10us) return std::unexpected("a round-trip time is at least 10us");
  return cell;
}

std::vector<std::string> known_algorithms() {
  std::vector<std::string> known = {"reno", "cubic", "bbr"};
  std::erase_if(known, [](const std::string& name) { return !is_known(name); });
  return known;
}

std::vector<Cell> all_cells() {
  const std::vector<std::string> algorithms = known_algorithms();
  std::vector<Cell> cells;
  for (const std::string& algorithm : algorithms) {
    for (const Kind kind : kKinds) {
      for (const std::uint64_t rate : {10'000'000, 100'000'000, 1'000'000'000}) {
        for (const Duration rtt : {1ms, 20ms, 100ms, 300ms}) {
          for (const double loss : {0.0, 0.001, 0.01, 0.03, 0.1}) {
            if (kind == Kind::burst && loss == 0) continue;
            cells.push_back({rate, rtt, loss, kind, {algorithm}});
          }
        }
      }
    }
  }
  for (const std::uint32_t flows : {2, 8, 32}) {
    for (const std::string& algorithm : algorithms) {
      cells.push_back({.algorithms = {algorithm}, .flows = flows});
    }
    for (std::size_t i = 1; i < algorithms.size(); ++i) {
      cells.push_back({.algorithms = {algorithms[0], algorithms[i]}, .flows = flows});
    }
  }
  return cells;
}

}  // namespace hawser::recovery
