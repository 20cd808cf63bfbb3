// The folder in which the control sockets of a user's hosts are.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/control.hpp"
#include "link/descriptor.hpp"

namespace hawser::control {

using link::Descriptor;

/// Where a host of this user makes its socket.
std::string default_folder();
/// Where hosts of this user may have made theirs: with another environment, too.
std::vector<std::string> possible_folders();

/// What runs behind a socket; each has names of its own.
enum class Kind : std::uint8_t { host, link };
/// "host", "link".
std::string_view to_string(Kind kind);

bool is_valid_name(std::string_view name);
/// "hawser-4711".
std::string default_name();

/// A folder that is this user's alone, held open. While it is locked nobody else who uses this
/// class makes or removes a socket in it.
class Folder {
 public:
  /// Makes the folder if it is not there.
  static std::expected<Folder, ControlError> make(const std::string& path);
  /// Opens it if it is there and this user's alone.
  static std::expected<Folder, ControlError> open(const std::string& path);

  /// Until the lock that is returned is gone.
  [[nodiscard]] Descriptor lock() const;
  std::string path_of(std::string_view name, Kind kind = Kind::host) const;
  /// The names in it, sorted.
  std::vector<std::string> names(Kind kind = Kind::host) const;

 private:
  Folder(std::string path, Descriptor folder)
      : path_(std::move(path)), folder_(std::move(folder)) {}

  std::string path_;
  Descriptor folder_;
};

/// Connects to the socket of that path; negative with errno set when nobody answers there.
Descriptor connect_to(const std::string& path);
/// Whether there is a socket of that path.
bool is_socket(const std::string& path);
/// Removes the socket if the process that made it is gone. Under the lock of its folder.
void remove_if_stale(const std::string& path);

}  // namespace hawser::control
