#include "sim/impairment_fields.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace hawser::sim {

namespace {

/// In the largest unit of which it is a whole number.
template <std::size_t kCount>
std::string in_units(std::uint64_t value,
                     const std::array<std::pair<std::uint64_t, const char*>, kCount>& units) {
  for (const auto& [size, name] : units) {
    if (value % size == 0 && (value != 0 || size == 1))
      return fmt::format("{}{}", value / size, name);
  }
  return fmt::format("{}", value);
}

Parsed<Duration> read(std::string_view text, Duration) { return parse_duration(text); }
Parsed<double> read(std::string_view text, double) { return parse_probability(text); }
Parsed<bool> read(std::string_view text, bool) {
  if (text != "on" && text != "off") {
    return std::unexpected(fmt::format("'{}' is neither on nor off", text));
  }
  return text == "on";
}

std::string write(Duration value) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kUnits = {
      {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1000, "us"}, {1, "ns"}}};
  return in_units(static_cast<std::uint64_t>(value.count()), kUnits);
}
/// The shortest that is read as the same number, without an exponent.
std::string write(double value) {
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::fixed);
  return {text.begin(), end.ptr};
}
std::string write(bool value) { return value ? "on" : "off"; }

/// Puts what `parsed` holds into `to`, or tells what is wrong with the text.
template <typename T>
std::optional<std::string> put(T& to, Parsed<T> parsed) {
  if (!parsed) return std::move(parsed.error());
  to = *parsed;
  return std::nullopt;
}

template <auto kMember>
std::optional<std::string> set_member(Impairment& impairment, std::string_view text) {
  return put(impairment.*kMember, read(text, impairment.*kMember));
}
template <auto kMember>
std::string get_member(const Impairment& impairment) {
  return write(impairment.*kMember);
}

// ---- those that are not one member of a plain type

std::optional<std::string> set_rate(Impairment& impairment, std::string_view text) {
  return put(impairment.rate, parse_rate(text));
}

std::string get_rate(const Impairment& impairment) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kUnits = {
      {{1'000'000'000, "gbit"}, {1'000'000, "mbit"}, {1000, "kbit"}, {1, "bit"}}};
  return in_units(impairment.rate, kUnits);
}

std::optional<std::string> set_queue(Impairment& impairment, std::string_view text) {
  return put(impairment.queue, parse_bytes(text));
}

std::string write_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 3> kUnits = {
      {{1U << 20U, "m"}, {1U << 10U, "k"}, {1, ""}}};
  return in_units(bytes, kUnits);
}

std::string get_queue(const Impairment& impairment) { return write_bytes(impairment.queue); }

std::optional<std::string> set_burst(Impairment& impairment, std::string_view text) {
  return put(impairment.burst.enter, parse_probability(text));
}

/// Frames on average: after each the burst ends with the probability of one in so many.
std::optional<std::string> set_burst_length(Impairment& impairment, std::string_view text) {
  double frames = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, frames, std::chars_format::fixed);
  if (error != std::errc{} || end != last || !(frames >= 1 && frames <= 1e9)) {
    return fmt::format("'{}' is no length of a burst: write a number of frames from 1", text);
  }
  impairment.burst.leave = 1 / frames;
  return std::nullopt;
}

std::string get_burst_length(const Impairment& impairment) {
  return fmt::format("{:.10g}", 1 / impairment.burst.leave);
}

std::optional<std::string> set_burst_longest(Impairment& impairment, std::string_view text) {
  return put(impairment.burst.longest, parse_duration(text));
}

std::string get_burst_longest(const Impairment& impairment) {
  return write(impairment.burst.longest);
}

std::optional<std::string> set_mtu(Impairment& impairment, std::string_view text) {
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes == 0 || *bytes > 65535) {
    return fmt::format("'{}' is not an MTU: write a number from 1 to 65535, as 1400", text);
  }
  impairment.mtu = static_cast<std::uint32_t>(*bytes);
  return std::nullopt;
}

std::string get_mtu(const Impairment& impairment) { return fmt::format("{}", impairment.mtu); }

std::optional<std::string> set_mark_above(Impairment& impairment, std::string_view text) {
  return put(impairment.mark_above, parse_bytes(text));
}

std::string get_mark_above(const Impairment& impairment) {
  return write_bytes(impairment.mark_above);
}

constexpr std::array<ImpairmentField, 17> kFields = {{
    {"loss", "P", "frames that are lost, as 2% or 0.02", set_member<&Impairment::loss>,
     get_member<&Impairment::loss>},
    {"burst", "P", "frames at which a burst of losses begins", set_burst,
     [](const Impairment& i) { return write(i.burst.enter); }},
    {"burst-length", "N", "frames in a burst, on average [1]", set_burst_length, get_burst_length},
    {"burst-longest", "TIME", "after so long a burst is over, even if no frame came",
     set_burst_longest, get_burst_longest},
    {"delay", "TIME", "one-way delay, as 20ms or 1.5s", set_member<&Impairment::delay>,
     get_member<&Impairment::delay>},
    {"jitter", "TIME", "up to this much more delay; keeps the order",
     set_member<&Impairment::jitter>, get_member<&Impairment::jitter>},
    {"rate", "RATE", "bits a second, as 10mbit; 0: no limit", set_rate, get_rate},
    {"queue", "SIZE", "bytes that may wait for the link, as 64k", set_queue, get_queue},
    {"mark", "P", "packets that are marked as by a router with a queue, of those that may be (ECN)",
     set_member<&Impairment::mark>, get_member<&Impairment::mark>},
    {"mark-above", "SIZE",
     "mark them all while more bytes than these wait for the link, as 32k; 0: never",
     set_mark_above, get_mark_above},
    {"reorder", "P", "frames that are held back and overtaken", set_member<&Impairment::reorder>,
     get_member<&Impairment::reorder>},
    {"reorder-delay", "TIME", "for how long [10ms]", set_member<&Impairment::reorder_delay>,
     get_member<&Impairment::reorder_delay>},
    {"duplicate", "P", "frames that arrive twice", set_member<&Impairment::duplicate>,
     get_member<&Impairment::duplicate>},
    {"corrupt", "P", "frames that arrive with a byte changed", set_member<&Impairment::corrupt>,
     get_member<&Impairment::corrupt>},
    {"path-mtu", "BYTES",
     "bytes of the largest frame that passes, with its Ethernet header; any without it. In the "
     "demo and on `hawser link` a router tells the sender; elsewhere larger ones vanish",
     set_mtu, get_mtu},
    {"path-mtu-silent", "on|off", "that router says nothing", set_member<&Impairment::mtu_silent>,
     get_member<&Impairment::mtu_silent>},
    {"partition", "on|off", "no frame enters", set_member<&Impairment::partitioned>,
     get_member<&Impairment::partitioned>},
}};

}  // namespace

std::span<const ImpairmentField> impairment_fields() { return kFields; }

const ImpairmentField* find_impairment_field(std::string_view name) {
  for (const ImpairmentField& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string options_of(const Impairment& impairment) {
  std::string text;
  for (const ImpairmentField& field : kFields) {
    std::string value = field.get(impairment);
    if (value == field.get(Impairment{})) continue;
    text += fmt::format("{}--{} {}", text.empty() ? "" : " ", field.name, value);
  }
  return text;
}

}  // namespace hawser::sim
