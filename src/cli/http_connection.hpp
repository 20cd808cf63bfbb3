// One connection of the HTTP server: reads requests, one after another, and sends the answers
// (RFC 9112 9: persistence and pipelining). Never waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "cli/folder.hpp"
#include "cli/http_answer.hpp"
#include "cli/http_message.hpp"
#include "hawser/tcp_stream.hpp"

namespace hawser::cli {

/// How long a client may take.
struct HttpPatience {
  Duration idle = std::chrono::seconds(60);     ///< between two requests
  Duration request = std::chrono::seconds(20);  ///< from the first byte of a request to its last
  Duration stall = std::chrono::seconds(60);    ///< without taking a byte of an answer
  Duration farewell = std::chrono::seconds(2);  ///< for the client's end of stream behind ours
};

class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;
  using Log = std::function<void(std::string_view)>;

  /// What the connection waits for next.
  enum class Wants : std::uint8_t { input, room, nothing };

  HttpConnection(TcpStream stream, const Folder& folder, const HttpPatience& patience, Log log);

  /// Goes on as far as it can without waiting and without keeping others waiting. `scratch` is
  /// memory that it may use meanwhile. `nothing` means that it is over.
  Wants advance(std::span<std::byte> scratch);
  /// When `advance` has nothing to do until then, the client has been too slow.
  Clock::time_point deadline() const { return deadline_; }
  /// Ends it because of that, or because the server ends.
  void give_up(std::string_view why);
  const TcpStream& stream() const { return stream_; }

 private:
  enum class Phase : std::uint8_t { reading, writing, parting };

  /// Nothing: goes on in another phase.
  std::optional<Wants> read(std::span<std::byte> scratch);
  std::optional<Wants> write(std::span<std::byte> scratch);
  std::optional<Wants> part(std::span<std::byte> scratch);
  void take_input();
  void begin(HttpAnswer next);
  std::size_t fill(std::span<std::byte> scratch);
  std::optional<Wants> finish_answer();
  void log_answer(std::string_view remark);
  void expect_within(Duration span) { deadline_ = Clock::now() + span; }

  TcpStream stream_;
  const Folder& folder_;
  const HttpPatience& patience_;
  Log log_;
  std::string peer_;
  RequestParser parser_;
  std::string input_;  ///< received and not yet parsed: what was pipelined
  Phase phase_ = Phase::reading;
  HttpAnswer answer_;
  std::string text_;             ///< the head and text of the answer
  std::size_t text_sent_ = 0;    ///< bytes of it
  std::uint64_t file_sent_ = 0;  ///< bytes of the file
  bool file_failed_ = false;
  std::error_code told_{};   ///< the last error that the stream told of
  Clock::time_point began_;  ///< the request that is being answered
  Clock::time_point deadline_;
};

}  // namespace hawser::cli
