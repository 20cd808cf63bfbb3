#include "ip/multicast.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <tuple>

namespace hawser::ip {

namespace {

using namespace std::chrono_literals;

constexpr IpAddress kAllHosts4 = IpAddress::v4(224, 0, 0, 1);

constexpr IpAddress all_nodes(std::uint8_t scope) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[0] = 0xff;
  bytes[1] = scope;
  bytes[15] = 1;
  return IpAddress::v6(bytes);
}

constexpr IpAddress kAllNodesHere = all_nodes(1);
constexpr IpAddress kAllNodesOnLink = all_nodes(2);

/// Routers ask this often unless they say otherwise, which we do not follow (RFC3376-8.2).
constexpr Duration kQueryInterval = 125s;
constexpr Duration kQueryResponse = 10s;
/// Between the first report of a group and its repetitions (RFC3376-8.11, RFC2236-8.10).
constexpr Duration kUnsolicited3 = 1s;
constexpr Duration kUnsolicited = 10s;
/// Whoever asks for answers at once gets them within the longer of these, and nobody is answered
/// more often than the shorter allows.
constexpr Duration kLeastResponse = 100ms;
constexpr Duration kLeastDelay = 20ms;

/// Nobody asks who is in these, nor who is on a link or in a scope that no packet leaves
/// (RFC2236-6, RFC3810-6).
bool is_reported(const IpAddress& group) {
  if (is_all_hosts(group)) return false;
  return group.is_v4() || (group.bytes()[1] & 0x0fU) > 1;
}

}  // namespace

bool is_all_hosts(const IpAddress& group) {
  return group == kAllHosts4 || group == kAllNodesOnLink || group == kAllNodesHere;
}

std::vector<Multicast::Group>::iterator Multicast::place_of(InterfaceId interface,
                                                            const IpAddress& group) {
  return std::ranges::lower_bound(groups_, std::tie(interface, group), std::less<>{},
                                  [](const Group& g) { return std::tie(g.interface, g.address); });
}

Multicast::Group* Multicast::find(InterfaceId interface, const IpAddress& group) {
  const auto place = place_of(interface, group);
  if (place == groups_.end() || place->interface != interface || place->address != group) {
    return nullptr;
  }
  return &*place;
}

bool Multicast::is_member(InterfaceId interface, const IpAddress& group) const {
  if (is_all_hosts(group)) return true;
  const auto place =
      std::ranges::lower_bound(groups_, std::tie(interface, group), std::less<>{},
                               [](const Group& g) { return std::tie(g.interface, g.address); });
  return place != groups_.end() && place->interface == interface && place->address == group &&
         place->users != 0;
}

Multicast::Link& Multicast::link_of(InterfaceId interface, bool v4) {
  const auto known = std::ranges::find_if(
      links_, [&](const Link& link) { return link.interface == interface && link.v4 == v4; });
  if (known != links_.end()) return *known;
  return links_.emplace_back(Link{.interface = interface, .v4 = v4});
}

// ---- what the host wants

Result<void> Multicast::join(Instant now, InterfaceId interface, const IpAddress& group) {
  if (!group.is_multicast()) return std::unexpected(Error::invalid_argument);
  auto place = place_of(interface, group);
  if (place == groups_.end() || place->interface != interface || place->address != group) {
    if (groups_.size() >= kMaxGroups) return std::unexpected(Error::no_buffer_space);
    place = groups_.insert(place, Group{.interface = interface, .address = group});
  }
  if (++place->users > 1 || !is_reported(group)) return {};
  place->changes_left = link_of(interface, group.is_v4()).robustness;
  say_change(now, *place);
  return {};
}

void Multicast::leave(Instant now, InterfaceId interface, const IpAddress& group) {
  Group* left = find(interface, group);
  if (left == nullptr || left->users == 0) return;
  --left->users;
  if (left->users != 0) return;
  const Link& link = link_of(interface, group.is_v4());
  const Version version = version_of(link, now);
  left->answer_at = kNever;
  left->changes_left = link.robustness;
  // RFC2236-3: said once, and only by who reported last; version one has no way to say it.
  if (version == Version::two) left->changes_left = left->we_reported_last ? 1 : 0;
  if (version == Version::one || !is_reported(group)) left->changes_left = 0;
  say_change(now, *left);
  if (left->changes_left == 0) groups_.erase(groups_.begin() + (left - groups_.data()));
}

// ---- what routers ask

Multicast::Version Multicast::version_of(const Link& link, Instant now) {
  if (now < link.one_until) return Version::one;
  return now < link.two_until ? Version::two : Version::three;
}

