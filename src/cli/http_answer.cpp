#include "cli/http_answer.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "cli/http_range.hpp"
#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";

std::string_view reason_of(int status) { return http_status_str(static_cast<http_status>(status)); }

std::string page_head(std::string_view title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n"
      "<style>body{{font:16px/1.5 system-ui,sans-serif;margin:2em auto;max-width:50em;"
      "padding:0 1em}}table{{width:100%;border-collapse:collapse}}"
      "th,td{{text-align:left;padding:.2em .5em;border-bottom:1px solid #8884}}"
      "td.n,th.n{{text-align:right;white-space:nowrap}}</style>\n"
      "</head>\n<body>\n<h1>{}</h1>\n",
      title, title);
}

/// Builds the answer to one request field by field.
class Builder {
 public:
  Builder(int status, const HttpRequest& request)
      : head_only_(request.method == HTTP_HEAD), minor_(request.minor_version) {
    answer_.status = status;
    answer_.close = !request.keep_alive;
  }

  void field(std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(fields_), "{}: {}\r\n", name, value);
  }
  void describe(const OpenedFile& file) {
    field("Last-Modified", http_date(file.modified));
    field("ETag", file.tag);
    field("Accept-Ranges", "bytes");
  }
  void text(std::string body, std::string_view type = kHtml) {
    field("Content-Type", type);
    announce(body.size());
    if (!head_only_) answer_.text = std::move(body);
  }
  void file(OpenedFile&& opened, ByteRange range) {
    announce(range.length);
    if (head_only_) return;
    answer_.file = std::move(opened.descriptor);
    answer_.offset = range.first;
  }
  HttpAnswer finish() {
    if (answer_.close) {
      field("Connection", "close");
    } else if (minor_ == 0) {
      field("Connection", "keep-alive");
    }
    answer_.head =
        fmt::format("HTTP/1.1 {} {}\r\nServer: hawser\r\nDate: {}\r\n{}\r\n", answer_.status,
                    reason_of(answer_.status), http_date(std::time(nullptr)), fields_);
    return std::move(answer_);
  }
  void end_connection() { answer_.close = true; }

 private:
  void announce(std::uint64_t length) {
    field("Content-Length", fmt::to_string(length));
    answer_.length = head_only_ ? 0 : length;
  }

  bool head_only_;
  int minor_;
  HttpAnswer answer_;
  std::string fields_;
};

HttpAnswer answer_status(int status, const HttpRequest& request) {
  Builder builder(status, request);
  if (status == 405) builder.field("Allow", "GET, HEAD");
  if (status == 405 || status == 400 || status == 501) builder.end_connection();
  builder.text(fmt::format("{}</body>\n</html>\n",
                           page_head(fmt::format("{} {}", status, reason_of(status)))));
  return builder.finish();
}

HttpAnswer redirect_to_folder(const std::string& path, const HttpRequest& request) {
  Builder builder(301, request);
  builder.field("Location", fmt::format("/{}/", percent_encode_path(path)));
  builder.text(fmt::format("{}</body>\n</html>\n", page_head("301 Moved Permanently")));
  return builder.finish();
}

std::string index_page(const std::string& path, const std::vector<FolderEntry>& entries) {
  std::string page = page_head(fmt::format("Index of /{}", html_escape(path)));
  page +=
      "<table>\n<thead><tr><th>Name</th><th class=\"n\">Size</th><th class=\"n\">Modified</th>"
      "</tr></thead>\n<tbody>\n";
  if (!path.empty()) page += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
  for (const FolderEntry& entry : entries) {
    const std::string_view slash = entry.is_folder ? "/" : "";
    // "./" keeps a colon in a name from being read as a scheme.
    page += fmt::format(
        "<tr><td><a href=\"./{}{}\">{}{}</a></td><td class=\"n\">{}</td>"
        "<td class=\"n\">{:%Y-%m-%d %H:%M}</td></tr>\n",
        percent_encode_path(entry.name), slash, html_escape(entry.name), slash,
        entry.is_folder ? std::string() : human_bytes(static_cast<double>(entry.size)),
        fmt::gmtime(entry.modified));
  }
  page += "</tbody>\n</table>\n</body>\n</html>\n";
  return page;
}

