#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

constexpr std::chrono::milliseconds kInterval(100);

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string time_left(std::uint64_t bytes, double rate) {
  if (rate < 1) return "--:--";
  const double seconds = static_cast<double>(bytes) / rate;
  if (seconds >= 100 * 3600) return "--:--";
  const auto whole = std::llround(seconds);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string progress_line(std::uint64_t done, std::optional<std::uint64_t> total, double rate,
                          std::size_t columns) {
  const std::string speed = human_bytes(rate) + "/s";
  std::string line;
  if (!total || *total == 0) {
    line = fmt::format("{}  {}", human_bytes(static_cast<double>(done)), speed);
  } else {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total));
    const std::uint64_t left = *total - std::min(done, *total);
    const std::string words = fmt::format(
        " {:3.0f}%  {} of {}  {}  {} left", part * 100, human_bytes(static_cast<double>(done)),
        human_bytes(static_cast<double>(*total)), speed, time_left(left, rate));
    if (columns > words.size() + 12) {
      const std::size_t width = std::min<std::size_t>(columns - words.size() - 3, 40);
      const auto full = static_cast<std::size_t>(part * static_cast<double>(width));
      line = fmt::format("[{}{}]", std::string(full, '#'), std::string(width - full, '.'));
    }
    line += words;
  }
  return line.substr(0, columns > 0 ? columns - 1 : 0);
}

Progress::Progress(bool quiet) : shown_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (!drawn_) return;
  draw(Clock::now());
  std::fputc('\n', stderr);
}

void Progress::begin(std::uint64_t offset, std::optional<std::uint64_t> total) {
  offset_ = offset;
  done_ = offset;
  rate_from_ = offset;
  total_ = total;
  began_ = Clock::now();
  last_draw_ = began_;
}

void Progress::advance(std::uint64_t done) {
  done_ = done;
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (now - last_draw_ >= kInterval) draw(now);
}

void Progress::draw(Clock::time_point now) {
  const double span = std::chrono::duration<double>(now - last_draw_).count();
  if (span > 0.05) {
    const double latest = static_cast<double>(done_ - rate_from_) / span;
    rate_ = rate_ == 0 ? latest : 0.8 * rate_ + 0.2 * latest;
    rate_from_ = done_;
    last_draw_ = now;
  }
  double rate = rate_;
  if (total_ && done_ == *total_) {  // at the end the average says more
    const double all = std::chrono::duration<double>(now - began_).count();
    if (all > 0) rate = static_cast<double>(done_ - offset_) / all;
  }
  fmt::print(stderr, "\r\033[K{}", progress_line(done_, total_, rate, terminal_columns()));
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace hawser::cli
