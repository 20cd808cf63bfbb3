// One file over HTTP/1.1 to a descriptor: redirects, ranges to go on where a transfer ended, and
// the length verified (RFC 9110, RFC 9112).
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "cli/http_message.hpp"
#include "cli/progress.hpp"
#include "cli/running_host.hpp"
#include "cli/url.hpp"
#include "hawser/tcp_stream.hpp"

namespace hawser::cli {

/// What is there already, of an earlier transfer that did not come to its end.
struct PartialFile {
  std::uint64_t size = 0;
  /// Of the version it is a part of: the server goes on only if it still has that one.
  std::optional<std::time_t> modified;
};

struct DownloadOptions {
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds stall_timeout = std::chrono::seconds(30);  ///< without a byte
  std::uint64_t max_redirects = 10;
  std::optional<PartialFile> partial;
};

/// Where the bytes go. Each returns false, having said why, when it cannot go on.
class DownloadSink {
 public:
  virtual ~DownloadSink() = default;
  /// Before the first byte: the body begins at `offset`; what is there beyond it is of no use.
  virtual bool begin(std::uint64_t offset) = 0;
  virtual bool write(std::string_view bytes) = 0;
  virtual std::string problem() const = 0;
};

struct DownloadResult {
  std::uint64_t received = 0;  ///< bytes of body in this transfer
  std::uint64_t size = 0;      ///< of the whole file now
  bool was_complete = false;   ///< nothing was missing: the server has no more than we have
  std::optional<std::time_t> modified;
};

class Download {
 public:
  Download(const RunningHost& host, DownloadOptions options, DownloadSink& sink,
           Progress& progress);

  /// The result, or one line which says why there is none.
  std::expected<DownloadResult, std::string> run(const Url& url);
  /// Of the file as the server has it, also when the transfer failed halfway.
  std::optional<std::time_t> modified() const { return modified_; }

 private:
  using Failure = std::unexpected<std::string>;

  struct Exchange {
    std::optional<Url> redirect;
    DownloadResult result;
  };

  std::expected<TcpStream, std::string> connect(const Url& url);
  std::expected<Exchange, std::string> exchange(const Url& url);
  std::string request_for(const Url& url) const;
  bool on_head(const HttpResponse& response);
  bool on_partial(const HttpResponse& response);
  bool on_body(std::string_view bytes);
  std::expected<void, std::string> read_response(TcpStream& stream, ResponseParser& parser);
  std::string cut_short(const ResponseParser& parser, std::string_view why) const;
  bool refuse(std::string why);

  const RunningHost& host_;
  DownloadOptions options_;
  DownloadSink& sink_;
  Progress& progress_;
  // Of the exchange at hand.
  std::string refusal_;  ///< why a callback gave up
  bool wants_body_ = false;
  std::uint64_t offset_ = 0;
  std::uint64_t received_ = 0;
  std::optional<std::uint64_t> size_;  ///< of the whole file, when the server said it
  std::optional<std::time_t> modified_;
};

/// What a Content-Range field says: the first byte and the size of the whole, when it says them.
struct ContentRange {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> size;
};
/// Nothing when it is malformed or of another unit.
std::optional<ContentRange> parse_content_range(std::string_view field);

}  // namespace hawser::cli