/// RFC 9110 13.1: whether the client has this version already.
bool is_not_modified(const HttpRequest& request, const OpenedFile& file) {
  if (const auto tags = request.fields.find("if-none-match")) {
    if (trim(*tags) == "*") return true;
    std::string_view rest = *tags;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view tag = trim(rest.substr(0, comma));
      if (tag.starts_with("W/")) tag.remove_prefix(2);
      if (tag == file.tag) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return false;
  }
  if (const auto since = request.fields.find("if-modified-since")) {
    const std::optional<std::time_t> date = parse_http_date(trim(*since));
    return date && file.modified <= *date;
  }
  return false;
}

/// RFC 9110 13.1.5: a range counts only while the file is the one the client has a part of.
bool range_applies(const HttpRequest& request, const OpenedFile& file) {
  const auto condition = request.fields.find("if-range");
  if (!condition) return true;
  const std::string_view wanted = trim(*condition);
  if (wanted.starts_with('"')) return wanted == file.tag;
  const std::optional<std::time_t> date = parse_http_date(wanted);
  return date && *date == file.modified;
}

HttpAnswer answer_file(OpenedFile&& file, std::string_view name, const HttpRequest& request) {
  if (is_not_modified(request, file)) {
    Builder builder(304, request);
    builder.describe(file);
    return builder.finish();
  }
  RangeRequest wanted;
  const auto range = request.fields.find("range");
  if (range && request.method == HTTP_GET && range_applies(request, file)) {
    wanted = parse_range(*range, file.size);
  }
  if (wanted.kind == RangeKind::unsatisfiable) {
    Builder builder(416, request);
    builder.field("Content-Range", fmt::format("bytes */{}", file.size));
    builder.text(fmt::format("{}</body>\n</html>\n", page_head("416 Range Not Satisfiable")));
    return builder.finish();
  }
  const bool part = wanted.kind == RangeKind::part;
  Builder builder(part ? 206 : 200, request);
  builder.describe(file);
  builder.field("Content-Type", media_type_of(name));
  if (part) {
    builder.field("Content-Range",
                  fmt::format("bytes {}-{}/{}", wanted.range.first,
                              wanted.range.first + wanted.range.length - 1, file.size));
  } else {
    wanted.range = ByteRange{0, file.size};
  }
  builder.file(std::move(file), wanted.range);
  return builder.finish();
}

int status_of(const std::error_code& error) {
  if (error == std::errc::permission_denied) return 403;
  if (error == std::errc::too_many_files_open ||
      error == std::errc::too_many_files_open_in_system) {
    return 503;
  }
  // Among them what leads out of the folder (EXDEV): that is nobody's business.
  return 404;
}

/// The path of the target, which is a path or, as proxies send it, a whole URL.
std::optional<std::string> path_of(const HttpRequest& request) {
  std::string_view target = request.target;
  const std::size_t scheme = target.find("://");
  if (!target.starts_with('/') && scheme != std::string_view::npos) {
    const std::size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return path_of_target(target);
}

bool ends_as_folder(std::string_view target) {
  return target.substr(0, target.find_first_of("?#")).ends_with('/');
}

}  // namespace

HttpAnswer answer(const Folder& folder, const HttpRequest& request) {
  if (!request.unknown_method.empty()) return answer_status(501, request);
  if (request.method != HTTP_GET && request.method != HTTP_HEAD) {
    return answer_status(405, request);
  }
  const std::optional<std::string> path = path_of(request);
  if (!path) return answer_status(404, request);
  auto file = folder.open_beneath(*path);
  if (!file) return answer_status(status_of(file.error()), request);
  const bool as_folder = ends_as_folder(request.target);
  if (!file->is_folder) {
    if (as_folder) return answer_status(404, request);
    return answer_file(std::move(*file), *path, request);
  }
  if (!as_folder && !path->empty()) return redirect_to_folder(*path, request);
  auto index = folder.open_beneath(path->empty() ? "index.html" : *path + "/index.html");
  if (index && !index->is_folder) return answer_file(std::move(*index), "index.html", request);
  Builder builder(200, request);
  builder.text(index_page(*path, folder.list(*path, *file)));
  return builder.finish();
}

HttpAnswer refuse(int status) {
  HttpRequest request;
  Builder builder(status, request);
  builder.text(fmt::format("{}</body>\n</html>\n",
                           page_head(fmt::format("{} {}", status, reason_of(status)))));
  return builder.finish();
}

}  // namespace hawser::cli
