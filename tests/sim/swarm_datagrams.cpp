#include "swarm_datagrams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/random.hpp"
#include "swarm_stage.hpp"
#include "wire/bytes.hpp"

namespace hawser::swarm {

namespace {

constexpr Port kPort{5000};
/// Of UDP, and of an echo.
constexpr std::size_t kHeader = 8;
constexpr std::size_t kNumber = 4;
/// Bytes of the largest datagram, and some more.
constexpr std::size_t kRoom = 66'000;

constexpr std::uint32_t bit_of(HostNumber host) { return 1U << host; }

std::string text_of(Error error) { return make_error_code(error).message(); }

}  // namespace

std::uint32_t number_of_datagram(std::span<const std::byte> payload) {
  return wire::read32(payload.data() + kHeader);
}

Datagrams::Datagrams(Stage& stage, std::uint64_t seed, std::vector<StackId> hosts)
    : stage_(stage), seed_(seed), room_(kRoom), expected_(kRoom) {
  for (const StackId stack : hosts) hosts_.push_back({.stack = stack, .udp = {}, .echo = {}});
}

void Datagrams::open() {
  UdpSettings settings;
  settings.receive_buffer = 16U << 20;
  settings.multicast_loop = false;
  for (Host& host : hosts_) {
    Stack& stack = stage_.world().stack(host.stack);
    const auto udp = stack.udp_open(&settings);
    const auto echo = stack.icmp_open();
    if (!udp || !echo || !stack.udp_bind(*udp, {IpAddress::any(Family::ipv6), kPort})) {
      return stage_.fail("a socket for datagrams was refused");
    }
    host.udp = *udp;
    host.echo = *echo;
  }
}

void Datagrams::close() {
  for (const Host& host : hosts_) {
    Stack& stack = stage_.world().stack(host.stack);
    if (!stack.udp_close(stage_.world().now(), host.udp) || !stack.icmp_close(host.echo)) {
      stage_.fail("closing a socket for datagrams was refused");
    }
  }
}

// ---- groups

void Datagrams::join(HostNumber number, Net net) {
  Host& host = hosts_[number];
  if (std::exchange(host.is_member[index_of(net)], true)) return;
  const IpAddress group = NetworkPlan::address(kGroup, net);
  const auto joined = stage_.world()
                          .stack(host.stack)
                          .udp_join(stage_.world().now(), host.udp, group, InterfaceId{});
  if (!joined) stage_.fail("joining a group is refused: " + text_of(joined.error()));
}

void Datagrams::leave(HostNumber number, Net net) {
  Host& host = hosts_[number];
  if (!std::exchange(host.is_member[index_of(net)], false)) return;
  const IpAddress group = NetworkPlan::address(kGroup, net);
  const auto left = stage_.world()
                        .stack(host.stack)
                        .udp_leave(stage_.world().now(), host.udp, group, InterfaceId{});
  if (!left) stage_.fail("leaving a group is refused: " + text_of(left.error()));
}

// ---- out

void Datagrams::send(const DatagramPlan& planned, const Promise& promise) {
  const auto number = static_cast<std::uint32_t>(sent_.size());
  sent_.push_back({.plan = planned, .promise = promise});
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    if (hosts_[host].is_member[index_of(planned.net)]) sent_.back().members |= bit_of(host);
  }
  const auto given = give(hosts_[planned.from], planned, number);
  stage_.note([&] { return name_of(number) + (given ? "" : ": " + text_of(given.error())); });
  sent_.back().left = given.has_value();
  if (given) return;
  const bool no_address =
      given.error() == Error::address_not_available || given.error() == Error::network_unreachable;
  const bool no_memory =
      given.error() == Error::no_buffer_space || given.error() == Error::would_block;
  if ((no_address && promise.may_be_refused) || (no_memory && !promise.arrives)) return;
  stage_.fail(
      fmt::format("{} is refused for no reason: {}", name_of(number), text_of(given.error())));
}

Result<void> Datagrams::give(const Host& host, const DatagramPlan& planned, std::uint32_t number) {
  const std::span bytes = std::span(room_).first(planned.bytes);
  compose(number, bytes);
  Stack& stack = stage_.world().stack(host.stack);
  const Instant now = stage_.world().now();
  const IpAddress from = NetworkPlan::address(planned.from, planned.net);
  const Endpoint to{NetworkPlan::address(planned.to, planned.net), kPort};
  if (planned.echo) {
    return stack.icmp_send_echo(now, host.echo, to, bytes,
                                {.sequence = static_cast<std::uint16_t>(number), .source = from});
  }
  const auto sent = stack.udp_send_to(now, host.udp, bytes, to, {.source = from});
  if (!sent) return std::unexpected(sent.error());
  return {};
}

// ---- in

bool Datagrams::on_ready(StackId stack, SocketHandle socket) {
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    if (hosts_[host].stack != stack) continue;
    if (socket == hosts_[host].udp) return read_datagrams(host), true;
    if (socket == hosts_[host].echo) return read_echoes(host), true;
  }
  return false;
}

void Datagrams::read_datagrams(HostNumber host) {
  Stack& stack = stage_.world().stack(hosts_[host].stack);
  for (;;) {
    const auto got = stack.udp_receive_from(hosts_[host].udp, room_);
    if (got) {
      on_datagram(host, *got);
    } else if (got.error() == Error::would_block) {
      return;
    } else {
      return stage_.fail("a socket for datagrams sees an error: " + text_of(got.error()));
    }
  }
}

