// The layout of a ladder: 80 columns, in colour or not.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "observe/ladder.hpp"

namespace hawser::observe {

namespace {

constexpr std::size_t kTimeColumns = 9;
constexpr std::size_t kStateColumns = 12;  // SYN-RECEIVED
constexpr std::size_t kBodyColumns = 42;   // 9 + 1 + 12 + 1 + 42 + 1 + 1 + 12 = 79

constexpr std::size_t kShownAtStart = 16;  // plain rows that open a run, the first time
constexpr std::size_t kShownLater = 3;     // the same, later on
constexpr std::size_t kShownAtEnd = 2;
constexpr std::size_t kWorthHiding = 4;  // fewer are shown
constexpr std::size_t kShownSacks = 3;   // acknowledgments that tell of a gap, until it is filled

namespace colour {
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kLost = "\x1b[31m";
constexpr std::string_view kRepair = "\x1b[33m";
constexpr std::string_view kNote = "\x1b[35m";
constexpr std::string_view kControl = "\x1b[36m";
constexpr std::string_view kState = "\x1b[32m";
}  // namespace colour

bool is_repair(const LadderRow& row) {
  if (row.kind != LadderRow::Kind::segment) return false;
  if (row.sent_before) return true;
  return row.reason == SendReason::retransmit_rto || row.reason == SendReason::retransmit_fast ||
         row.reason == SendReason::retransmit_rack || row.reason == SendReason::tail_loss_probe ||
         row.reason == SendReason::window_probe || row.reason == SendReason::keep_alive;
}

bool is_intact(const LadderRow& row) {
  return row.verdict && row.verdict->fate == FrameFate::delivered && !row.verdict->corrupted &&
         !row.verdict->duplicated && !row.verdict->reordered && !row.verdict->marked;
}

bool is_control(const LadderRow& row) {
  const TcpFlags flags = row.header.flags;
  return flags.has(TcpFlag::syn) || flags.has(TcpFlag::fin) || flags.has(TcpFlag::rst) ||
         flags.has(TcpFlag::urg) || flags.has(TcpFlag::cwr);
}

/// May be hidden in a run of its like.
bool is_plain(const LadderRow& row) {
  if (row.states[0] || row.states[1]) return false;
  if (row.kind == LadderRow::Kind::note) return row.minor;
  if (row.kind == LadderRow::Kind::state) return false;
  return is_intact(row) && !is_repair(row) && !is_control(row) && row.header.window != 0;
}

/// A state row whose state has moved to the segment that told of it.
bool is_empty(const LadderRow& row) {
  return row.kind == LadderRow::Kind::state && !row.states[0] && !row.states[1];
}

std::string bytes_of_window(std::uint64_t window) {
  return window < 100'000 ? fmt::format("{}", window) : fmt::format("{}k", window / 1024);
}

std::string_view repair_name(const LadderRow& row) {
  switch (row.reason.value_or(SendReason::data)) {
    case SendReason::retransmit_rto:
      return "again: RTO";
    case SendReason::retransmit_fast:
      return "again: fast";
    case SendReason::retransmit_rack:
      return "again: RACK";
    case SendReason::tail_loss_probe:
      return "tail probe";
    case SendReason::window_probe:
      return "window probe";
    case SendReason::keep_alive:
      return "keep-alive";
    default:
      return "again";
  }
}

/// What the link did to it, beyond delivering it once, unchanged and in order; empty if nothing.
std::string_view mark_of(const LadderRow& row) {
  if (!row.verdict) return "";
  switch (row.verdict->fate) {
    case FrameFate::lost:
      return "lost";
    case FrameFate::queue_overflow:
      return "queue full";
    case FrameFate::partitioned:
      return "cut off";
    case FrameFate::too_big:
      return "too big";
    case FrameFate::no_memory:
      return "no memory";
    case FrameFate::delivered:
    case FrameFate::count_:
      break;
  }
  if (row.verdict->corrupted) return "corrupted";
  if (row.verdict->marked) return "CE";
  if (row.verdict->reordered) return "late";
  return row.verdict->duplicated ? "twice" : "";
}

bool is_stopped(const LadderRow& row) {
  return row.verdict && (row.verdict->fate != FrameFate::delivered || row.verdict->corrupted);
}

}  // namespace

class LadderPrinter {
 public:
  LadderPrinter(const Ladder& ladder, const Ladder::Style& style) : ladder_(ladder), style_(style) {
    plain_.reserve(ladder.rows().size());
    for (const LadderRow& row : ladder.rows()) {
      learn(row);
      plain_.push_back(may_hide(row));
    }
  }

  std::string print() {
    print_heading();
    const auto& rows = ladder_.rows();
    for (std::size_t i = 0; i < rows.size();) {
      if (is_empty(rows[i])) {
        ++i;
      } else if (plain_[i]) {
        i = print_run(i);
      } else {
        print_row(rows[i++]);
      }
    }
    return std::move(out_);
  }

 private:
  struct Rail {
    std::optional<SeqNum> first;  // the initial sequence number
    std::optional<std::uint8_t> scale;
  };

