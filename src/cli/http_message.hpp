// HTTP/1.1 messages as they are read from a connection (RFC 9112), with bounds on what a peer may
// make us hold.
#pragma once

#include <http_parser.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::cli {

struct HttpField {
  std::string name;
  std::string value;
};

/// The fields of a message in their order.
class HttpFields {
 public:
  void add_name(std::string_view part);
  void add_value(std::string_view part);
  void clear();

  /// The value of the first field of that name, in any case of letters; nothing without one.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  std::size_t count() const { return fields_.size(); }
  /// Bytes of all names and values.
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<HttpField> fields_;
  std::size_t bytes_ = 0;
  bool in_value_ = true;
};

struct HttpRequest {
  http_method method{};
  /// The name of a method that nobody here knows; then `method` means nothing.
  std::string unknown_method;
  std::string target;
  int minor_version = 1;  ///< of HTTP/1.x
  HttpFields fields;
  bool keep_alive = false;  ///< the client expects more on this connection
};

/// Reads one request after another; bodies are passed over.
class RequestParser {
 public:
  static constexpr std::size_t kMaxMethod = 64;
  static constexpr std::size_t kMaxTarget = 8192;
  static constexpr std::size_t kMaxFieldBytes = 16384;
  static constexpr std::size_t kMaxFields = 100;
  static constexpr std::size_t kMaxBody = 65536;

  RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// Takes bytes up to the end of a request and returns how many. Then `is_complete` or
  /// `error_status` tell; otherwise it took all and wants more.
  std::size_t feed(std::string_view bytes);
  bool is_complete() const { return complete_; }
  /// Has taken the beginning of a request, but not its end.
  bool is_within() const { return within_ && !complete_; }
  /// 0, or the status to answer with before the connection is closed.
  int error_status() const { return error_status_; }
  const HttpRequest& request() const { return request_; }
  /// Goes on with the next request.
  void next();

 private:
  static const http_parser_settings& callbacks();
  static RequestParser& of(http_parser* parser) {
    return *static_cast<RequestParser*>(parser->data);
  }
  std::size_t read_method(std::string_view bytes);
  void begin_parsing();
  int check_fields();
  int fail(int status);

  http_parser parser_{};
  HttpRequest request_;
  std::string method_;  ///< as far as it came
  bool method_read_ = false;
  std::size_t body_bytes_ = 0;
  bool within_ = false;
  bool complete_ = false;
  int error_status_ = 0;
};

struct HttpResponse {
  int status = 0;
  HttpFields fields;
  /// Bytes of the body that the peer announced; unset when it did not.
  std::optional<std::uint64_t> length;
};

/// Reads one response; its body goes to a sink as it arrives, chunked or not.
class ResponseParser {
 public:
  static constexpr std::size_t kMaxFieldBytes = 65536;

  /// `on_head` is called once before the body and returns whether the body is wanted; `on_body`
  /// returns false to give up.
  ResponseParser(std::function<bool(const HttpResponse&)> on_head,
                 std::function<bool(std::string_view)> on_body);
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  /// False when it is malformed, or a callback gave up: `problem` says what.
  bool feed(std::string_view bytes);
  /// The peer has closed. True when that ends a body without an announced length, or all was there.
  bool finish();
  bool is_complete() const { return complete_; }
  bool has_head() const { return head_done_; }
  const HttpResponse& response() const { return response_; }
  std::string_view problem() const;

 private:
  static const http_parser_settings& callbacks();
  static ResponseParser& of(http_parser* parser) {
    return *static_cast<ResponseParser*>(parser->data);
  }
  int head_is_complete();

  http_parser parser_{};
  HttpResponse response_;
  std::function<bool(const HttpResponse&)> on_head_;
  std::function<bool(std::string_view)> on_body_;
  bool head_done_ = false;
  bool complete_ = false;
};

}  // namespace hawser::cli
