#include "hawser_pair.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include "heap.hpp"

namespace hawser::bench {

namespace {

using namespace std::chrono_literals;

constexpr IpAddress kClient = IpAddress::v4(10, 0, 0, 1);
constexpr IpAddress kServer = IpAddress::v4(10, 0, 0, 2);
constexpr Endpoint kService{kServer, Port{7}};
constexpr std::byte kRequest{0x51};
constexpr std::byte kResponse{0xa2};
constexpr auto kPatience = 20s;
constexpr InterfaceId kOnly{0};
constexpr std::uint32_t kBacklog = 1024;
constexpr std::uint32_t kBuffer = 256 * 1024;  // bytes, of each direction

StackConfig configuration(IpAddress address, std::uint64_t seed) {
  StackConfig config;
  config.interfaces.push_back({.name = "bench", .mtu = 1500, .addresses = {Prefix{address, 24}}});
  config.seed = seed;
  // TIME-WAIT lasts 20 ms here, so that ports are not used up by connections that live for 2 us;
  // its records and its timer cost what they always cost.
  config.tcp.msl = 10ms;
  // The last segment of a transfer is a small one; it is not to wait for an ACK that is delayed.
  config.tcp.defaults.no_delay = true;
  config.tcp.defaults.send_buffer = kBuffer;
  config.tcp.defaults.receive_buffer = kBuffer;
  return config;
}

template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) {
    throw Failure(
        fmt::format("Hawser: {} failed: {}", what, make_error_code(result.error()).message()));
  }
  if constexpr (!std::is_void_v<T>) return *result;
}

}  // namespace

HawserPair::HawserPair()
    : client_(configuration(kClient, 1), pool_),
      server_(configuration(kServer, 2), pool_),
      listener_(must(server_.tcp_listen(kService, kBacklog), "tcp_listen")) {
  pause();
  now_ = paused_at_;
}

Instant HawserPair::clock() const {
  return Instant(std::chrono::steady_clock::now().time_since_epoch() + skipped_);
}

void HawserPair::pause() { paused_at_ = clock(); }

void HawserPair::resume() {
  skipped_ += paused_at_ - clock();
  now_ = clock();
}

std::size_t HawserPair::carry(Instant now, Stack& from, Stack& to) {
  const std::size_t moved = from.poll_frames(now, frames_);
  if (moved == 0) return 0;
  if (trusted_) {
    for (Packet& frame : frames_) frame.set_checksum(ChecksumMark::verified);
  }
  to.on_frames(now, kOnly, frames_);
  frames_.clear();
  return moved;
}

bool HawserPair::step(Instant now) {
  now_ = now;
  if (client_.next_deadline() <= now) client_.on_time(now);
  if (server_.next_deadline() <= now) server_.on_time(now);
  const std::size_t there = carry(now, client_, server_);
  serve(now);
  const std::size_t back = carry(now, server_, client_);
  watch_client(now);
  return there + back != 0;
}

template <typename Done>
void HawserPair::run_until(Done done, const char* what) {
  Instant quiet_since = kNever;
  while (!done()) {
    const Instant now = clock();
    if (step(now)) {
      quiet_since = kNever;
      continue;
    }
    quiet_since = std::min(quiet_since, now);
    if (now - quiet_since > kPatience) throw Failure(fmt::format("Hawser stalled: {}", what));
  }
}

void HawserPair::serve(Instant now) {
  while (const auto readiness = server_.poll_readiness()) {
    if (readiness->socket != listener_) {
      serve(now, readiness->socket);
      continue;
    }
    while (const auto accepted = server_.tcp_accept(listener_)) {
      ++accepted_;
      serve(now, *accepted);
    }
  }
}

void HawserPair::serve(Instant now, SocketHandle connection) {
  for (;;) {
    const auto got = server_.tcp_receive(now, connection, read_buffer_);
    if (!got) {
      if (got.error() == Error::would_block) return;
      throw Failure("Hawser: the server cannot read");
    }
    const auto bytes = std::span<const std::byte>(read_buffer_).first(*got);
    if (bytes.empty()) {
      ++server_closed_;
      must(server_.tcp_close(now, connection), "tcp_close");
      return;
    }
    if (mode_ == Mode::sink) {
      payload_.expect(delivered_, bytes, check_);
      delivered_ += bytes.size();
    } else {
      if (bytes.size() != 1 || bytes[0] != kRequest) throw Failure("Hawser: wrong request");
      must(server_.tcp_send(now, connection, std::span(&kResponse, 1)), "tcp_send");
    }
  }
}

