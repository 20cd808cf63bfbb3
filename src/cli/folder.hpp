// A folder whose files are served, and no way out of it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "host/wake_up.hpp"

namespace hawser::cli {

/// Something in the folder, opened.
struct OpenedFile {
  host::Descriptor descriptor;
  bool is_folder = false;
  std::uint64_t size = 0;
  std::time_t modified = 0;
  std::string tag;  ///< an ETag, quotes included; another one once the content changes
};

struct FolderEntry {
  std::string name;
  bool is_folder = false;
  std::uint64_t size = 0;
  std::time_t modified = 0;
};

/// Opens what lies beneath one folder. Neither `..` nor a symbolic link leads out of it: the kernel
/// sees to that (openat2(2), RESOLVE_BENEATH), so that nothing changes in between.
class Folder {
 public:
  static std::expected<Folder, std::error_code> open(const std::string& path);

  /// `path` is relative to the folder; empty means the folder itself. Files that are neither
  /// regular nor folders give errc::permission_denied.
  std::expected<OpenedFile, std::error_code> open_beneath(const std::string& path) const;
  /// What is in the folder at `path`, which was opened as `folder`, sorted by name, folders first.
  /// Names that begin with a dot are left out, and so are symbolic links that `open_beneath` would
  /// not follow.
  std::vector<FolderEntry> list(const std::string& path, const OpenedFile& folder) const;

 private:
  explicit Folder(host::Descriptor root) : root_(std::move(root)) {}
  host::Descriptor root_;
};

/// The path of a request, decoded and without dot segments (RFC 3986 5.2.4), relative to the root:
/// "/a/./b%20c" gives "a/b c". Nothing when it is malformed or climbs above the root.
std::optional<std::string> path_of_target(std::string_view target);

}  // namespace hawser::cli