  const Rail& rail(End end) const { return rails_[static_cast<std::size_t>(end)]; }

  void learn(const LadderRow& row) {
    if (row.kind != LadderRow::Kind::segment || !row.header.flags.has(TcpFlag::syn)) return;
    Rail& own = rails_[static_cast<std::size_t>(row.end)];
    if (own.first) return;
    own.first = row.header.seq;
    own.scale = row.header.options.window_scale;
  }

  /// Plain, and not among the first to tell of a gap.
  bool may_hide(const LadderRow& row) {
    if (is_repair(row)) sacks_ = 0;
    const bool tells_of_gap = row.header.options.sack_count != 0 && row.length == 0;
    return is_plain(row) && !(tells_of_gap && sacks_++ < kShownSacks);
  }

  std::uint32_t relative(SeqNum number, End of) const {
    return rail(of).first ? distance(*rail(of).first, number) : number.value();
  }

  std::uint64_t window(const LadderRow& row) const {
    const auto& own = rail(row.end).scale;
    if (row.header.flags.has(TcpFlag::syn) || !own || !rail(other(row.end)).scale) {
      return row.header.window;
    }
    return std::uint64_t{row.header.window} << std::min<unsigned>(*own, 14);
  }

  std::string paint(std::string_view with, std::string_view text) const {
    if (!style_.colour || with.empty()) return std::string(text);
    return fmt::format("{}{}{}", with, text, colour::kReset);
  }

  void line(std::string_view time, std::string_view left, std::string_view body,
            std::string_view body_colour, std::string_view right) {
    std::string text = fmt::format(
        "{} {}{}{}{} {}", paint(colour::kDim, fmt::format("{:>{}}", time, kTimeColumns)),
        paint(colour::kState, fmt::format("{:<{}}", left, kStateColumns)), paint(colour::kDim, "|"),
        paint(body_colour, fmt::format("{:<{}}", body, kBodyColumns)), paint(colour::kDim, "|"),
        paint(colour::kState, right));
    while (text.ends_with(' ')) text.pop_back();
    out_ += text;
    out_ += '\n';
  }

  void print_heading() {
    const auto name = [&](End end, const std::string& called) {
      const auto& local = ladder_.sides_[static_cast<std::size_t>(end)].local;
      return local ? called + " " + local->to_string() : called;
    };
    const std::string left = name(End::left, style_.left_name);
    const std::string right = name(End::right, style_.right_name);
    constexpr std::size_t kWidth = kStateColumns + kBodyColumns + kStateColumns + 3;
    const std::size_t gap =
        kWidth > left.size() + right.size() ? kWidth - left.size() - right.size() : 1;
    out_ += paint(colour::kBold, fmt::format("{:>{}} {}{}{}", "ms", kTimeColumns, left,
                                             std::string(gap, ' '), right));
    out_ += '\n';
    const auto first = [&](End end) {
      const auto& state = ladder_.first_states_[static_cast<std::size_t>(end)];
      return state ? to_string(*state) : std::string_view{};
    };
    line("", first(End::left), "", "", first(End::right));
  }

