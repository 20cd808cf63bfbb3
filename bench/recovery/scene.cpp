#include "scene.hpp"

#include <algorithm>
#include <span>

namespace hawser::recovery {

namespace {

using namespace std::chrono_literals;

constexpr IpAddress kSender = IpAddress::v4(10, 0, 0, 1);
constexpr IpAddress kReceiver = IpAddress::v4(10, 0, 0, 2);
constexpr Port kService{5001};
constexpr std::uint16_t kFirstPort = 40000;  // of the senders, one for each flow
constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kPool = std::size_t{8} << 30;  // a bound that nothing comes near
constexpr Duration kStartsWithin = 1s;               // of several flows

double seconds(Duration span) { return static_cast<double>(span.count()) / 1e9; }

/// So that buffers are never what holds a flow back: a full path and a full queue, while as much
/// waits for the repair of a loss.
std::uint32_t buffer_of(const Cell& cell) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(4 * cell.queue() + (1 << 20), 1 << 30));
}

StackConfig host(const Cell& cell, IpAddress address) {
  StackConfig config;
  config.interfaces.push_back({"link", 1500, {Prefix{address, 24}}});
  config.tcp.defaults.send_buffer = buffer_of(cell);
  config.tcp.defaults.receive_buffer = buffer_of(cell);
  return config;
}

struct Flow {
  SocketHandle sender;
  SocketHandle receiver;
  Instant last_progress = kNever;
  Duration rto{};  // when the last progress was made, without backoff
};

class Scene {
 public:
  Scene(const Cell& cell, std::uint64_t seed, const Watch& watch);

  Result run(Duration span);

 private:
  void look_on();
  void begin(std::size_t flow);
  void on_sender_event(const Event& event);
  void on_receiver(SocketHandle socket);
  void accept();
  void fill(SocketHandle socket);
  void read(std::size_t flow);
  void note_gap(std::size_t flow);
  void sample();
  void mark_settled();
  void collect();
  Duration rto_of(const Flow& flow) const;

  const Cell& cell_;
  const Watch& watch_;
  World world_;
  StackId sender_;
  StackId receiver_;
  LinkId link_;
  SocketHandle listener_;
  std::vector<Flow> flows_;
  std::vector<std::byte> out_;
  std::vector<std::byte> in_;
  Result result_;
};

Scene::Scene(const Cell& cell, std::uint64_t seed, const Watch& watch)
    : cell_(cell),
      watch_(watch),
      world_(seed, kPool),
      sender_(world_.add_stack(host(cell, kSender))),
      receiver_(world_.add_stack(host(cell, kReceiver))),
      link_(world_.connect({sender_, {}}, {receiver_, {}}, cell.data_path(), cell.ack_path())),
      flows_(cell.flows),
      out_(kChunk),
      in_(kChunk) {
  result_.flows.resize(cell.flows);
  world_.on_ready(sender_, [this](SocketHandle socket, Ready) { fill(socket); });
  world_.on_ready(receiver_, [this](SocketHandle socket, Ready) { on_receiver(socket); });
  look_on();
}

void Scene::look_on() {
  world_.on_event(sender_, [this](const Event& event) { on_sender_event(event); });
  if (watch_.receiver) world_.on_event(receiver_, watch_.receiver);
  if (watch_.frame) world_.on_frame(watch_.frame);
  if (watch_.sample) sample();
}

Result Scene::run(Duration span) {
  const auto listener = world_.stack(receiver_).tcp_listen({kReceiver, kService}, cell_.flows);
  if (!listener) {
    result_.failure = make_error_code(listener.error()).message();
    return std::move(result_);
  }
  listener_ = *listener;
  for (std::size_t flow = 0; flow < flows_.size(); ++flow) {
    // Several begin one after the other, as flows do.
    const auto wait = kStartsWithin * flow / flows_.size();
    world_.schedule(world_.now() + wait, [this, flow] { begin(flow); });
  }
  world_.schedule(world_.now() + span / 3, [this] { mark_settled(); });
  world_.run_for(span);
  collect();
  return std::move(result_);
}

void Scene::begin(std::size_t flow) {
  Stack& stack = world_.stack(sender_);
  TcpSettings settings = stack.config().tcp.defaults;
  settings.congestion_control = cell_.algorithms[flow % cell_.algorithms.size()];
  const Port port{static_cast<std::uint16_t>(kFirstPort + flow)};
  const auto socket =
      stack.tcp_connect(world_.now(), {kSender, port}, {kReceiver, kService}, &settings);
  if (!socket) {
    result_.failure = make_error_code(socket.error()).message();
    return;
  }
  flows_[flow].sender = *socket;
}

void Scene::on_sender_event(const Event& event) {
  if (const auto* sent = std::get_if<SegmentSent>(&event.what)) {
    ++result_.sent[static_cast<std::size_t>(sent->reason)];
  }
  if (watch_.sender) watch_.sender(event);
}

