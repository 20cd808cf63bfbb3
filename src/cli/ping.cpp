// hawser ping HOST: echo requests by a stack of its own, printed as ping(8) prints them.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/http_text.hpp"
#include "cli/icmp_text.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_options.hpp"
#include "cli/look_up.hpp"
#include "cli/numbers.hpp"
#include "cli/ping_statistics.hpp"
#include "cli/stop_signals.hpp"
#include "cli/stream_command.hpp"
#include "hawser/icmp_socket.hpp"
#include "hawser/poller.hpp"

namespace hawser::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct PingCommand {
  std::string host;
  std::optional<std::uint64_t> count;
  std::size_t size = 56;
  Duration interval = std::chrono::seconds(1);
  std::optional<std::uint8_t> hop_limit;
  Duration patience = std::chrono::seconds(10);
  bool dont_fragment = false;
  bool quiet = false;
  FamilyOptions family;
  LinkOptions link;
};

constexpr const char* kFooter = R"(It ends after -c requests, or at Ctrl-C.

Examples:
  sudo hawser ping 10.9.0.1 -c 4 --link tun:hw0 \
      --address 10.9.0.2/24 --host-address 10.9.0.1/24
  A large one, in fragments:
    sudo hawser ping -6 example.net -s 4000 --link packet:eth0 \
        --address 2001:db8::2/64 --gateway 2001:db8::1 --dns 2001:db8::1
Exit code: 0 when there was an answer, 1 when there was none, 2 when the
arguments make no sense.)";

class Ping {
 public:
  Ping(Host& host, IpAddress target, const PingCommand& options, const StopSignals& signals)
      : target_(target),
        options_(options),
        signals_(signals),
        socket_(open(host)),
        poller_(host),
        data_(options.size),
        buffer_(options.size + 64) {
    for (std::size_t i = 0; i < data_.size(); ++i) data_[i] = static_cast<std::byte>(i);
    if (!poller_.add(socket_, Ready::readable, 0)) give_up("the socket is closed");
  }

  void run();
  const PingStatistics& statistics() const { return statistics_; }
  Duration elapsed() const { return Clock::now() - began_; }

 private:
  static IcmpSocket open(Host& host) {
    IoResult<IcmpSocket> socket = IcmpSocket::open(host);
    if (!socket) give_up(fmt::format("cannot send: {}", socket.error().message()));
    socket->set_non_blocking(true);
    return std::move(*socket);
  }
  bool has_sent_all() const { return options_.count && statistics_.sent() >= *options_.count; }
  void send();
  void receive();
  void on_answer(const EchoAnswer& answer);
  void print_reply(const EchoAnswer& answer, Duration round_trip, bool duplicate) const;

  IpAddress target_;
  const PingCommand& options_;
  const StopSignals& signals_;
  IcmpSocket socket_;
  Poller poller_;
  std::vector<std::byte> data_;
  std::vector<std::byte> buffer_;
  PingStatistics statistics_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point next_send_ = began_;
  Clock::time_point last_sent_ = began_;
  // By sequence number; it comes round after 65536 requests, whose answers are long gone by then.
  std::vector<Clock::time_point> sent_at_ = std::vector<Clock::time_point>(65536);
  std::vector<bool> answered_ = std::vector<bool>(65536);
  std::uint64_t settled_ = 0;  ///< answered, or failed
};

void Ping::run() {
  for (;;) {
    const Clock::time_point now = Clock::now();
    if (!has_sent_all() && now >= next_send_) send();
    receive();
    std::fflush(stdout);
    if (has_sent_all() && settled_ >= statistics_.sent()) return;
    const Clock::time_point until = has_sent_all() ? last_sent_ + options_.patience : next_send_;
    if (has_sent_all() && Clock::now() >= until) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    std::array<pollfd, 2> polled = {pollfd{signals_.descriptor(), POLLIN, 0},
                                    pollfd{poller_.descriptor(), POLLIN, 0}};
    ::poll(polled.data(), polled.size(),
           static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000)));
    if (polled[0].revents != 0) return;
    std::array<PollEvent, 1> event;  // takes back what the descriptor shows
    if (const auto told = poller_.wait(event, Deadline::at_once()); !told) {
      give_up(told.error().message());
    }
  }
}

void Ping::send() {
  EchoRequest request;
  request.sequence = static_cast<std::uint16_t>(statistics_.sent() + 1);
  request.hop_limit = options_.hop_limit;
  request.dont_fragment = options_.dont_fragment;
  last_sent_ = Clock::now();
  next_send_ = std::max(next_send_ + options_.interval, last_sent_);
  sent_at_[request.sequence] = last_sent_;
  answered_[request.sequence] = false;
  statistics_.on_sent();
  const IoResult<void> sent = socket_.send({target_, Port{}}, data_, request);
  if (sent) return;
  ++settled_;
  statistics_.on_error();
  fmt::print("hawser: icmp_seq={} was not sent: {}\n", request.sequence, sent.error().message());
}

void Ping::receive() {
  while (const IoResult<EchoAnswer> answer = socket_.receive(buffer_)) on_answer(*answer);
}

