// An algorithm of congestion control that Hawser does not know, beside those that it does.
//
//   sender ----- 10 Mbit/s, 10 ms each way, room for 200 ms of queue ----- receiver
//
//   $ example_congestion
//
// Reno and CUBIC fill the queue until it overflows. `Patient` looks at the round-trip time instead:
// of the queue it wants 5 ms. Everything runs in virtual time.
#include "hawser/congestion.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "hawser/frame_fate.hpp"
#include "hawser/world.hpp"

using namespace hawser;
using namespace std::chrono_literals;

namespace {

/// Once in a round trip, brings the window to what fills the path and a short queue.
class Patient {
 public:
  void on_start(const CongestionStart& start) { window_ = start.cwnd; }

  void on_ack(const AckSample& ack) {
    if (!ack.rtt || ack.now < next_) return;
    next_ = ack.now + *ack.rtt;
    least_ = std::min(least_, *ack.rtt);
    const double wanted =
        window_ * ((least_ + kQueue) / std::chrono::duration<double, std::nano>(*ack.rtt));
    if (wanted > window_ && !ack.window_limited) return;
    window_ = std::max((window_ + std::min(wanted, 2.0 * window_)) / 2, 2.0 * ack.mss);
  }

  void on_congestion(CongestionSignal, const CongestionState& state) {
    window_ = std::max(window_ / 2, 2.0 * state.mss);
  }

  void on_idle(const CongestionState&) {}

  std::uint32_t cwnd() const { return static_cast<std::uint32_t>(window_); }
  std::uint32_t ssthresh() const { return cwnd(); }

 private:
  static constexpr Duration kQueue = 5ms;

  double window_ = 0;  ///< bytes
  Duration least_ = Duration::max();
  Instant next_{};
};

constexpr auto kPatient = congestion_algorithm<Patient>("patient");

constexpr IpAddress kSender = IpAddress::v4(10, 0, 0, 1);
constexpr IpAddress kReceiver = IpAddress::v4(10, 0, 0, 2);
constexpr Duration kTime = 20s;

StackConfig host(IpAddress address) {
  StackConfig config;
  config.interfaces.push_back({"link", 1500, {Prefix{address, 24}}});
  config.tcp.congestion_algorithms.push_back(&kPatient);  // now it can be chosen by its name
  return config;
}

/// Sends as much as it can for twenty seconds.
bool run(std::string_view algorithm) {
  World world(1);
  const StackId sender = world.add_stack(host(kSender));
  const StackId receiver = world.add_stack(host(kReceiver));
  Impairment link;
  link.rate = 10'000'000;
  link.delay = 10ms;
  link.queue = 250'000;
  const LinkId path = world.connect({sender, {}}, {receiver, {}}, link);

  std::array<std::byte, 16384> buffer{};
  std::uint64_t received = 0;
  const auto listener = world.stack(receiver).tcp_listen({kReceiver, Port{80}}, 1);
  world.on_ready(receiver, [&](SocketHandle socket, Ready) {
    Stack& stack = world.stack(receiver);
    while (stack.tcp_accept(*listener)) continue;
    while (const auto got = stack.tcp_receive(world.now(), socket, buffer)) {
      if (*got == 0) break;
      received += *got;
    }
  });
  world.on_ready(sender, [&](SocketHandle socket, Ready) {
    while (world.stack(sender).tcp_send(world.now(), socket, buffer)) continue;
  });

  TcpSettings settings;
  settings.congestion_control = algorithm;
  const auto socket = world.stack(sender).tcp_connect(world.now(), {kSender, Port{}},
                                                      {kReceiver, Port{80}}, &settings);
  if (!listener || !socket) return false;

  double round_trips = 0;  // in ms, sampled each 100 ms
  const int samples = static_cast<int>(kTime / 100ms);
  for (int i = 0; i < samples; ++i) {
    world.run_for(100ms);
    const auto info = world.stack(sender).tcp_info(*socket);
    if (!info || !info->srtt) return false;
    round_trips += std::chrono::duration<double, std::milli>(*info->srtt).count();
  }
  const double seconds = std::chrono::duration<double>(kTime).count();
  const PathCounters& counters = world.counters(path, Direction::a_to_b);
  std::printf("%-8s %.1f Mbit/s, round trip %.1f ms, %llu frames lost\n",
              settings.congestion_control.c_str(),
              static_cast<double>(received) * 8 / seconds / 1e6, round_trips / samples,
              static_cast<unsigned long long>(counters.of(FrameFate::queue_overflow)));
  return true;
}

}  // namespace

int main() {
  for (const std::string_view algorithm : {"reno", "cubic", "patient"}) {
    if (!run(algorithm)) return 1;
  }
}