  static std::string time_of(const LadderRow& row) {
    const double ms = static_cast<double>(row.at.time_since_epoch().count()) / 1e6;
    if (ms < 99'999.9995) return fmt::format("{:.3f}", ms);
    return ms < 9'999'999.95 ? fmt::format("{:.1f}", ms) : fmt::format("{:.0f}", ms);
  }

  void print_row(const LadderRow& row) {
    const auto state = [&](End end) {
      const auto& changed = row.states[static_cast<std::size_t>(end)];
      return changed ? to_string(*changed) : std::string_view{};
    };
    line(time_of(row), state(End::left), body(row), colour_of(row), state(End::right));
  }

  static std::string_view colour_of(const LadderRow& row) {
    if (row.kind == LadderRow::Kind::note) return row.minor ? colour::kDim : colour::kNote;
    if (row.kind == LadderRow::Kind::state) return "";
    if (is_stopped(row)) return colour::kLost;
    if (is_repair(row) || !is_intact(row)) return colour::kRepair;
    return is_control(row) ? colour::kControl : "";
  }

  std::string body(const LadderRow& row) const {
    if (row.kind == LadderRow::Kind::state) return "";
    if (row.kind == LadderRow::Kind::segment) return arrow(row);
    const std::string_view text = std::string_view(row.note).substr(0, kBodyColumns - 3);
    return row.end == End::left ? fmt::format("* {}", text)
                                : fmt::format("{:>{}}", fmt::format("{} *", text), kBodyColumns);
  }

  std::string text(const LadderRow& row, bool with_ack) const {
    const TcpHeader& header = row.header;
    const bool acks = header.flags.has(TcpFlag::ack) && with_ack;
    std::string result =
        fmt::format("{} seq {}", header.flags.to_string(), relative(header.seq, row.end));
    if (acks) result += fmt::format(" ack {}", relative(header.ack, other(row.end)));
    if (row.length != 0) result += fmt::format(" len {}", row.length);
    return result;
  }

  /// What may follow the text as far as there is room, the most telling first.
  std::vector<std::string> extras(const LadderRow& row) const {
    std::vector<std::string> result;
    if (is_repair(row)) result.emplace_back(repair_name(row));
    if (!is_stopped(row) && !mark_of(row).empty()) result.emplace_back(mark_of(row));
    for (const SackBlock& block : row.header.options.sack()) {
      result.push_back(fmt::format("sack {}:{}", relative(block.begin, other(row.end)),
                                   relative(block.end, other(row.end))));
    }
    if (row.header.flags.has(TcpFlag::urg)) {
      result.push_back(fmt::format("urg +{}", row.header.urgent));
    }
    if (!row.header.flags.has(TcpFlag::rst)) {
      result.push_back("win " + bytes_of_window(window(row)));
    }
    if (row.header.options.mss) result.push_back(fmt::format("mss {}", *row.header.options.mss));
    if (row.header.options.window_scale) {
      result.push_back(fmt::format("ws {}", *row.header.options.window_scale));
    }
    return result;
  }

  /// "-- ACK seq 1 ack 1 len 1448 win 65536 ---->", or with an x where it was lost.
  std::string arrow(const LadderRow& row) const {
    const bool stopped = is_stopped(row);
    const std::string end_mark = stopped ? fmt::format("--x {}", mark_of(row)) : std::string("->");
    std::string words = text(row, true);
    const std::size_t room = kBodyColumns - 4 - end_mark.size();
    // Its length, and why something went again, say more than what it acknowledges.
    if (words.size() > room ||
        (is_repair(row) && words.size() + 1 + repair_name(row).size() > room)) {
      words = text(row, false);
    }
    shorten(words, room);
    for (const std::string& extra : extras(row)) {
      if (words.size() + 1 + extra.size() <= room) words += ' ' + extra;
    }
    const char shaft = is_repair(row) ? '=' : '-';
    if (stopped) return stopped_arrow(row, words, shaft);
    const std::size_t fill = kBodyColumns - 5 - words.size();
    return row.end == End::left
               ? fmt::format("{0}{0} {1} {2}>", shaft, words, std::string(fill, shaft))
               : fmt::format("<{2} {1} {0}{0}", shaft, words, std::string(fill, shaft));
  }

  /// Leaves out the last fields, "len 1448" and such: half a number would be another one.
  static void shorten(std::string& words, std::size_t room) {
    while (words.size() > room) {
      const std::size_t value = words.rfind(' ');
      const std::size_t name = value == std::string::npos ? value : words.rfind(' ', value - 1);
      words.resize(name == std::string::npos ? room : name);
    }
  }

  static std::string stopped_arrow(const LadderRow& row, const std::string& words, char shaft) {
    const std::string_view mark = mark_of(row);
    if (row.end == End::left) {
      return fmt::format("{0}{0} {1} {0}{0}x {2}", shaft, words, mark);
    }
    return fmt::format("{:>{}}", fmt::format("{2} x{0}{0} {1} {0}{0}", shaft, words, mark),
                       kBodyColumns);
  }

  /// Prints the plain rows from `begin`, the middle of a long run as one line; returns where the
  /// run ends.
  std::size_t print_run(std::size_t begin) {
    const auto& rows = ladder_.rows();
    std::size_t end = begin;
    while (end < rows.size() && (plain_[end] || is_empty(rows[end]))) ++end;
    const std::size_t first = started_ ? kShownLater : kShownAtStart;
    started_ = started_ || end - begin > kShownLater;
    const bool hides = style_.collapse && end - begin >= first + kShownAtEnd + kWorthHiding;
    const std::size_t hidden_begin = hides ? begin + first : end;
    const std::size_t hidden_end = hides ? end - kShownAtEnd : end;
    for (std::size_t i = begin; i < hidden_begin; ++i) {
      if (!is_empty(rows[i])) print_row(rows[i]);
    }
    if (hides) print_hidden(hidden_begin, hidden_end);
    for (std::size_t i = hidden_end; i < end; ++i) {
      if (!is_empty(rows[i])) print_row(rows[i]);
    }
    return end;
  }

  void print_hidden(std::size_t begin, std::size_t end) {
    std::array<std::size_t, 2> segments{};
    std::uint64_t bytes = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const LadderRow& row = ladder_.rows()[i];
      if (row.kind != LadderRow::Kind::segment) continue;
      ++segments[static_cast<std::size_t>(row.end)];
      bytes += row.length;
    }
    const std::string text =
        fmt::format("... {} segments ->, {} <-, {} bytes ...", segments[0], segments[1], bytes);
    line("", "", fmt::format("{:^{}}", text, kBodyColumns), colour::kDim, "");
  }

  const Ladder& ladder_;
  const Ladder::Style& style_;
  std::array<Rail, 2> rails_;
  std::vector<bool> plain_;
  std::size_t sacks_ = 0;
  std::string out_;
  bool started_ = false;
};

std::string Ladder::render(const Style& style) const { return LadderPrinter(*this, style).print(); }

}  // namespace hawser::observe
