#include "swarm_side.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "swarm_stage.hpp"

namespace hawser::swarm {

namespace {

/// The byte at a place in one direction of one connection: a misplaced byte is almost surely wrong.
std::byte byte_at(std::uint64_t stream, std::uint64_t offset) {
  std::uint64_t z = (stream << 48) + offset + 1;
  z = (z ^ (z >> 23)) * 0x9e3779b97f4a7c15U;
  return std::byte{static_cast<std::uint8_t>(z >> 32)};
}

std::uint64_t stream_of(std::size_t connection, bool from_a) {
  return 2 * connection + (from_a ? 1U : 0U);
}

std::string name_of(Error error) { return make_error_code(error).message(); }

}  // namespace

Side::Side(Stage& stage, Connection& connection, const SidePlan& plan, StackId stack, bool is_a,
           std::uint64_t seed)
    : stage_(stage),
      connection_(connection),
      plan_(plan),
      stack_(stack),
      is_a_(is_a),
      random_(seed),
      scratch_(std::max(plan.write_chunk, plan.read_chunk)) {}

std::string Side::describe() const {
  std::string text = fmt::format("{}{} wrote {} of {}, read {}", is_a_ ? 'a' : 'b',
                                 connection_.number, written_, plan_.bytes, received_);
  if (!begun_) text += ", not begun";
  if (shut_down_) text += ", shut down";
  if (end_of_stream_) text += ", end of stream";
  if (error_) text += ", " + name_of(*error_);
  if (done_) return text + ", done";
  if (const auto info = stage_.world().stack(stack_).tcp_info(handle_)) {
    text += fmt::format(", {} in flight {} send queue {} snd_wnd {} rcv_wnd {} rto {} ms",
                        to_string(info->state), info->in_flight, info->send_queue, info->snd_wnd,
                        info->rcv_wnd, info->rto / std::chrono::milliseconds(1));
  }
  return text;
}

void Side::begin(SocketHandle handle) {
  handle_ = handle;
  begun_ = true;
  if (done_) return (void)stage_.world().stack(stack_).tcp_abort(stage_.world().now(), handle);
  stage_.bind(*this, handle);
  stage_.progress(connection_);
  if (plan_.first_read > Duration{}) wake(plan_.first_read, &Side::read_pause_);
  if (plan_.leave_at && (plan_.ending == Ending::early_close || plan_.ending == Ending::abort)) {
    stage_.world().schedule(stage_.world().now() + *plan_.leave_at, [this] {
      leave_now_ = true;
      work();
    });
  }
  work();
}

void Side::fail_to_open(Error error) {
  begun_ = true;
  end(error);
}

void Side::on_ready(Ready ready) {
  if (done_) return;
  if (any(ready & (Ready::writable | Ready::error | Ready::closed))) writable_ = true;
  if (any(ready & (Ready::readable | Ready::error | Ready::closed))) readable_ = true;
  work();
}

/// Keeps `pause` for up to `gap` and then goes on.
void Side::wake(Duration gap, bool Side::* pause) {
  this->*pause = true;
  const auto span = static_cast<std::uint64_t>(gap.count());
  stage_.world().schedule(
      stage_.world().now() + Duration(1 + static_cast<Duration::rep>(random_.below(span))),
      [this, pause] {
        this->*pause = false;
        stage_.progress(connection_);
        work();
      });
}

void Side::work() {
  if (done_ || !begun_) return;
  if (may_leave()) return leave();
  write();
  if (!done_) read();
  if (!done_ && end_of_stream_) write();  // one who answers has its last byte to write now
  if (!done_) finish_if_due();
}

bool Side::may_leave() const {
  if (plan_.ending != Ending::early_close && plan_.ending != Ending::abort) return false;
  return leave_now_ || written_ >= plan_.leave_after;
}

void Side::leave() {
  left_early_ = true;
  Stack& stack = stage_.world().stack(stack_);
  if (plan_.ending == Ending::abort) {
    stage_.note(*this, "aborts");
    if (!stack.tcp_abort(stage_.world().now(), handle_)) stage_.fail(connection_, "abort refused");
    done_ = true;
    closed_at_ = stage_.world().now();
    return;
  }
  close();
}

void Side::close() {
  stage_.note(*this, "closes");
  done_ = true;
  // Want of memory is no end: what was written and a FIN still leave.
  sent_end_ = sent_end_ || !error_ || *error_ == Error::no_buffer_space;
  closed_at_ = stage_.world().now();
  stage_.progress(connection_);
  const auto closed = stage_.world().stack(stack_).tcp_close(stage_.world().now(), handle_);
  if (!closed) stage_.fail(connection_, "close refused: " + name_of(closed.error()));
}

void Side::abandon() {
  if (done_) return;
  stage_.note(*this, "gives up");
  done_ = true;
  left_early_ = true;
  closed_at_ = stage_.world().now();
  if (handle_) (void)stage_.world().stack(stack_).tcp_abort(stage_.world().now(), handle_);
}

void Side::check_not_silent() {
  if (done_ || !handle_) return;
  const auto info = stage_.world().stack(stack_).tcp_info(handle_);
  if (!info) return;
  const Instant now = stage_.world().now();
  // The timer was set at the last acknowledgment, and may be longer than what was measured since.
  if (info->bytes_acked != acked_) longest_rto_ = last_rto_;
  acked_ = info->bytes_acked;
  last_rto_ = info->rto;
  longest_rto_ = std::max(longest_rto_, last_rto_);
  const std::uint64_t segments = info->segments_sent + info->segments_received;
  const bool is_idle = info->in_flight + info->send_queue == 0;
  if (segments != segments_ || is_idle || was_idle_) {
    was_idle_ = is_idle;
    segments_ = segments;
    last_segment_ = now;
  } else if (now - last_segment_ > longest_rto_) {
    stage_.fail(connection_, fmt::format("{} is silent for {} ms", describe(),
                                         (now - last_segment_) / std::chrono::milliseconds(1)));
  }
}

void Side::end(Error error) {
  stage_.note(*this, "sees error: " + name_of(error));
  const bool excused = stage_.excuses(connection_, *this, error);
  error_ = error;
  left_early_ = true;
  if (!excused) {
    stage_.fail(connection_, fmt::format("{} sees '{}' for no reason", describe(), name_of(error)));
  }
  if (handle_) return close();
  done_ = true;
}

void Side::write() {
  // One who answers keeps its last byte until it has read to the end.
  while (!done_ && writable_ && !write_pause_ && !shut_down_ && written_ < plan_.bytes) {
    const bool holds_back = plan_.ending == Ending::answers && !end_of_stream_;
    if (holds_back && written_ + 1 == plan_.bytes) return;
    write_once();
    if (may_leave()) return leave();
  }
}

void Side::write_once() {
  const bool holds_back = plan_.ending == Ending::answers && !end_of_stream_;
  const std::uint64_t left = plan_.bytes - written_ - (holds_back ? 1U : 0U);
  const auto size = std::min<std::uint64_t>(left, 1 + random_.below(plan_.write_chunk));
  const auto bytes = std::span(scratch_).first(static_cast<std::size_t>(size));
  const std::uint64_t stream = stream_of(connection_.number, is_a_);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(stream, written_ + i);

  Stack& stack = stage_.world().stack(stack_);
  const Instant now = stage_.world().now();
  const auto sent = random_.chance(plan_.urgent) ? stack.tcp_send_urgent(now, handle_, bytes)
                                                 : stack.tcp_send(now, handle_, bytes);
  if (!sent) {
    if (sent.error() != Error::would_block) return end(sent.error());
    writable_ = false;
    return;
  }
  if (*sent > bytes.size()) return stage_.fail(connection_, "send took more than was offered");
  if (*sent == 0) return stage_.fail(connection_, "send took nothing and did not say would_block");
  written_ += *sent;
  stage_.progress(connection_);
  if (plan_.write_gap > Duration{}) wake(plan_.write_gap, &Side::write_pause_);
}

void Side::read() {
  while (!done_ && readable_ && !read_pause_ && !end_of_stream_) read_once();
}

void Side::read_once() {
  const auto size = 1 + random_.below(plan_.read_chunk);
  const auto room = std::span(scratch_).first(static_cast<std::size_t>(size));
  const auto got = stage_.world().stack(stack_).tcp_receive(stage_.world().now(), handle_, room);
  if (!got) {
    if (got.error() != Error::would_block) return end(got.error());
    readable_ = false;
    return;
  }
  if (*got > room.size()) return stage_.fail(connection_, "receive gave more than was asked for");
  stage_.progress(connection_);
  if (*got == 0) return at_end_of_stream();
  check(room.first(*got));
  if (plan_.read_gap > Duration{}) wake(plan_.read_gap, &Side::read_pause_);
}

void Side::check(std::span<const std::byte> bytes) {
  const std::uint64_t stream = stream_of(connection_.number, !is_a_);
  for (const std::byte byte : bytes) {
    if (byte != byte_at(stream, received_)) {
      return stage_.fail(connection_,
                         fmt::format("{} reads a wrong byte at {}", describe(), received_));
    }
    ++received_;
  }
  if (received_ > connection_.other(*this).written()) {
    stage_.fail(connection_, describe() + " reads more than was written");
  }
}

void Side::at_end_of_stream() {
  end_of_stream_ = true;
  stage_.note(*this, "reads the end of the stream");
  const Side& peer = connection_.other(*this);
  if (!peer.sent_end_) {
    return stage_.fail(connection_, describe() + " reads an end that nobody sent");
  }
  if (received_ != peer.written()) {
    stage_.fail(connection_, fmt::format("{} reads the end of the stream at {} of {} bytes",
                                         describe(), received_, peer.written()));
  }
}

void Side::finish_if_due() {
  const bool waits_for_the_end = plan_.ending == Ending::answers && !end_of_stream_;
  if (written_ < plan_.bytes || waits_for_the_end) return;
  if (plan_.ending == Ending::answers) return close();
  if (!shut_down_) {
    const auto shut =
        stage_.world().stack(stack_).tcp_shutdown_write(stage_.world().now(), handle_);
    if (!shut && shut.error() == Error::not_connected) return;  // the handshake is under way
    if (!shut) return end(shut.error());
    stage_.note(*this, "shuts down");
    shut_down_ = sent_end_ = true;
    stage_.progress(connection_);
  }
  if (end_of_stream_) close();
}

}  // namespace hawser::swarm
