#include "cli/http_message.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

bool is_known_method(std::string_view name) {
  static constexpr auto kNames = std::to_array<std::string_view>({
#define HAWSER_METHOD(number, name, string) #string,
      HTTP_METHOD_MAP(HAWSER_METHOD)
#undef HAWSER_METHOD
  });
  return std::ranges::find(kNames, name) != kNames.end();
}

/// RFC 9110 5.6.2.
bool is_token_character(char c) {
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

}  // namespace

// ---- fields

void HttpFields::add_name(std::string_view part) {
  if (in_value_) fields_.emplace_back();
  in_value_ = false;
  fields_.back().name += part;
  bytes_ += part.size();
}

void HttpFields::add_value(std::string_view part) {
  in_value_ = true;
  fields_.back().value += part;
  bytes_ += part.size();
}

void HttpFields::clear() { *this = HttpFields{}; }

std::optional<std::string_view> HttpFields::find(std::string_view name) const {
  for (const HttpField& field : fields_) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t HttpFields::count(std::string_view name) const {
  std::size_t found = 0;
  for (const HttpField& field : fields_) {
    if (equals_ignoring_case(field.name, name)) ++found;
  }
  return found;
}

// ---- requests

RequestParser::RequestParser() {
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
}

const http_parser_settings& RequestParser::callbacks() {
  static const http_parser_settings settings = [] {
    http_parser_settings made;
    http_parser_settings_init(&made);
    made.on_url = [](http_parser* parser, const char* at, std::size_t length) {
      RequestParser& self = of(parser);
      self.request_.target.append(at, length);
      return self.request_.target.size() > kMaxTarget ? self.fail(414) : 0;
    };
    made.on_header_field = [](http_parser* parser, const char* at, std::size_t length) {
      RequestParser& self = of(parser);
      const std::string_view part(at, length);
      self.request_.fields.add_name(part);
      // RFC 9112 5.1: a space there is how one message is read as two.
      return part.contains(' ') ? self.fail(400) : self.check_fields();
    };
    made.on_header_value = [](http_parser* parser, const char* at, std::size_t length) {
      RequestParser& self = of(parser);
      self.request_.fields.add_value({at, length});
      return self.check_fields();
    };
    made.on_body = [](http_parser* parser, const char*, std::size_t length) {
      RequestParser& self = of(parser);
      self.body_bytes_ += length;
      return self.body_bytes_ > kMaxBody ? self.fail(413) : 0;
    };
    made.on_message_complete = [](http_parser* parser) {
      RequestParser& self = of(parser);
      self.request_.method = static_cast<http_method>(parser->method);
      self.request_.minor_version = parser->http_minor;
      self.request_.keep_alive = http_should_keep_alive(parser) != 0;
      self.complete_ = true;
      http_parser_pause(parser, 1);  // what follows is the next request's
      return 0;
    };
    return made;
  }();
  return settings;
}

int RequestParser::check_fields() {
  return request_.fields.bytes() > kMaxFieldBytes || request_.fields.count() > kMaxFields
             ? fail(431)
             : 0;
}

int RequestParser::fail(int status) {
  error_status_ = status;
  return 1;
}

/// Takes the method and the space behind it, and empty lines before (RFC 9112 2.2).
std::size_t RequestParser::read_method(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (method_.empty() && (c == '\r' || c == '\n')) continue;
    within_ = true;
    if (c == ' ' && !method_.empty()) {
      method_read_ = true;
      begin_parsing();
      return i + 1;
    }
    if (!is_token_character(c)) {
      fail(400);
      return i;
    }
    if (method_.size() == kMaxMethod) {
      fail(501);  // RFC 9112 3: longer than any that we know
      return i;
    }
    method_ += c;
  }
  return bytes.size();
}

/// The parser gives up at a method that it does not know. It gets one that it does, so that what
/// is no HTTP at all is told from what we do not implement (RFC 9110 15.6.2).
void RequestParser::begin_parsing() {
  if (!is_known_method(method_)) request_.unknown_method = std::exchange(method_, "GET");
  method_ += ' ';
  http_parser_execute(&parser_, &callbacks(), method_.data(), method_.size());
}