void Scene::fill(SocketHandle socket) {
  Stack& stack = world_.stack(sender_);
  for (;;) {
    const auto sent = stack.tcp_send(world_.now(), socket, out_);
    if (sent) continue;
    if (sent.error() != Error::would_block) {
      result_.failure = make_error_code(sent.error()).message();
    }
    return;
  }
}

void Scene::on_receiver(SocketHandle socket) {
  if (socket == listener_) return accept();
  const auto found = std::ranges::find(flows_, socket, &Flow::receiver);
  if (found != flows_.end()) read(static_cast<std::size_t>(found - flows_.begin()));
}

void Scene::accept() {
  Stack& stack = world_.stack(receiver_);
  while (const auto socket = stack.tcp_accept(listener_)) {
    const auto info = stack.tcp_info(*socket);
    if (!info) continue;
    const std::size_t flow = to_number(info->remote.port) - kFirstPort;
    flows_[flow].receiver = *socket;
    read(flow);
  }
}

void Scene::read(std::size_t flow) {
  Stack& stack = world_.stack(receiver_);
  std::uint64_t& delivered = result_.flows[flow].delivered;
  const std::uint64_t before = delivered;
  while (const auto got = stack.tcp_receive(world_.now(), flows_[flow].receiver, in_)) {
    if (*got == 0) break;
    delivered += *got;
  }
  if (delivered != before) note_gap(flow);
}

/// Called when a flow gets on, and at the end.
void Scene::note_gap(std::size_t index) {
  Flow& flow = flows_[index];
  const Instant now = world_.now();
  if (flow.last_progress == now) return;
  if (flow.last_progress != kNever && now - flow.last_progress > result_.flows[index].longest_gap) {
    result_.flows[index].longest_gap = now - flow.last_progress;
    result_.flows[index].gap_rtos = seconds(now - flow.last_progress) / seconds(flow.rto);
  }
  flow.last_progress = now;
  flow.rto = rto_of(flow);
}

Duration Scene::rto_of(const Flow& flow) const {
  const auto info = world_.stack(sender_).tcp_info(flow.sender);
  return info ? info->rto / (std::int64_t{1} << std::min(info->backoff, 30U)) : 1s;
}

void Scene::sample() {
  if (const auto info = world_.stack(sender_).tcp_info(flows_.front().sender)) {
    watch_.sample(world_.now(), *info);
  }
  world_.schedule(world_.now() + watch_.every, [this] { sample(); });
}

void Scene::mark_settled() {
  for (FlowResult& flow : result_.flows) flow.settled = flow.delivered;
}

void Scene::collect() {
  result_.elapsed = world_.now().time_since_epoch();
  result_.path = world_.counters(link_, Direction::a_to_b);
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    result_.flows[i].settled = result_.flows[i].delivered - result_.flows[i].settled;
    note_gap(i);
    if (const auto info = world_.stack(sender_).tcp_info(flows_[i].sender)) {
      result_.recoveries += info->fast_recoveries;
      result_.timeouts += info->timeouts;
    }
  }
}

}  // namespace

bool is_repetition(SendReason reason) {
  switch (reason) {
    case SendReason::handshake:
    case SendReason::data:
    case SendReason::ack:
    case SendReason::window_update:
    case SendReason::challenge_ack:
    case SendReason::reset:
      return false;
    default:
      return true;
  }
}

std::uint64_t Result::delivered() const {
  std::uint64_t sum = 0;
  for (const FlowResult& flow : flows) sum += flow.delivered;
  return sum;
}

std::uint64_t Result::repeated() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (is_repetition(static_cast<SendReason>(i))) sum += sent[i];
  }
  return sum;
}

std::uint64_t Result::dropped() const {
  return path.of(FrameFate::lost) + path.of(FrameFate::queue_overflow);
}

std::uint64_t Result::in_vain() const { return std::max(repeated(), dropped()) - dropped(); }

double Result::goodput() const { return 8 * static_cast<double>(delivered()) / seconds(elapsed); }

const FlowResult& Result::slowest() const {
  return *std::ranges::max_element(flows, {}, &FlowResult::gap_rtos);
}

double Result::fairness() const {
  double sum = 0;
  double squares = 0;
  for (const FlowResult& flow : flows) {
    const auto bytes = static_cast<double>(flow.settled);
    sum += bytes;
    squares += bytes * bytes;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(flows.size()) * squares) : 0;
}

double Result::share(std::size_t offset, std::size_t step) const {
  double part = 0;
  double sum = 0;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const auto bytes = static_cast<double>(flows[i].settled);
    sum += bytes;
    if (i % step == offset) part += bytes;
  }
  return sum > 0 ? part / sum : 0;
}

Result run(const Cell& cell, Duration span, std::uint64_t seed, const Watch& watch) {
  return Scene(cell, seed, watch).run(span);
}

}  // namespace hawser::recovery
