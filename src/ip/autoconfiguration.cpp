#include "ip/autoconfiguration.hpp"

#include <algorithm>

namespace hawser::ip {

namespace {

constexpr Prefix kLinkLocal{IpAddress::v6({0xfe, 0x80}), 64};

bool is_link_local_v6(const IpAddress& address) {
  return !address.is_v4() && address.is_link_local();
}

}  // namespace

Autoconfiguration::Autoconfiguration(Interfaces& interfaces, Random random, KeyedHash key,
                                     IdentifierKind kind)
    : interfaces_(interfaces),
      random_(random),
      key_(key),
      kind_(kind),
      duplicates_(random_.fork()) {}

Autoconfiguration::State* Autoconfiguration::state_of(InterfaceId interface) {
  const auto found = std::ranges::find(states_, interface, &State::interface);
  return found == states_.end() ? nullptr : &*found;
}

const Autoconfiguration::State* Autoconfiguration::state_of(InterfaceId interface) const {
  const auto found = std::ranges::find(states_, interface, &State::interface);
  return found == states_.end() ? nullptr : &*found;
}

void Autoconfiguration::start(Instant now, InterfaceId interface, const MacAddress& mac) {
  if (is_started(interface)) return;
  State& state = states_.emplace_back(State{.interface = interface, .mac = mac, .servers = {}});
  bool has_address = false;
  for (const OwnAddress& own : interfaces_.addresses().all()) {
    if (own.interface != interface || !is_link_local_v6(own.prefix.address)) continue;
    has_address = true;
    if (own.is_usable()) begin_solicitations(now, state);
  }
  if (has_address) return;
  // RFC4862-5.3
  make_address(now, state, {{.prefix = kLinkLocal, .origin = AddressOrigin::link_local}});
}

/// `wanted` has the prefix of the address; the rest of it is made here.
void Autoconfiguration::make_address(Instant now, const State& state, OwnAddress wanted) {
  const IpAddress address = kind_ == IdentifierKind::eui64
                                ? eui64_address(wanted.prefix, state.mac)
                                : stable_address(key_, wanted.prefix, state.mac, wanted.conflicts);
  wanted.prefix.address = address;
  wanted.interface = state.interface;
  wanted.state = AddressState::tentative;
  // RFC4862-5.4.2: many hosts hear an advertisement, or get their current back, at once.
  if (interfaces_.add_address(wanted)) duplicates_.start(now, state.interface, address, true);
}

void Autoconfiguration::detect_duplicates(Instant now, InterfaceId interface,
                                          const IpAddress& address, bool delay) {
  duplicates_.start(now, interface, address, delay);
}

void Autoconfiguration::on_removed(InterfaceId interface, const IpAddress& address) {
  duplicates_.stop(interface, address);
}

void Autoconfiguration::on_claim(InterfaceId interface, const IpAddress& address) {
  duplicates_.on_claim(interface, address);
}

void Autoconfiguration::on_probe(InterfaceId interface, const IpAddress& address,
                                 const std::optional<wire::Nonce>& nonce) {
  duplicates_.on_probe(interface, address, nonce);
}

void Autoconfiguration::on_verdict(Instant now, const AddressVerdict& verdict) {
  const OwnAddress* found = interfaces_.addresses().find(verdict.interface, verdict.address);
  if (found == nullptr || found->state != AddressState::tentative) return;
  const OwnAddress own = *found;
  if (verdict.duplicate) return on_duplicate(now, own);
  on_usable(now, own);
}

/// RFC4862-5.4.5: not used. Of one that we made, another is tried (RFC7217-6).
void Autoconfiguration::on_duplicate(Instant now, const OwnAddress& own) {
  outputs_.emplace_back(AddressTaken{own.interface, own.prefix.address});
  const State* state = state_of(own.interface);
  const bool made_here =
      own.origin == AddressOrigin::link_local || own.origin == AddressOrigin::advertised;
  if (state == nullptr || !made_here || kind_ == IdentifierKind::eui64 ||
      own.conflicts >= kIdentifierRetries) {
    interfaces_.set_state(own.interface, own.prefix.address, AddressState::duplicate);
    return;
  }
  interfaces_.remove_address(own.interface, own.prefix.address);
  OwnAddress next = own;
  next.prefix = own.prefix.network();
  ++next.conflicts;
  make_address(now, *state, next);
}

void Autoconfiguration::on_usable(Instant now, const OwnAddress& own) {
  interfaces_.set_state(
      own.interface, own.prefix.address,
      own.preferred_until > now ? AddressState::preferred : AddressState::deprecated);
  outputs_.emplace_back(AddressReady{own.interface, own.prefix.address});
  State* state = state_of(own.interface);
  if (state != nullptr && is_link_local_v6(own.prefix.address)) begin_solicitations(now, *state);
}

/// RFC4861-6.3.7: the delay that it asks for was that of the first probe.
void Autoconfiguration::begin_solicitations(Instant now, State& state) {
  if (!state.has_router && state.next_solicitation == kNever) state.next_solicitation = now;
}

/// RFC7559-2: again and again until a router is heard, ever more rarely.
void Autoconfiguration::solicit(Instant now, State& state) {
  const auto all = interfaces_.addresses().all();
  const auto own = std::ranges::find_if(all, [&](const OwnAddress& address) {
    return address.interface == state.interface && address.is_usable() &&
           is_link_local_v6(address.prefix.address);
  });
  outputs_.emplace_back(SolicitRouters{
      state.interface, own == all.end() ? std::nullopt : std::optional(own->prefix.address)});
  if (state.interval == Duration::zero()) {
    state.interval = kSolicitationInterval + jitter(kSolicitationInterval);
  } else {
    state.interval = 2 * state.interval + jitter(state.interval);
    if (state.interval > kMaxSolicitationInterval) {
      state.interval = kMaxSolicitationInterval + jitter(kMaxSolicitationInterval);
    }
  }
  state.next_solicitation = now + state.interval;
}

/// Between minus and plus a tenth of it.
Duration Autoconfiguration::jitter(Duration of) {
  const Duration tenth = of / 10;
  return Duration(static_cast<Duration::rep>(
             random_.below(2 * static_cast<std::uint64_t>(tenth.count()) + 1))) -
         tenth;
}

void Autoconfiguration::on_time(Instant now) {
  duplicates_.on_time(now);
  settle(now);
  for (State& state : states_) {
    std::erase_if(state.servers, [&](const Server& server) { return server.valid_until <= now; });
    if (state.next_solicitation <= now) solicit(now, state);
  }
}

void Autoconfiguration::settle(Instant now) {
  settle_duplicates(now);
  if (routes_seen_ == interfaces_.generation()) return;
  routes_seen_ = interfaces_.generation();
  miss_routers(now);
}

/// When the last default router of a link is gone, others are asked for as in the beginning: all
/// hosts of the link miss it at once, so each waits a while of its own (RFC4861-6.3.7, RFC7559-2).
void Autoconfiguration::miss_routers(Instant now) {
  for (State& state : states_) {
    if (!state.has_router || count_routes(state.interface, RouteOrigin::advertised, true) != 0) {
      continue;
    }
    state.has_router = false;
    state.interval = Duration::zero();
    state.next_solicitation =
        now + Duration(static_cast<Duration::rep>(
                  random_.below(static_cast<std::uint64_t>(kMaxSolicitationDelay.count()))));
  }
}

/// What was found goes into the table of addresses, what is to be asked to the outputs.
void Autoconfiguration::settle_duplicates(Instant now) {
  while (const auto output = duplicates_.poll_output()) {
    if (const auto* probe = std::get_if<ProbeAddress>(&*output)) {
      outputs_.emplace_back(*probe);
    } else {
      on_verdict(now, std::get<AddressVerdict>(*output));
    }
  }
}

Instant Autoconfiguration::next_deadline() const {
  Instant next = duplicates_.next_deadline();
  for (const State& state : states_) {
    next = std::min(next, state.next_solicitation);
    for (const Server& server : state.servers) next = std::min(next, server.valid_until);
  }
  return next;
}

std::optional<AutoconfigurationOutput> Autoconfiguration::poll_output(Instant now) {
  settle(now);
  if (outputs_.empty()) return std::nullopt;
  const AutoconfigurationOutput output = outputs_.front();
  outputs_.pop_front();
  return output;
}

std::vector<Endpoint> Autoconfiguration::dns_servers() const {
  constexpr Port kDns{53};
  std::vector<Endpoint> servers;
  for (const State& state : states_) {
    for (const Server& server : state.servers) {
      const bool scoped = server.address.needs_zone();
      servers.push_back({server.address, kDns, scoped ? zone_of(state.interface) : Zone::none});
    }
  }
  return servers;
}

std::optional<std::uint8_t> Autoconfiguration::hop_limit(InterfaceId interface) const {
  const State* state = state_of(interface);
  if (state == nullptr || state->hop_limit == 0) return std::nullopt;
  return state->hop_limit;
}

}  // namespace hawser::ip