void HawserPair::watch_client(Instant now) {
  while (const auto readiness = client_.poll_readiness()) {
    if (readiness->socket != watched_) continue;
    if (any(readiness->what & Ready::writable)) connected_ = true;
    if (!any(readiness->what & Ready::readable)) continue;
    std::array<std::byte, 2> bytes{};
    const std::size_t got = must(client_.tcp_receive(now, watched_, bytes), "tcp_receive");
    if (got != 1 || bytes[0] != kResponse) throw Failure("Hawser: wrong response");
    answered_ = true;
  }
}

SocketHandle HawserPair::connect() {
  const SocketHandle socket =
      must(client_.tcp_connect(now_, Endpoint{IpAddress::any(Family::ipv4), Port{0}}, kService),
           "tcp_connect");
  watched_ = socket;
  connected_ = false;
  const std::uint64_t before = accepted_;
  run_until([&] { return connected_ && accepted_ != before; }, "connect");
  return socket;
}

void HawserPair::exchange_byte(SocketHandle connection) {
  watched_ = connection;
  answered_ = false;
  must(client_.tcp_send(now_, connection, std::span(&kRequest, 1)), "tcp_send");
  run_until([this] { return answered_; }, "request-response");
}

void HawserPair::request_response(std::size_t index) { exchange_byte(clients_[index]); }

void HawserPair::open(std::size_t connections) {
  while (clients_.size() < connections) {
    clients_.push_back(connect());
    exchange_byte(clients_.back());
  }
}

// A stack is replaced by an empty one to see how much it held for its connections.
Footprint HawserPair::footprint(std::size_t connections) {
  clients_.reserve(connections);
  open(connections);
  settle();
  const auto pooled = static_cast<double>(pool_.bytes_in_use());
  pool_.trim();
  const std::size_t with_both = heap_in_use();
  client_ = Stack(configuration(kClient, 1), pool_);
  pool_.trim();
  const std::size_t with_server = heap_in_use();
  server_ = Stack(configuration(kServer, 2), pool_);
  pool_.trim();
  const std::size_t with_none = heap_in_use();
  listener_ = must(server_.tcp_listen(kService, kBacklog), "tcp_listen");
  clients_.clear();
  const auto count = static_cast<double>(connections);
  return {static_cast<double>(with_both - with_server) / count,
          static_cast<double>(with_server - with_none) / count, pooled / count};
}

// Passes the time that delayed ACKs take, deadline by deadline.
void HawserPair::settle() {
  const Instant end = clock() + 1s;
  for (Instant now = clock(); now < end; now = std::max(now, next_deadline())) {
    skipped_ += std::max(now - clock(), Duration{0});
    while (step(clock())) {
    }
  }
}

Instant HawserPair::next_deadline() const {
  return std::min(client_.next_deadline(), server_.next_deadline());
}

void HawserPair::idle_second() {
  const Instant end = clock() + 1s;
  for (Instant now = next_deadline(); now < end; now = next_deadline()) {
    if (client_.next_deadline() <= now) client_.on_time(now);
    if (server_.next_deadline() <= now) server_.on_time(now);
  }
  client_.on_time(end);
  server_.on_time(end);
  skipped_ += end - clock();
  now_ = end;
}

void HawserPair::transfer(std::uint64_t bytes) {
  mode_ = Mode::sink;
  const std::uint64_t end = written_ + bytes;
  run_until(
      [&] {
        fill(clients_.front(), end);
        return delivered_ == end;
      },
      "bulk");
  mode_ = Mode::echo;
}

void HawserPair::fill(SocketHandle connection, std::uint64_t end) {
  while (written_ < end) {
    const auto sent = client_.tcp_send(now_, connection, payload_.at(written_, end - written_));
    if (!sent && sent.error() == Error::would_block) return;
    written_ += must(sent, "tcp_send");
  }
}

void HawserPair::connect_cycle() {
  const SocketHandle connection = connect();
  exchange_byte(connection);
  const std::uint64_t before = server_closed_;
  must(client_.tcp_close(now_, connection), "tcp_close");
  run_until([&] { return server_closed_ != before; }, "close");
  while (step(clock())) {
  }
  if (server_.census().connections != clients_.size()) {
    throw Failure("Hawser: the server keeps a connection that is closed");
  }
}

}  // namespace hawser::bench