void Ping::on_answer(const EchoAnswer& answer) {
  const std::uint16_t sequence = answer.sequence;
  if (sent_at_[sequence] == Clock::time_point{}) return;  // was never asked
  if (answer.error) {
    statistics_.on_error();
    if (!answered_[sequence]) ++settled_;
    answered_[sequence] = true;
    if (options_.quiet) return;
    fmt::print("From {} icmp_seq={} {}\n", answer.from.to_string(), sequence,
               icmp_text(*answer.error));
    return;
  }
  const bool duplicate = answered_[sequence];
  if (!duplicate) ++settled_;
  answered_[sequence] = true;
  const Duration round_trip = answer.at.time_since_epoch() - sent_at_[sequence].time_since_epoch();
  statistics_.on_reply(std::max(round_trip, Duration::zero()), duplicate);
  if (!options_.quiet) print_reply(answer, round_trip, duplicate);
}

void Ping::print_reply(const EchoAnswer& answer, Duration round_trip, bool duplicate) const {
  const auto got = std::span(buffer_).first(answer.size);
  const bool same = answer.length == data_.size() && std::ranges::equal(got, data_);
  fmt::print("{} bytes from {}: icmp_seq={} ttl={} time={} ms{}{}\n", answer.length + 8,
             answer.from.to_string(), answer.sequence, answer.hop_limit,
             round_trip_text(round_trip), duplicate ? " (DUP!)" : "",
             same ? "" : " (its data are not what was sent)");
}

void print_title(const PingCommand& options, const IpAddress& target) {
  const std::string host = printable(options.host);
  if (target.is_v4()) {
    fmt::print("PING {} ({}) {}({}) bytes of data.\n", host, target.to_string(), options.size,
               options.size + 28);
  } else {
    fmt::print("PING {}({}) {} data bytes\n", host, target.to_string(), options.size);
  }
}

void ping(const PingCommand& options) {
  // Before the host starts its thread, which must not take the signals.
  StopSignals signals;
  const RunningHost host = open_host(options.link, signals);
  const auto addresses = look_up(host, options.host, options.family, signals.descriptor());
  if (!addresses) {
    if (signals.has_come()) end_by_signal(signals);
    give_up(addresses.error());
  }
  print_title(options, addresses->front());
  Ping run(*host, addresses->front(), options, signals);
  run.run();
  fmt::print("{}", run.statistics().render(printable(options.host), run.elapsed()));
  if (run.statistics().received() == 0) throw CLI::RuntimeError(1);
}

Parsed<std::optional<std::uint64_t>> parse_requests(std::string_view text) {
  return parse_positive_count(text);
}

Parsed<std::size_t> parse_size(std::string_view text) {
  constexpr std::size_t kMost = 65507;  // RFC 791: 65535 bytes less both headers
  const auto bytes = parse_count(text);
  if (!bytes || *bytes > kMost) {
    return std::unexpected(fmt::format("'{}' is no size: write a number up to {}", text, kMost));
  }
  return static_cast<std::size_t>(*bytes);
}

Parsed<std::optional<std::uint8_t>> parse_hop_limit(std::string_view text) {
  const auto hops = parse_positive_count(text);
  if (!hops || *hops > 255) {
    return std::unexpected(fmt::format("'{}' is no hop limit: write a number from 1 to 255", text));
  }
  return static_cast<std::uint8_t>(*hops);
}

/// As ping(8): a bare number is of seconds.
Parsed<Duration> parse_seconds(std::string_view text) {
  const bool bare = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return parse_patience(bare ? fmt::format("{}s", text) : std::string(text));
}

Parsed<bool> parse_discovery(std::string_view text) {
  if (text == "do") return true;
  if (text == "dont" || text == "want") return false;
  return std::unexpected(fmt::format("'{}' is neither do nor dont", text));
}

}  // namespace

void add_ping(CLI::App& app) {
  const auto options = std::make_shared<PingCommand>();
  CLI::App* command = app.add_subcommand("ping", "Ask a host for echoes, by a stack of its own");
  command->add_option("HOST", options->host, "address or name")->required();
  add_parsed(*command, "-c,--count", options->count, parse_requests, "end after so many requests",
             "N");
  add_parsed(*command, "-s,--size", options->size, parse_size, "bytes of data in each [56]",
             "BYTES");
  add_parsed(*command, "-i,--interval", options->interval, parse_seconds,
             "from one request to the next, as 1, 0.2 or 50ms [1s]", "TIME");
  add_parsed(*command, "-t,--ttl", options->hop_limit, parse_hop_limit,
             "hop limit [64, or what routers advertise for IPv6]", "N");
  add_parsed(*command, "-W,--timeout", options->patience, parse_seconds,
             "how long to wait for answers after the last request [10s]", "TIME");
  add_parsed(*command, "-M", options->dont_fragment, parse_discovery,
             "do: never fragment; dont: fragment as needed", "do|dont");
  command->add_flag("-q,--quiet", options->quiet, "only what is printed at the end");
  add_family_options(*command, options->family);
  add_link_options(*command, options->link);
  command->footer(kFooter);
  command->callback([options] { ping(*options); });
}

}  // namespace hawser::cli