void Datagrams::on_datagram(HostNumber host, const UdpReceived& got) {
  const std::span bytes = std::span(room_).first(got.size);
  const std::uint32_t number = got.size < kNumber ? ~0U : wire::read32(bytes.data());
  if (number >= sent_.size()) return stage_.fail("a datagram arrives that nobody sent");
  Sent& sent = sent_[number];
  const DatagramPlan& plan = sent.plan;
  const Endpoint from{NetworkPlan::address(plan.from, plan.net), kPort};
  const bool to_it = plan.to == kGroup
                         ? plan.from != host && hosts_[host].is_member[index_of(plan.net)]
                         : plan.to == host;
  if (!sent.left || plan.echo || !to_it || got.source.address != from.address ||
      got.source.port != from.port || got.destination != NetworkPlan::address(plan.to, plan.net)) {
    return stage_.fail(fmt::format("{} arrives at host {} from {}", name_of(number), host,
                                   got.source.to_string()));
  }
  if (got.size != plan.bytes || !is_whole(number, bytes)) {
    return stage_.fail(fmt::format("{} arrives as other {} bytes", name_of(number), got.size));
  }
  take(host, sent, got.size);
}

void Datagrams::read_echoes(HostNumber host) {
  Stack& stack = stage_.world().stack(hosts_[host].stack);
  while (const auto answer = stack.icmp_receive(hosts_[host].echo, room_)) {
    if (answer->error) {
      on_echo_error(host, *answer);
    } else {
      on_reply(host, *answer);
    }
  }
}

void Datagrams::on_reply(HostNumber host, const EchoAnswer& answer) {
  const std::uint32_t number = answer.sequence;
  if (number >= sent_.size()) return stage_.fail("an echo arrives that nobody asked for");
  Sent& sent = sent_[number];
  const DatagramPlan& plan = sent.plan;
  if (!sent.left || !plan.echo || plan.from != host ||
      answer.from != NetworkPlan::address(plan.to, plan.net)) {
    return stage_.fail(fmt::format("the echo of {} arrives at host {} from {}", name_of(number),
                                   host, answer.from.to_string()));
  }
  if (answer.size != plan.bytes || !is_whole(number, std::span(room_).first(answer.size))) {
    return stage_.fail(
        fmt::format("the echo of {} is of other {} bytes", name_of(number), answer.size));
  }
  take(host, sent, answer.size);
}

/// Nobody answered for the address, or fragments did not come.
void Datagrams::on_echo_error(HostNumber host, const EchoAnswer& answer) {
  const IcmpErrorKind kind = answer.error->kind;
  const bool known = answer.sequence < sent_.size() && sent_[answer.sequence].plan.echo;
  if (!known) return stage_.fail("an ICMP error arrives about an echo that nobody asked for");
  Sent& sent = sent_[answer.sequence];
  if (kind == IcmpErrorKind::host_unreachable && sent.promise.to_nobody) return take(host, sent, 0);
  const bool is_loss =
      kind == IcmpErrorKind::host_unreachable || kind == IcmpErrorKind::time_exceeded;
  if ((is_loss && !sent.promise.arrives) || sent.promise.may_hear_errors) return;
  stage_.fail(fmt::format("{}: {}", name_of(answer.sequence), to_string(kind)));
}

void Datagrams::take(HostNumber host, Sent& sent, std::size_t bytes) {
  const auto number = static_cast<std::uint32_t>(&sent - sent_.data());
  stage_.note([&] { return fmt::format("{} arrives at host {}", name_of(number), host); });
  if ((sent.heard & bit_of(host)) != 0 && !sent.promise.may_repeat) {
    stage_.fail(name_of(number) + " arrives twice");
  }
  sent.heard |= bit_of(host);
  bytes_ += bytes;
}

// ---- what becomes of them

void Datagrams::release(std::uint32_t number) {
  if (number < sent_.size()) sent_[number].promise.arrives = false;
}

void Datagrams::check_arrivals() const {
  for (std::uint32_t number = 0; number < sent_.size(); ++number) {
    const Sent& sent = sent_[number];
    if (sent.promise.arrives && (sent.heard & must_hear(sent)) != must_hear(sent)) {
      return stage_.fail(name_of(number) + " did not arrive, though nothing was in its way");
    }
  }
}

std::uint32_t Datagrams::must_hear(const Sent& sent) const {
  if (sent.plan.echo) return bit_of(sent.plan.from);
  return sent.plan.to == kGroup ? sent.members & ~bit_of(sent.plan.from) : bit_of(sent.plan.to);
}

std::uint64_t Datagrams::arrived() const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(sent_, [](const Sent& sent) { return sent.heard != 0; }));
}

std::string Datagrams::name_of(std::uint32_t number) const {
  const DatagramPlan& plan = sent_[number].plan;
  return fmt::format("{} {} of {} bytes from {} to {}", plan.echo ? "echo" : "datagram", number,
                     plan.bytes, NetworkPlan::address(plan.from, plan.net).to_string(),
                     NetworkPlan::address(plan.to, plan.net).to_string());
}

void Datagrams::compose(std::uint32_t number, std::span<std::byte> bytes) const {
  Random random(seed_ ^ std::uint64_t{number} << 32);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random.next();
    std::memcpy(&bytes[at], &word, std::min(sizeof word, bytes.size() - at));
  }
  wire::write32(bytes.data(), number);
}

bool Datagrams::is_whole(std::uint32_t number, std::span<const std::byte> bytes) {
  const std::span expected = std::span(expected_).first(bytes.size());
  compose(number, expected);
  return std::ranges::equal(bytes, expected);
}

}  // namespace hawser::swarm
