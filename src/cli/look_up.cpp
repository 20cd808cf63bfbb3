#include "cli/look_up.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <array>
#include <cstring>
#include <memory>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

IpAddress address_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
    return IpAddress::v4(bytes);
  }
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  return IpAddress::v6(bytes);
}

}  // namespace

std::expected<std::vector<IpAddress>, std::string> look_up(const std::string& name) {
  if (const std::optional<IpAddress> address = IpAddress::parse(name)) return std::vector{*address};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return std::unexpected(
        fmt::format("cannot find the address of '{}': {}", printable(name), ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    if (info->ai_family == AF_INET || info->ai_family == AF_INET6) {
      addresses.push_back(address_of(*info->ai_addr));
    }
  }
  if (addresses.empty()) {
    return std::unexpected(fmt::format("'{}' has no address", printable(name)));
  }
  return addresses;
}

}  // namespace hawser::cli
