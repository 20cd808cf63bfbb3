#include "cli/http_connection.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

/// Bytes read from a client at once: several requests, but not a flood of them.
constexpr std::size_t kReadSize = 16384;
/// Answers in one turn of a client that pipelines, before others have theirs.
constexpr int kAnswersInTurn = 16;

}  // namespace

HttpConnection::HttpConnection(TcpStream stream, const Folder& folder, const HttpPatience& patience,
                               Log log)
    : stream_(std::move(stream)), folder_(folder), patience_(patience), log_(std::move(log)) {
  if (const IoResult<Endpoint> remote = stream_.remote_endpoint()) peer_ = remote->to_string();
  expect_within(patience_.idle);
}

HttpConnection::Wants HttpConnection::advance(std::span<std::byte> scratch) {
  // A soft error is no more than news; taken, it is not told again. If it was what ended the
  // connection, it says more than the broken pipe that a write finds afterwards.
  if (const std::error_code error = stream_.take_error()) told_ = error;
  for (int turns = 0;; ++turns) {
    std::optional<Wants> wants;
    switch (phase_) {
      case Phase::reading:
        wants = read(scratch);
        break;
      case Phase::writing:
        wants = write(scratch);
        break;
      case Phase::parting:
        wants = part(scratch);
        break;
    }
    if (wants) return *wants;
    if (turns == 2 * kAnswersInTurn && phase_ == Phase::writing) return Wants::room;
  }
}

std::optional<HttpConnection::Wants> HttpConnection::read(std::span<std::byte> scratch) {
  if (input_.empty()) {
    const IoResult<std::size_t> got =
        stream_.receive(scratch.first(std::min(scratch.size(), kReadSize)));
    if (!got) {
      if (got.error() == make_error_code(Error::would_block)) return Wants::input;
      stream_.abort();
      return Wants::nothing;
    }
    if (*got == 0) {
      (void)stream_.close();
      return Wants::nothing;
    }
    input_.assign(reinterpret_cast<const char*>(scratch.data()), *got);
  }
  take_input();
  return std::nullopt;
}

void HttpConnection::take_input() {
  const bool was_within = parser_.is_within();
  input_.erase(0, parser_.feed(input_));
  if (parser_.error_status() != 0) {
    began_ = Clock::now();
    begin(refuse(parser_.error_status()));
  } else if (parser_.is_complete()) {
    began_ = Clock::now();
    begin(answer(folder_, parser_.request()));
  } else if (parser_.is_within() && !was_within) {
    expect_within(patience_.request);
  }
}

void HttpConnection::begin(HttpAnswer next) {
  answer_ = std::move(next);
  text_ = std::move(answer_.head);
  text_ += answer_.text;
  text_sent_ = 0;
  file_sent_ = 0;
  phase_ = Phase::writing;
  expect_within(patience_.stall);
}

std::size_t HttpConnection::fill(std::span<std::byte> scratch) {
  const std::size_t of_text = std::min(text_.size() - text_sent_, scratch.size());
  std::memcpy(scratch.data(), text_.data() + text_sent_, of_text);
  if (!answer_.file || text_sent_ + of_text < text_.size()) return of_text;
  const std::uint64_t left = answer_.length - file_sent_;
  const auto of_file =
      static_cast<std::size_t>(std::min<std::uint64_t>(left, scratch.size() - of_text));
  if (of_file == 0) return of_text;
  const ssize_t got = ::pread(answer_.file.get(), scratch.data() + of_text, of_file,
                              static_cast<off_t>(answer_.offset + file_sent_));
  if (got <= 0) {
    file_failed_ = true;  // it became shorter, or cannot be read: the announced length is a lie now
    return of_text;
  }
  return of_text + static_cast<std::size_t>(got);
}

std::optional<HttpConnection::Wants> HttpConnection::write(std::span<std::byte> scratch) {
  const std::size_t ready = fill(scratch);
  if (file_failed_) {
    give_up("the file could not be read to its end");
    return Wants::nothing;
  }
  if (ready == 0) return finish_answer();
  const IoResult<std::size_t> sent = stream_.send(scratch.first(ready));
  if (!sent) {
    if (sent.error() == make_error_code(Error::would_block)) return Wants::room;
    const bool broken = sent.error() == make_error_code(Error::broken_pipe);
    give_up((broken && told_ ? told_ : sent.error()).message());
    return Wants::nothing;
  }
  expect_within(patience_.stall);
  const std::size_t of_text = std::min(text_.size() - text_sent_, *sent);
  text_sent_ += of_text;
  file_sent_ += *sent - of_text;
  const bool all = text_sent_ == text_.size() && (!answer_.file || file_sent_ == answer_.length);
  if (all) return finish_answer();
  return Wants::room;
}

std::optional<HttpConnection::Wants> HttpConnection::finish_answer() {
  log_answer("");
  const bool close = answer_.close;
  answer_ = HttpAnswer{};
  if (!close) {
    parser_.next();
    phase_ = Phase::reading;
    expect_within(patience_.idle);
    return std::nullopt;
  }
  // Closing with bytes unread would reset the connection and could take the answer with it
  // (RFC 9112 9.6): first our end of stream, then wait for theirs.
  if (!stream_.shutdown_write()) {
    stream_.abort();
    return Wants::nothing;
  }
  phase_ = Phase::parting;
  expect_within(patience_.farewell);
  return std::nullopt;
}

std::optional<HttpConnection::Wants> HttpConnection::part(std::span<std::byte> scratch) {
  const IoResult<std::size_t> got = stream_.receive(scratch);
  if (!got && got.error() == make_error_code(Error::would_block)) return Wants::input;
  if (got && *got != 0) return Wants::input;
  (void)stream_.close();
  return Wants::nothing;
}

void HttpConnection::give_up(std::string_view why) {
  if (phase_ == Phase::writing) {
    log_answer(why);
    stream_.abort();
  } else {
    (void)stream_.close();
  }
}

void HttpConnection::log_answer(std::string_view remark) {
  const HttpRequest& request = parser_.request();
  const std::chrono::duration<double> took = Clock::now() - began_;
  const std::uint64_t head = text_.size() - answer_.text.size();
  const std::uint64_t text = text_sent_ > head ? text_sent_ - head : 0;
  const std::string method = request.unknown_method.empty() ? http_method_str(request.method)
                                                            : log_word(request.unknown_method);
  const std::string asked =
      parser_.is_complete() ? fmt::format("{} {}", method, log_word(request.target)) : "-";
  log_(fmt::format("{} \"{}\" {} {} B in {:.3f} s{}{}", peer_, asked, answer_.status,
                   text + file_sent_, took.count(), remark.empty() ? "" : ": ", remark));
}

}  // namespace hawser::cli
