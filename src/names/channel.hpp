// What every look-up begins with: c-ares, set up to ask over the sockets of a host.
#pragma once

#include <ares.h>

#include <expected>
#include <memory>

#include "hawser/resolver.hpp"
#include "host/engine.hpp"
#include "names/dns_sockets.hpp"

namespace hawser::names {

struct ChannelCloser {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, ChannelCloser>;

/// Asks the servers that `options` or the network names, as often and for as long as `options`
/// says. The sockets must outlive the channel. Fails with a status of c-ares.
std::expected<Channel, int> open_channel(const ResolveOptions& options, host::Engine& engine,
                                         DnsSockets& sockets);

/// Until when c-ares has to be called again, at most a second from now.
Duration time_until_next(ares_channel channel);

}  // namespace hawser::names