std::size_t RequestParser::feed(std::string_view bytes) {
  if (complete_ || error_status_ != 0) return 0;
  const std::size_t of_method = method_read_ ? 0 : read_method(bytes);
  if (!method_read_ || error_status_ != 0) return of_method;
  bytes.remove_prefix(of_method);
  if (bytes.empty()) return of_method;  // to the parser it would be the end of the connection
  const std::size_t taken =
      of_method + http_parser_execute(&parser_, &callbacks(), bytes.data(), bytes.size());
  if (error_status_ != 0) return taken;
  const http_errno problem = HTTP_PARSER_ERRNO(&parser_);
  if (problem == HPE_HEADER_OVERFLOW) {
    error_status_ = 431;
  } else if (problem == HPE_INVALID_VERSION) {
    error_status_ = 505;
  } else if (problem != HPE_OK && problem != HPE_PAUSED) {
    error_status_ = 400;
  } else if (complete_ && parser_.http_major != 1) {
    error_status_ = 505;
  } else if (complete_ && parser_.http_minor >= 1 && request_.fields.count("host") != 1) {
    error_status_ = 400;  // RFC 9112 3.2
  }
  return taken;
}

void RequestParser::next() {
  http_parser_init(&parser_, HTTP_REQUEST);
  request_ = HttpRequest{};
  method_.clear();
  method_read_ = false;
  body_bytes_ = 0;
  within_ = false;
  complete_ = false;
}

// ---- responses

ResponseParser::ResponseParser(std::function<bool(const HttpResponse&)> on_head,
                               std::function<bool(std::string_view)> on_body)
    : on_head_(std::move(on_head)), on_body_(std::move(on_body)) {
  http_parser_init(&parser_, HTTP_RESPONSE);
  parser_.data = this;
}

const http_parser_settings& ResponseParser::callbacks() {
  static const http_parser_settings settings = [] {
    http_parser_settings made;
    http_parser_settings_init(&made);
    made.on_header_field = [](http_parser* parser, const char* at, std::size_t length) {
      ResponseParser& self = of(parser);
      if (self.head_done_) return 0;  // trailers say nothing that is wanted
      self.response_.fields.add_name({at, length});
      return self.response_.fields.bytes() > kMaxFieldBytes ? 1 : 0;
    };
    made.on_header_value = [](http_parser* parser, const char* at, std::size_t length) {
      ResponseParser& self = of(parser);
      if (self.head_done_) return 0;
      self.response_.fields.add_value({at, length});
      return self.response_.fields.bytes() > kMaxFieldBytes ? 1 : 0;
    };
    made.on_headers_complete = [](http_parser* parser) { return of(parser).head_is_complete(); };
    made.on_body = [](http_parser* parser, const char* at, std::size_t length) {
      return of(parser).on_body_({at, length}) ? 0 : 1;
    };
    made.on_message_complete = [](http_parser* parser) {
      ResponseParser& self = of(parser);
      if (!self.head_done_) {  // it was an interim response: the real one follows
        self.response_ = HttpResponse{};
        return 0;
      }
      self.complete_ = true;
      http_parser_pause(parser, 1);
      return 0;
    };
    return made;
  }();
  return settings;
}

int ResponseParser::head_is_complete() {
  response_.status = parser_.status_code;
  if (response_.status >= 100 && response_.status < 200) return 0;
  const bool announced = (parser_.flags & F_CHUNKED) == 0 &&
                         parser_.content_length != std::numeric_limits<std::uint64_t>::max();
  if (announced) response_.length = parser_.content_length;
  head_done_ = true;
  return on_head_(response_) ? 0 : -1;
}

bool ResponseParser::feed(std::string_view bytes) {
  if (complete_) return true;
  http_parser_execute(&parser_, &callbacks(), bytes.data(), bytes.size());
  return complete_ || HTTP_PARSER_ERRNO(&parser_) == HPE_OK;
}

bool ResponseParser::finish() {
  if (complete_) return true;
  http_parser_execute(&parser_, &callbacks(), nullptr, 0);
  return complete_;
}

std::string_view ResponseParser::problem() const {
  return http_errno_description(HTTP_PARSER_ERRNO(&parser_));
}

}  // namespace hawser::cli