/// RFC3376-7.2.1, RFC3810-8.2.1: an older router is spoken to in its version, for as long as it may
/// be there; what waited to be said in another is not said.
void Multicast::note_version(Instant now, Link& link, const wire::MembershipQuery& query) {
  const Version before = version_of(link, now);
  const Instant until = now + link.robustness * kQueryInterval + kQueryResponse;
  if (query.version == Version::one) link.one_until = until;
  if (query.version == Version::two) link.two_until = until;
  if (query.version == Version::three && query.robustness != 0) {
    link.robustness = query.robustness;
  }
  if (version_of(link, now) == before) return;
  link.answer_at = kNever;
  for (Group& group : groups_) {
    if (group.interface != link.interface || group.address.is_v4() != link.v4) continue;
    group.answer_at = kNever;
    group.changes_left = 0;
    group.change_at = kNever;
  }
  forget_the_left();
}

Instant Multicast::soon(Instant now, Duration most) {
  const Duration within = std::max(most, kLeastResponse);
  const Duration choice = within - kLeastDelay;
  return now + kLeastDelay + Duration(random_.below(static_cast<std::uint64_t>(choice.count())));
}

void Multicast::on_query(Instant now, InterfaceId interface, const wire::MembershipQuery& query) {
  const bool v4 = query.group.is_v4();
  Link& link = link_of(interface, v4);
  note_version(now, link, query);
  const Version version = version_of(link, now);
  if (!query.group.is_unspecified()) {
    Group* group = find(interface, query.group);
    if (group != nullptr && group->users != 0 && is_reported(query.group)) {
      group->answer_at = std::min(group->answer_at, soon(now, query.max_response));
    }
  } else if (version == Version::three) {
    link.answer_at = std::min(link.answer_at, soon(now, query.max_response));
  } else {
    for (Group& group : groups_) {
      if (group.interface != interface || group.address.is_v4() != v4 || group.users == 0 ||
          !is_reported(group.address)) {
        continue;
      }
      group.answer_at = std::min(group.answer_at, soon(now, query.max_response));
    }
  }
  set_deadline();
}

void Multicast::on_report(Instant now, InterfaceId interface, const IpAddress& address) {
  Group* group = find(interface, address);
  if (group == nullptr || group->users == 0 ||
      version_of(link_of(interface, address.is_v4()), now) == Version::three) {
    return;
  }
  group->answer_at = kNever;
  group->change_at = kNever;
  group->changes_left = 0;
  group->we_reported_last = false;
  set_deadline();
}

// ---- what is said

void Multicast::report(const Group& group, Version version, Change change) {
  const bool v4 = group.address.is_v4();
  if (version == Version::three && !output_.empty()) {
    GroupReport& last = output_.back();
    if (last.version == version && last.interface == group.interface &&
        last.records.front().group.is_v4() == v4 &&
        last.records.size() < wire::kMembershipRecords) {
      last.records.push_back({change, group.address});
      return;
    }
  }
  output_.push_back({group.interface, version, {{change, group.address}}});
}

void Multicast::say_change(Instant now, Group& group) {
  const Version version = version_of(link_of(group.interface, group.address.is_v4()), now);
  group.change_at = kNever;
  if (group.changes_left == 0) return;
  report(group, version, group.users != 0 ? Change::now_wanted : Change::not_wanted);
  group.we_reported_last = true;
  if (--group.changes_left == 0) return;
  group.change_at = soon(now, version == Version::three ? kUnsolicited3 : kUnsolicited);
  next_deadline_ = std::min(next_deadline_, group.change_at);
}

void Multicast::answer_about_all(const Link& link) {
  for (Group& group : groups_) {
    if (group.interface != link.interface || group.address.is_v4() != link.v4 || group.users == 0 ||
        !is_reported(group.address)) {
      continue;
    }
    group.answer_at = kNever;
    report(group, Version::three, Change::wanted);
  }
}

void Multicast::on_time(Instant now) {
  for (Group& group : groups_) {
    if (group.change_at <= now) say_change(now, group);
    if (group.answer_at <= now) {
      group.answer_at = kNever;
      group.we_reported_last = true;
      report(group, version_of(link_of(group.interface, group.address.is_v4()), now),
             Change::wanted);
    }
  }
  for (Link& link : links_) {
    if (link.answer_at > now) continue;
    link.answer_at = kNever;
    answer_about_all(link);
  }
  forget_the_left();
  set_deadline();
}

void Multicast::forget_the_left() {
  std::erase_if(groups_,
                [](const Group& group) { return group.users == 0 && group.changes_left == 0; });
}

void Multicast::set_deadline() {
  next_deadline_ = kNever;
  for (const Group& group : groups_) {
    next_deadline_ = std::min({next_deadline_, group.change_at, group.answer_at});
  }
  for (const Link& link : links_) next_deadline_ = std::min(next_deadline_, link.answer_at);
}

std::optional<GroupReport> Multicast::poll_report() {
  if (output_.empty()) return std::nullopt;
  GroupReport report = std::move(output_.front());
  output_.pop_front();
  return report;
}

}  // namespace hawser::ip
