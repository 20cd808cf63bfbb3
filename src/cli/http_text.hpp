// Small pieces of text that HTTP needs: escapes, dates, media types.
// RFC 3986 2.1 (percent-encoding), RFC 9110 5.6.7 (dates).
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::cli {

/// "a%20b" as "a b"; nothing when an escape is malformed.
std::optional<std::string> percent_decode(std::string_view text);
/// The reverse, for one segment of a path or for a whole one: slashes stay.
std::string percent_encode_path(std::string_view path);
/// With the characters that mean something in HTML as entities.
std::string html_escape(std::string_view text);
/// With '?' for control characters and for what is no UTF-8, so that it cannot disturb a terminal.
std::string printable(std::string_view text);
/// Of the characters of ASCII that can be seen, in one word and without quotes: all else is
/// percent-encoded, so that a line of a log stays one and reads in one way.
std::string log_word(std::string_view text);

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::time_t time);
/// Reads that form; nothing when it is another or malformed.
std::optional<std::time_t> parse_http_date(std::string_view text);

/// "text/html; charset=utf-8" for "page.html"; "application/octet-stream" when nothing is known.
std::string_view media_type_of(std::string_view file_name);

/// "1.5 MiB", "12 B".
std::string human_bytes(double bytes);

bool equals_ignoring_case(std::string_view a, std::string_view b);
/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);
/// A decimal number of digits alone.
std::optional<std::uint64_t> parse_digits(std::string_view text);

}  // namespace hawser::cli
