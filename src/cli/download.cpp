#include "cli/download.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "cli/failed_addresses.hpp"
#include "cli/http_text.hpp"
#include "cli/look_up.hpp"

namespace hawser::cli {

namespace {

constexpr std::size_t kReadSize = std::size_t{256} << 10;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view field) {
  constexpr std::string_view kUnit = "bytes ";
  if (!field.starts_with(kUnit)) return std::nullopt;
  field = trim(field.substr(kUnit.size()));
  const std::size_t slash = field.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ContentRange range;
  if (field.substr(slash + 1) != "*") {
    range.size = parse_digits(field.substr(slash + 1));
    if (!range.size) return std::nullopt;
  }
  const std::string_view part = field.substr(0, slash);
  if (part == "*") return range;
  range.first = parse_digits(part.substr(0, part.find('-')));
  if (!range.first) return std::nullopt;
  return range;
}

Download::Download(const RunningHost& host, DownloadOptions options, DownloadSink& sink,
                   Progress& progress)
    : host_(host), options_(std::move(options)), sink_(sink), progress_(progress) {}

std::expected<DownloadResult, std::string> Download::run(const Url& url) {
  Url current = url;
  for (std::uint64_t redirects = 0;; ++redirects) {
    std::expected<Exchange, std::string> done = exchange(current);
    if (!done) return std::unexpected(std::move(done.error()));
    if (!done->redirect) return done->result;
    if (redirects == options_.max_redirects) {
      return Failure(fmt::format("more than {} redirects, the last to {}", options_.max_redirects,
                                 done->redirect->to_string()));
    }
    current = std::move(*done->redirect);
  }
}

std::expected<TcpStream, std::string> Download::connect(const Url& url) {
  const auto addresses = look_up(host_, url.host);
  if (!addresses) return Failure(addresses.error());
  FailedAddresses failed;
  for (const IpAddress& address : *addresses) {
    const Endpoint remote{address, Port{url.port}};
    ConnectOptions options;
    options.deadline = options_.connect_timeout;
    IoResult<TcpStream> stream = TcpStream::connect(*host_, remote, options);
    if (stream) {
      stream->set_timeout(options_.stall_timeout);
      return std::move(*stream);
    }
    failed.add(remote, stream.error());
  }
  return Failure(failed.message("cannot connect to"));
}

std::string Download::request_for(const Url& url) const {
  std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hawser\r\nAccept: */*\r\n"
      "Accept-Encoding: identity\r\nConnection: close\r\n",
      url.target, url.authority());
  if (options_.partial && options_.partial->size > 0) {
    request += fmt::format("Range: bytes={}-\r\n", options_.partial->size);
    if (options_.partial->modified) {
      request += fmt::format("If-Range: {}\r\n", http_date(*options_.partial->modified));
    }
  }
  return request + "\r\n";
}

std::expected<Download::Exchange, std::string> Download::exchange(const Url& url) {
  std::expected<TcpStream, std::string> stream = connect(url);
  if (!stream) return Failure(std::move(stream.error()));
  refusal_.clear();
  wants_body_ = false;
  offset_ = 0;
  received_ = 0;
  size_.reset();
  const std::string request = request_for(url);
  if (const auto sent = stream->send_all(std::as_bytes(std::span(request))); !sent) {
    return Failure(fmt::format("sending the request failed: {}", sent.error().message()));
  }
  ResponseParser parser([this](const HttpResponse& response) { return on_head(response); },
                        [this](std::string_view bytes) { return on_body(bytes); });
  const std::expected<void, std::string> read = read_response(*stream, parser);
  if (!read) {
    stream->abort();
    return Failure(read.error());
  }
  const HttpResponse& response = parser.response();
  Exchange result;
  if (is_redirect(response.status)) {
    const auto location = response.fields.find("location");
    if (!location) return Failure(fmt::format("redirect {} without a Location", response.status));
    std::expected<Url, std::string> target = url.resolve(trim(*location));
    if (!target) return Failure(fmt::format("the redirect leads nowhere: {}", target.error()));
    result.redirect = std::move(*target);
    return result;
  }
  if (wants_body_ && size_ && offset_ + received_ != *size_) {
    return Failure(fmt::format("the server sent {} bytes of {}", offset_ + received_, *size_));
  }
  result.result.received = received_;
  result.result.size = offset_ + received_;
  result.result.was_complete = response.status == 416;
  result.result.modified = modified_;
  return result;
}

bool Download::refuse(std::string why) {
  refusal_ = std::move(why);
  return false;
}

bool Download::on_head(const HttpResponse& response) {
  if (is_redirect(response.status)) return true;
  if (response.status == 416 && options_.partial && options_.partial->size > 0) {
    const auto field = response.fields.find("content-range");
    const auto range = parse_content_range(field.value_or(""));
    if (range && range->size == options_.partial->size) {
      offset_ = *range->size;
      return true;
    }
    const std::string theirs = range && range->size ? fmt::format("{}", *range->size) : "fewer";
    return refuse(
        fmt::format("the file has {} bytes on the server and {} here: it has changed; get it anew "
                    "without --continue",
                    theirs, options_.partial->size));
  }
  if (response.status != 200 && response.status != 206) {
    return refuse(fmt::format("the server answered {} {}", response.status,
                              http_status_str(static_cast<http_status>(response.status))));
  }
  if (const auto field = response.fields.find("last-modified")) {
    modified_ = parse_http_date(trim(*field));
  }
  wants_body_ = true;
  if (response.status == 206 && !on_partial(response)) return false;
  if (response.length) size_ = offset_ + *response.length;
  progress_.begin(offset_, size_);
  if (!sink_.begin(offset_)) return refuse(sink_.problem());
  return true;
}

bool Download::on_partial(const HttpResponse& response) {
  const std::uint64_t expected = options_.partial ? options_.partial->size : 0;
  const auto range = parse_content_range(response.fields.find("content-range").value_or(""));
  if (!range || range->first != expected) {
    return refuse("the server sent another part of the file than was asked for");
  }
  if (response.length && range->size && expected + *response.length != *range->size) {
    return refuse("the server does not send the file to its end");
  }
  offset_ = expected;
  size_ = range->size;
  return true;
}

bool Download::on_body(std::string_view bytes) {
  if (!wants_body_) return true;
  if (!sink_.write(bytes)) return refuse(sink_.problem());
  received_ += bytes.size();
  progress_.advance(offset_ + received_);
  return true;
}

std::expected<void, std::string> Download::read_response(TcpStream& stream,
                                                         ResponseParser& parser) {
  std::vector<std::byte> buffer(kReadSize);
  while (!parser.is_complete()) {
    const IoResult<std::size_t> got = stream.receive(buffer);
    if (!got) return Failure(cut_short(parser, got.error().message()));
    if (*got == 0) {
      if (parser.finish()) break;
      return Failure(cut_short(parser, "the server closed the connection"));
    }
    if (!parser.feed({reinterpret_cast<const char*>(buffer.data()), *got})) {
      if (!refusal_.empty()) return Failure(refusal_);
      return Failure(fmt::format("not a valid answer of HTTP: {}", parser.problem()));
    }
  }
  return {};
}

std::string Download::cut_short(const ResponseParser& parser, std::string_view why) const {
  if (!parser.has_head()) return fmt::format("no answer: {}", why);
  if (!parser.response().length) {
    return fmt::format("the transfer broke off after {} bytes: {}", received_, why);
  }
  return fmt::format("the transfer broke off after {} of {} bytes: {}", offset_ + received_,
                     offset_ + *parser.response().length, why);
}

}  // namespace hawser::cli
