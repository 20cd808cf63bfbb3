#include "cli/url.hpp"

#include <fmt/format.h>
#include <http_parser.h>

#include <algorithm>
#include <limits>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

constexpr std::size_t kMaxUrl = 8192;

/// RFC 3986 5.2.4, of a path that begins with a slash.
std::string remove_dot_segments(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool last = end == path.size();
    if (segment == "/..") {
      result.erase(std::min(result.rfind('/'), result.size()));
      if (last) result += '/';
    } else if (segment == "/.") {
      if (last) result += '/';
    } else {
      result += segment;
    }
    path.remove_prefix(end);
  }
  return result;
}

bool is_clean(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::expected<Url, std::string> Url::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(
        fmt::format("{}: '{}' (expected http://ADDRESS[:PORT]/PATH)", why, printable(text)));
  };
  if (text.size() > kMaxUrl) return std::unexpected(std::string("the URL is too long"));
  text = text.substr(0, text.find('#'));
  if (text.starts_with("https:")) return wrong("https is not spoken");
  if (!text.starts_with("http://")) return wrong("not a URL of http");
  if (!is_clean(text)) return wrong("spaces and letters outside ASCII have to be percent-encoded");
  http_parser_url parts;
  http_parser_url_init(&parts);
  if (http_parser_parse_url(text.data(), text.size(), 0, &parts) != 0) {
    return wrong("not a valid URL");
  }
  const auto part = [&](http_parser_url_fields field) {
    const auto& at = parts.field_data[field];
    const bool there = (parts.field_set & (1U << static_cast<unsigned>(field))) != 0;
    return there ? text.substr(at.off, at.len) : std::string_view{};
  };
  if (!part(UF_USERINFO).empty()) return wrong("a user name in the URL is not supported");
  Url url;
  url.host = part(UF_HOST);
  if (url.host.empty()) return wrong("the URL has no host");
  if (!part(UF_PORT).empty()) url.port = parts.port;
  if (url.port == 0) return wrong("port 0 cannot be connected to");
  if (!part(UF_PATH).empty()) url.target = remove_dot_segments(part(UF_PATH));
  if (!part(UF_QUERY).empty()) url.target += fmt::format("?{}", part(UF_QUERY));
  return url;
}

std::expected<Url, std::string> Url::resolve(std::string_view reference) const {
  reference = reference.substr(0, reference.find('#'));
  const std::size_t colon = reference.find(':');
  if (colon != std::string_view::npos && reference.find_first_of("/?") > colon) {
    return parse(reference);
  }
  if (reference.starts_with("//")) return parse(fmt::format("http:{}", reference));
  const std::string root = "http://" + authority();
  const std::string_view path = std::string_view(target).substr(0, target.find('?'));
  if (reference.empty()) return parse(root + target);
  if (reference.starts_with('/')) return parse(fmt::format("{}{}", root, reference));
  if (reference.starts_with('?')) return parse(fmt::format("{}{}{}", root, path, reference));
  return parse(fmt::format("{}{}{}", root, path.substr(0, path.rfind('/') + 1), reference));
}

std::string Url::authority() const {
  const std::string name = host.contains(':') ? "[" + host + "]" : host;
  return port == 80 ? name : fmt::format("{}:{}", name, port);
}

std::string Url::file_name() const {
  std::string_view path = std::string_view(target).substr(0, target.find('?'));
  path.remove_prefix(path.rfind('/') + 1);
  const std::string name = percent_decode(path).value_or("");
  const bool fit = !name.empty() && name != "." && name != ".." && !name.contains('/') &&
                   printable(name) == name;
  return fit ? name : "index.html";
}

}  // namespace hawser::cli
