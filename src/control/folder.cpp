#include "control/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace hawser::control {

namespace {

constexpr std::size_t kMaxName = 64;
/// In front of the name of a link in its folder: no name of a host has it.
constexpr std::string_view kLinkPrefix = "link:";
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

ControlError system_failure(const std::string& what) {
  const std::error_code code(errno, std::generic_category());
  return {code, fmt::format("{}: {}", what, code.message())};
}

std::string fallback_folder() {
  return ::geteuid() == 0 ? "/run/hawser" : fmt::format("/tmp/hawser-{}", ::geteuid());
}

std::string runtime_folder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const bool usable = runtime != nullptr && *runtime == '/';
  return usable ? fmt::format("{}/hawser", runtime) : std::string();
}

}  // namespace

std::string_view to_string(Kind kind) { return kind == Kind::host ? "host" : "link"; }

std::string default_folder() {
  const std::string runtime = runtime_folder();
  return runtime.empty() ? fallback_folder() : runtime;
}

std::vector<std::string> possible_folders() {
  std::vector<std::string> folders;
  if (std::string runtime = runtime_folder(); !runtime.empty()) folders.push_back(runtime);
  folders.push_back(fallback_folder());
  // As a login sets it, which sudo and services do not.
  const std::string login = fmt::format("/run/user/{}/hawser", ::geteuid());
  if (std::ranges::find(folders, login) == folders.end()) folders.push_back(login);
  return folders;
}

bool is_valid_name(std::string_view name) {
  const auto is_fit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, is_fit);
}

std::string default_name() {
  std::string program = program_invocation_short_name;
  if (!is_valid_name(program) || program.size() > kMaxName / 2) program = "host";
  return fmt::format("{}-{}", program, ::getpid());
}

std::expected<Folder, ControlError> Folder::make(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return std::unexpected(system_failure(fmt::format("cannot make the folder {}", path)));
  }
  return open(path);
}

std::expected<Folder, ControlError> Folder::open(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return std::unexpected(system_failure(fmt::format("cannot open {}", path)));
  struct stat status{};
  if (::fstat(folder.get(), &status) != 0) {
    return std::unexpected(system_failure(fmt::format("cannot look at {}", path)));
  }
  // In /tmp anybody may have made it first.
  if (status.st_uid != ::geteuid() || (status.st_mode & kOthers) != 0) {
    return std::unexpected(ControlError{
        std::make_error_code(std::errc::operation_not_permitted),
        fmt::format("{} has to be yours alone: remove it, or set XDG_RUNTIME_DIR", path)});
  }
  return Folder(path, std::move(folder));
}

Descriptor Folder::lock() const {
  // A lock belongs to the open file: each needs its own.
  Descriptor mine(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (mine && ::flock(mine.get(), LOCK_EX) != 0 && errno == EINTR) continue;
  return mine;
}

std::string Folder::path_of(std::string_view name, Kind kind) const {
  return fmt::format("{}/{}{}", path_, kind == Kind::link ? kLinkPrefix : "", name);
}

std::vector<std::string> Folder::names(Kind kind) const {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(path_.c_str()), &::closedir);
  if (!entries) return names;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string_view name = entry->d_name;
    if (kind == Kind::link) {
      if (!name.starts_with(kLinkPrefix)) continue;
      name.remove_prefix(kLinkPrefix.size());
    }
    if (is_valid_name(name)) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Descriptor connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return Descriptor();
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    socket = Descriptor();
    errno = error;
  }
  return socket;
}

bool is_socket(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

void remove_if_stale(const std::string& path) {
  if (!is_socket(path)) return;
  if (!connect_to(path) && errno == ECONNREFUSED) ::unlink(path.c_str());
}

}  // namespace hawser::control
