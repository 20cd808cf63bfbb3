#include "names/dns_sockets.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

namespace hawser::names {

namespace {

/// -1 with errno set, as the calls of the operating system fail.
int fail(const std::error_code& error) {
  const std::error_condition condition = error.default_error_condition();
  errno = condition.category() == std::generic_category() ? condition.value() : EIO;
  return -1;
}

std::optional<Endpoint> endpoint_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return Endpoint{IpAddress::v4(bytes), Port{ntohs(v4.sin_port)}};
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return Endpoint{IpAddress::v6(bytes), Port{ntohs(v6.sin6_port)}};
}

template <typename Sockaddr>
void copy_out(const Sockaddr& address, sockaddr* to, ares_socklen_t* length) {
  std::memcpy(to, &address, std::min<std::size_t>(*length, sizeof address));
  *length = sizeof address;
}

void copy_out(const Endpoint& endpoint, sockaddr* to, ares_socklen_t* length) {
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(to_number(endpoint.port));
    const auto bytes = endpoint.address.v4_bytes();
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    return copy_out(v4, to, length);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(to_number(endpoint.port));
  std::memcpy(&v6.sin6_addr, endpoint.address.bytes().data(), endpoint.address.bytes().size());
  copy_out(v6, to, length);
}

}  // namespace

void DnsSockets::attach(ares_channel channel) {
  static constexpr ares_socket_functions kFunctions = {open, close, connect, receive, send};
  ares_set_socket_functions(channel, &kFunctions, this);
}

DnsSockets::Entry* DnsSockets::find(ares_socket_t number) {
  const auto found = entries_.find(number);
  if (found != entries_.end()) return &found->second;
  errno = EBADF;
  return nullptr;
}

ares_socket_t DnsSockets::open(int, int type, int, void* self) {
  auto& sockets = *static_cast<DnsSockets*>(self);
  Entry entry;
  entry.is_stream = type == SOCK_STREAM;  // which is made when it is connected
  if (!entry.is_stream) {
    IoResult<UdpSocket> socket = UdpSocket::open(sockets.host_);
    if (!socket) return fail(socket.error());
    entry.datagrams = std::move(*socket);
    entry.datagrams.set_non_blocking(true);
  }
  const ares_socket_t number = sockets.next_++;
  sockets.entries_.emplace(number, std::move(entry));
  return number;
}

int DnsSockets::close(ares_socket_t number, void* self) {
  // It leaves the poller by itself.
  static_cast<DnsSockets*>(self)->entries_.erase(number);
  return 0;
}

Endpoint DnsSockets::with_zone(const Endpoint& server) const {
  const auto known = std::ranges::find(servers_, server.address, &Endpoint::address);
  return {server.address, server.port, known == servers_.end() ? Zone::none : known->zone};
}

int DnsSockets::connect(ares_socket_t number, const sockaddr* remote, ares_socklen_t, void* self) {
  auto& sockets = *static_cast<DnsSockets*>(self);
  Entry* entry = sockets.find(number);
  if (entry == nullptr) return -1;
  const std::optional<Endpoint> endpoint = endpoint_of(remote);
  if (!endpoint) return fail(make_error_code(Error::invalid_argument));
  if (!entry->is_stream) {
    const IoResult<void> connected = entry->datagrams.connect(sockets.with_zone(*endpoint));
    return connected ? 0 : fail(connected.error());
  }
  IoResult<TcpStream> stream =
      TcpStream::start_connect(sockets.host_, sockets.with_zone(*endpoint));
  if (!stream) return fail(stream.error());
  entry->stream = std::move(*stream);
  errno = EINPROGRESS;
  return -1;
}

ares_ssize_t DnsSockets::receive(ares_socket_t number, void* data, std::size_t size, int,
                                 sockaddr* from, ares_socklen_t* length, void* self) {
  auto& sockets = *static_cast<DnsSockets*>(self);
  Entry* entry = sockets.find(number);
  if (entry == nullptr) return -1;
  const std::span out(static_cast<std::byte*>(data), size);
  if (entry->is_stream) {
    const IoResult<std::size_t> got = entry->stream.receive(out);
    return got ? static_cast<ares_ssize_t>(*got) : fail(got.error());
  }
  const IoResult<UdpReceived> got = entry->datagrams.receive_from(out);
  if (!got) {
    sockets.refused_ |= got.error() == make_error_code(Error::connection_refused);
    return fail(got.error());
  }
  sockets.heard_ = true;
  // c-ares compares it with the server's, against answers that others forge.
  if (from != nullptr && length != nullptr) copy_out(got->source, from, length);
  return static_cast<ares_ssize_t>(got->size);
}

ares_ssize_t DnsSockets::send(ares_socket_t number, const iovec* parts, int count, void* self) {
  auto& sockets = *static_cast<DnsSockets*>(self);
  Entry* entry = sockets.find(number);
  if (entry == nullptr) return -1;
  std::vector<std::byte> bytes;
  for (const iovec& part : std::span(parts, static_cast<std::size_t>(count))) {
    const auto* begin = static_cast<const std::byte*>(part.iov_base);
    bytes.insert(bytes.end(), begin, begin + part.iov_len);
  }
  const IoResult<std::size_t> sent =
      entry->is_stream ? entry->stream.send(bytes) : entry->datagrams.send(bytes);
  if (sent) return static_cast<ares_ssize_t>(*sent);
  sockets.refused_ |= sent.error() == make_error_code(Error::connection_refused);
  return fail(sent.error());
}

void DnsSockets::on_state(void* self, ares_socket_t number, int readable, int writable) {
  const Ready interest = (readable != 0 ? Ready::readable : Ready::none) |
                         (writable != 0 ? Ready::writable : Ready::none);
  static_cast<DnsSockets*>(self)->watch(number, interest);
}

void DnsSockets::watch(ares_socket_t number, Ready interest) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  const auto key = static_cast<std::uint64_t>(number);
  if (entry.watched) {
    (void)(entry.is_stream ? poller_.modify(entry.stream, interest)
                           : poller_.modify(entry.datagrams, interest));
  } else {
    entry.watched = (entry.is_stream ? poller_.add(entry.stream, interest, key)
                                     : poller_.add(entry.datagrams, interest, key))
                        .has_value();
  }
}

IoResult<void> DnsSockets::process(ares_channel channel) {
  std::array<PollEvent, 16> events;
  const IoResult<std::size_t> count = poller_.wait(events, Deadline::at_once());
  if (!count) return std::unexpected(count.error());
  for (const PollEvent& event : std::span(events).first(*count)) {
    const auto number = static_cast<ares_socket_t>(event.key);
    // An error is for whoever reads or writes next.
    const bool failed = any(event.ready & (Ready::error | Ready::closed));
    const bool reads = failed || any(event.ready & Ready::readable);
    const bool writes = failed || any(event.ready & Ready::writable);
    ares_process_fd(channel, reads ? number : ARES_SOCKET_BAD, writes ? number : ARES_SOCKET_BAD);
  }
  return {};
}

}  // namespace hawser::names
