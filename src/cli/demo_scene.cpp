#include "cli/demo_scene.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace hawser::cli {

namespace {

using observe::End;

constexpr IpAddress kClientAddress = IpAddress::v4(10, 0, 0, 1);
constexpr IpAddress kServerAddress = IpAddress::v4(10, 0, 0, 2);
constexpr Port kServerPort{80};
constexpr std::size_t kScratch = 16384;
/// So small that the client writes on while the first segments are under way.
constexpr std::uint32_t kSendBuffer = 32768;

StackConfig host(IpAddress address, TcpEcn ecn) {
  StackConfig config;
  config.tcp.defaults.ecn = ecn;
  config.interfaces.push_back({"link", 1500, {Prefix{address, 24}}});
  return config;
}

std::byte byte_at(std::uint64_t offset) {
  return std::byte{static_cast<std::uint8_t>((offset * 0x9e3779b97f4a7c15U) >> 56)};
}

}  // namespace

DemoScene::DemoScene(const Impairment& link, std::uint64_t bytes, std::uint64_t seed, TcpEcn ecn)
    : world_(seed),
      bytes_(bytes),
      client_(world_.add_stack(host(kClientAddress, ecn))),
      server_(world_.add_stack(host(kServerAddress, ecn))),
      link_(world_.connect({client_, {}}, {server_, {}}, link)),
      scratch_(kScratch) {
  watch(client_, End::left);
  watch(server_, End::right);
  watch_link();
  world_.on_ready(client_, [this](SocketHandle, Ready) { on_client_ready(); });
  world_.on_ready(server_, [this](SocketHandle socket, Ready) { on_server_ready(socket); });
}

void DemoScene::watch(StackId stack, End end) {
  world_.on_event(stack, [this, end](const Event& event) { ladder_.on_event(end, event); });
}

void DemoScene::watch_link() {
  world_.on_frame([this](const FrameSighting& sighting) {
    const bool from_client = sighting.direction == Direction::a_to_b;
    const bool sent = sighting.where == FrameSighting::Where::sent;
    const End from = from_client ? End::left : End::right;
    if (sent) {
      ladder_.on_sent(from, sighting.at, sighting.frame, sighting.verdict);
    } else {
      ladder_.on_arrived(from, sighting.verdict.serial);
    }
    if (capture_ && sent == from_client) capture_(sighting.at, sent, sighting.frame);
  });
}

DemoResult DemoScene::run() {
  const auto listener = world_.stack(server_).tcp_listen({kServerAddress, kServerPort}, 8);
  TcpSettings settings = world_.stack(client_).config().tcp.defaults;
  settings.send_buffer = kSendBuffer;
  const auto socket = world_.stack(client_).tcp_connect(world_.now(), {kClientAddress, Port{}},
                                                        {kServerAddress, kServerPort}, &settings);
  if (!listener || !socket) {
    result_.client_error = listener ? socket.error() : listener.error();
    return result_;
  }
  listener_ = *listener;
  client_socket_ = *socket;
  while (world_.step()) continue;
  result_.complete = client_done_ && server_done_ && !corrupt_ && result_.bytes == bytes_;
  result_.to_server = world_.counters(link_, Direction::a_to_b);
  result_.to_client = world_.counters(link_, Direction::b_to_a);
  return result_;
}

void DemoScene::on_client_ready() {
  if (client_done_) return;
  if (!shut_down_) client_writes();
  if (!client_done_) client_reads();
}

void DemoScene::client_writes() {
  Stack& stack = world_.stack(client_);
  while (written_ < bytes_) {
    const auto size = std::min<std::uint64_t>(kScratch, bytes_ - written_);
    const auto data = std::span(scratch_).first(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = byte_at(written_ + i);
    const auto sent = stack.tcp_send(world_.now(), client_socket_, data);
    if (!sent) {
      if (sent.error() != Error::would_block) client_ends(sent.error());
      return;
    }
    written_ += *sent;
  }
  shut_down_ = stack.tcp_shutdown_write(world_.now(), client_socket_).has_value();
}

void DemoScene::client_reads() {
  Stack& stack = world_.stack(client_);
  const auto got = stack.tcp_receive(world_.now(), client_socket_, scratch_);
  if (!got && got.error() == Error::would_block) return;
  if (got && *got != 0) {
    for (const std::byte byte : std::span(scratch_).first(*got)) {
      answer_ += static_cast<char>(byte);
    }
    return client_reads();
  }
  client_ends(got ? std::nullopt : std::optional(got.error()));
}

void DemoScene::client_ends(std::optional<Error> error) {
  Stack& stack = world_.stack(client_);
  result_.client_error = error;
  if (const auto info = stack.tcp_info(client_socket_)) result_.client = *info;
  client_done_ = true;
  (void)stack.tcp_close(world_.now(), client_socket_);
}

void DemoScene::on_server_ready(SocketHandle socket) {
  if (socket == listener_) {
    const auto accepted = world_.stack(server_).tcp_accept(listener_);
    if (!accepted) return;
    server_socket_ = *accepted;
    // One connection is all that is shown.
    (void)world_.stack(server_).tcp_close(world_.now(), listener_);
  }
  if (server_socket_ && !server_done_) server_reads();
}

void DemoScene::server_reads() {
  Stack& stack = world_.stack(server_);
  for (;;) {
    const auto got = stack.tcp_receive(world_.now(), server_socket_, scratch_);
    if (!got && got.error() == Error::would_block) return;
    if (!got) {
      result_.server_error = got.error();
      server_done_ = true;
      (void)stack.tcp_close(world_.now(), server_socket_);
      return;
    }
    if (*got == 0) return server_answers();
    for (std::size_t i = 0; i < *got; ++i) {
      corrupt_ = corrupt_ || scratch_[i] != byte_at(result_.bytes + i);
    }
    result_.bytes += *got;
    result_.elapsed = world_.now().time_since_epoch();
  }
}

void DemoScene::server_answers() {
  Stack& stack = world_.stack(server_);
  const std::string answer = fmt::format("received {} bytes\n", result_.bytes);
  (void)stack.tcp_send(world_.now(), server_socket_, std::as_bytes(std::span(answer)));
  (void)stack.tcp_close(world_.now(), server_socket_);
  server_done_ = true;
}

}  // namespace hawser::cli
