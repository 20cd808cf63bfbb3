// Which settings of a socket make sense, whoever sets them.
#include "hawser/tcp.hpp"
#include "hawser/udp.hpp"

namespace hawser {

namespace {

bool is_buffer(std::uint32_t bytes) {
  constexpr std::uint32_t kLargest = 1U << 30;  // as far as a scaled window reaches (RFC 7323)
  return bytes > 0 && bytes <= kLargest;
}

}  // namespace

bool TcpSettings::is_valid() const {
  const bool buffers = is_buffer(send_buffer.value_or(max_send_buffer)) &&
                       is_buffer(receive_buffer.value_or(max_receive_buffer)) &&
                       is_buffer(max_send_buffer) && is_buffer(max_receive_buffer);
  const bool durations = keep_alive_idle > Duration::zero() &&
                         keep_alive_interval > Duration::zero() &&
                         user_timeout.value_or(Duration{1}) > Duration::zero() &&
                         linger.value_or(Duration::zero()) >= Duration::zero();
  return durations && buffers && keep_alive_count > 0 && hop_limit != 0 && dscp < 64;
}

bool UdpSettings::is_valid() const {
  return hop_limit != 0 && dscp < 64 && ecn < 4 && is_buffer(send_buffer) &&
         is_buffer(receive_buffer);
}

}  // namespace hawser
