#include "tcp/listener.hpp"

namespace hawser::tcp {

ListenerMatch match(const IpAddress& listening, const IpAddress& destination) {
  if (listening == destination) return ListenerMatch::exact;
  if (!listening.is_unspecified()) return ListenerMatch::none;
  if (listening.family() == destination.family()) return ListenerMatch::wildcard;
  return listening.family() == Family::ipv6 ? ListenerMatch::dual_stack : ListenerMatch::none;
}

}  // namespace hawser::tcp
