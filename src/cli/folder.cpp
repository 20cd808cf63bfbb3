#include "cli/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

std::unexpected<std::error_code> last_error() {
  return std::unexpected(std::error_code(errno, std::generic_category()));
}

}  // namespace

std::expected<Folder, std::error_code> Folder::open(const std::string& path) {
  host::Descriptor root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return last_error();
  return Folder(std::move(root));
}

std::expected<OpenedFile, std::error_code> Folder::open_beneath(const std::string& path) const {
  open_how how{};
  // Without O_NONBLOCK a pipe with no writer would hold us up for ever.
  how.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const std::string& name = path.empty() ? std::string(".") : path;
  OpenedFile file;
  file.descriptor = host::Descriptor(
      static_cast<int>(::syscall(SYS_openat2, root_.get(), name.c_str(), &how, sizeof how)));
  if (!file.descriptor) return last_error();

  struct stat status{};
  if (::fstat(file.descriptor.get(), &status) != 0) return last_error();
  file.is_folder = S_ISDIR(status.st_mode);
  if (!file.is_folder && !S_ISREG(status.st_mode)) {
    return std::unexpected(std::make_error_code(std::errc::permission_denied));
  }
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.modified = status.st_mtim.tv_sec;
  file.tag = fmt::format("\"{:x}-{:x}-{:x}-{:x}\"", status.st_ino, status.st_size,
                         status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  return file;
}

std::vector<FolderEntry> Folder::list(const std::string& path, const OpenedFile& folder) const {
  std::vector<FolderEntry> entries;
  // The stream closes the descriptor that it is given, hence one of its own.
  const int own = ::openat(folder.descriptor.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return entries;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own), &::closedir);
  if (!stream) {
    ::close(own);
    return entries;
  }
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    struct stat status{};
    if (::fstatat(own, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISLNK(status.st_mode)) {
      const auto target = open_beneath(path.empty() ? name : fmt::format("{}/{}", path, name));
      if (target) entries.push_back({name, target->is_folder, target->size, target->modified});
      continue;
    }
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) continue;
    entries.push_back(FolderEntry{name, S_ISDIR(status.st_mode),
                                  static_cast<std::uint64_t>(status.st_size),
                                  status.st_mtim.tv_sec});
  }
  std::ranges::sort(entries, [](const FolderEntry& a, const FolderEntry& b) {
    return a.is_folder != b.is_folder ? a.is_folder : a.name < b.name;
  });
  return entries;
}

std::optional<std::string> path_of_target(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  if (!target.starts_with('/')) return std::nullopt;
  const std::optional<std::string> decoded = percent_decode(target);
  if (!decoded || decoded->contains('\0')) return std::nullopt;

  std::vector<std::string_view> segments;
  std::string_view rest(*decoded);
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      segments.push_back(segment);
    } else if (segments.empty()) {
      return std::nullopt;
    } else {
      segments.pop_back();
    }
  }
  std::string path;
  for (const std::string_view segment : segments) {
    if (!path.empty()) path += '/';
    path += segment;
  }
  return path;
}

}  // namespace hawser::cli
