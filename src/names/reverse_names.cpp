#include "names/reverse_names.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace hawser::names {

ReverseNames::ReverseNames(Host& host, const std::vector<IpAddress>& servers, Duration patience)
    : engine_(host.engine()), patience_(patience), sockets_(host) {
  ResolveOptions options;
  for (const IpAddress& server : servers) options.servers.push_back({server, Port{}});
  options.timeout = patience / 2;
  options.tries = 2;
  if (auto channel = open_channel(options, *engine_, sockets_)) channel_ = std::move(*channel);
}

void ReverseNames::ask(const IpAddress& address) {
  if (!channel_ || under_way_ == kMaxUnderWay) return;
  const auto [place, is_new] = entries_.try_emplace(address, Entry{this, Clock::now() + patience_});
  if (!is_new) return;
  ++under_way_;
  if (address.is_v4()) {
    const auto bytes = address.v4_bytes();
    ares_gethostbyaddr(channel_.get(), bytes.data(), static_cast<int>(bytes.size()), AF_INET,
                       &on_answer, &place->second);
  } else {
    const auto& bytes = address.bytes();
    ares_gethostbyaddr(channel_.get(), bytes.data(), static_cast<int>(bytes.size()), AF_INET6,
                       &on_answer, &place->second);
  }
}

void ReverseNames::on_answer(void* self, int status, int, hostent* host) {
  auto& entry = *static_cast<Entry*>(self);
  entry.under_way = false;
  --entry.owner->under_way_;
  if (status == ARES_SUCCESS && host != nullptr && host->h_name != nullptr) {
    entry.name = host->h_name;
  }
}

std::optional<std::string> ReverseNames::name(const IpAddress& address) const {
  const auto found = entries_.find(address);
  if (found == entries_.end()) return "";
  const Entry& entry = found->second;
  if (entry.under_way && Clock::now() < entry.give_up_at) return std::nullopt;
  return entry.name;
}

Duration ReverseNames::longest_wait() const {
  if (under_way_ == 0) return std::chrono::hours(1);
  Duration longest = time_until_next(channel_.get());
  for (const auto& [address, entry] : entries_) {
    const Duration left = entry.give_up_at - Clock::now();
    if (entry.under_way && left > Duration::zero()) longest = std::min(longest, left);
  }
  return longest;
}

void ReverseNames::process() {
  if (under_way_ == 0) return;
  (void)sockets_.process(channel_.get());
  ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // lets time-outs fire
}

}  // namespace hawser::names
