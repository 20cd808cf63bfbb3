#include "tcp/reset.hpp"

namespace hawser::tcp {

std::optional<TcpHeader> reset_for(const Segment& segment) {
  if (segment.has(TcpFlag::rst)) return std::nullopt;
  TcpHeader reset;
  reset.source = segment.header.destination;
  reset.destination = segment.header.source;
  if (segment.has(TcpFlag::ack)) {
    reset.seq = segment.header.ack;
    reset.flags = TcpFlag::rst;
  } else {
    reset.ack = segment.header.seq + segment.seq_length();
    reset.flags = TcpFlag::rst | TcpFlag::ack;
  }
  return reset;
}

}  // namespace hawser::tcp
