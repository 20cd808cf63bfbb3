#include "hawser/resolver.hpp"

#include <ares.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "host/engine.hpp"
#include "names/channel.hpp"
#include "names/dns_sockets.hpp"

namespace hawser {

namespace {

using names::Channel;
using names::DnsSockets;
using Found = std::expected<std::vector<IpAddress>, ResolveError>;

constexpr std::size_t kLongestName = 253;  // RFC 1035 3.1, as text

std::unexpected<ResolveError> failure(std::error_code code, std::string message) {
  return std::unexpected(ResolveError{code, std::move(message)});
}

std::unexpected<ResolveError> failure_of(int status) {
  const char* text = ares_strerror(status);
  switch (status) {
    case ARES_ENOTFOUND:
      return failure(make_error_code(Error::host_unreachable), "there is no such name");
    case ARES_ENODATA:
      return failure(make_error_code(Error::host_unreachable), "it has no address");
    case ARES_ETIMEOUT:
      return failure(make_error_code(Error::timed_out), "no name server answers");
    case ARES_ECONNREFUSED:
      return failure(make_error_code(Error::network_unreachable),
                     "no name server can be asked: say which with --dns");
    case ARES_EBADNAME:
      return failure(make_error_code(Error::invalid_argument), "it cannot be a name");
    default:
      return failure(std::make_error_code(std::errc::io_error), text);
  }
}

/// One look-up.
class LookUp {
 public:
  LookUp(Host& host, const ResolveOptions& options)
      : engine_(host.engine()), options_(options), sockets_(host) {}

  Found run(const std::string& name);

 private:
  std::optional<ResolveError> wait();
  std::unexpected<ResolveError> no_help() const;
  static void on_answer(void* self, int status, int timeouts, ares_addrinfo* answer);

  std::shared_ptr<host::Engine> engine_;
  const ResolveOptions& options_;
  DnsSockets sockets_;
  Channel channel_;  // is destroyed before the sockets
  bool done_ = false;
  int status_ = ARES_ENODATA;
  std::vector<IpAddress> addresses_;
};

Found LookUp::run(const std::string& name) {
  std::expected<Channel, int> channel = names::open_channel(options_, *engine_, sockets_);
  if (!channel) return failure_of(channel.error());
  channel_ = std::move(*channel);
  ares_addrinfo_hints hints{};
  hints.ai_family = !options_.family                   ? AF_UNSPEC
                    : *options_.family == Family::ipv4 ? AF_INET
                                                       : AF_INET6;
  hints.ai_socktype = SOCK_STREAM;  // each address once
  // Its own order would come from sockets of the kernel.
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_.get(), name.c_str(), nullptr, &hints, &on_answer, this);
  if (const std::optional<ResolveError> error = wait()) return std::unexpected(*error);
  // Of two questions to a server that is not there, one may be refused and the other time out.
  const bool refused =
      status_ == ARES_ECONNREFUSED ||
      (status_ == ARES_ETIMEOUT && sockets_.was_refused() && !sockets_.has_heard());
  if (refused && !sockets_.servers().empty()) return no_help();
  if (status_ != ARES_SUCCESS) return failure_of(status_);
  if (addresses_.empty()) return failure_of(ARES_ENODATA);
  return std::move(addresses_);
}

/// c-ares has one status for servers that cannot be reached and for those that refuse or fail.
std::unexpected<ResolveError> LookUp::no_help() const {
  std::string servers;
  for (const Endpoint& server : sockets_.servers()) {
    servers += fmt::format("{}{}", servers.empty() ? "" : ", ", server.to_string());
  }
  const char* what = sockets_.has_heard() ? "refused, or given up, by the name server at"
                                          : "no name server can be reached at";
  return failure(make_error_code(Error::connection_refused), fmt::format("{} {}", what, servers));
}

std::optional<ResolveError> LookUp::wait() {
  while (!done_) {
    std::array<pollfd, 2> polled = {pollfd{sockets_.poller().descriptor(), POLLIN, 0},
                                    pollfd{options_.cancel, POLLIN, 0}};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(names::time_until_next(channel_.get()));
    const int count = ::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
    if (count > 0 && polled[1].revents != 0) {
      return ResolveError{std::make_error_code(std::errc::operation_canceled), "cancelled"};
    }
    if (options_.deadline.has_passed()) {
      return ResolveError{make_error_code(Error::timed_out), "no answer in time"};
    }
    if (const IoResult<void> processed = sockets_.process(channel_.get()); !processed) {
      return ResolveError{processed.error(), processed.error().message()};
    }
    ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // lets time-outs fire
  }
  return std::nullopt;
}

void LookUp::on_answer(void* self, int status, int, ares_addrinfo* answer) {
  auto& look_up = *static_cast<LookUp*>(self);
  look_up.done_ = true;
  look_up.status_ = status;
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owner(answer, &ares_freeaddrinfo);
  if (status != ARES_SUCCESS || answer == nullptr) return;
  for (const ares_addrinfo_node* node = answer->nodes; node != nullptr; node = node->ai_next) {
    std::array<std::uint8_t, 16> bytes{};
    if (node->ai_family == AF_INET) {
      const auto& v4 = *reinterpret_cast<const sockaddr_in*>(node->ai_addr);
      std::array<std::uint8_t, 4> four{};
      std::memcpy(four.data(), &v4.sin_addr, four.size());
      look_up.addresses_.push_back(IpAddress::v4(four));
    } else if (node->ai_family == AF_INET6) {
      const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(node->ai_addr);
      std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
      look_up.addresses_.push_back(IpAddress::v6(bytes));
    }
  }
}

/// RFC 6724 6, by the addresses and routes that the host has now.
std::vector<IpAddress> in_order(Host& host, std::vector<IpAddress> addresses) {
  const std::shared_ptr<host::Engine>& engine = host.engine();
  const host::Engine::Lock lock = engine->lock();
  if (engine->stopped()) return addresses;
  return engine->stack().in_order_of_promise(std::move(addresses));
}

}  // namespace

Found resolve(Host& host, const std::string& name, const ResolveOptions& options) {
  if (const std::optional<IpAddress> address = IpAddress::parse(name)) {
    if (options.family && address->family() != *options.family) {
      return failure(make_error_code(Error::invalid_argument), "it is of the other family");
    }
    return std::vector{*address};
  }
  if (name.empty() || name.size() > kLongestName || name.contains('\0')) {
    return failure_of(ARES_EBADNAME);
  }
  Found found = LookUp(host, options).run(name);
  if (!found) return found;
  return in_order(host, std::move(*found));
}

}  // namespace hawser
