// Standard input and output (or any descriptors) as a loop over poll(2) uses them: it never sleeps
// in a read or write, and does not set O_NONBLOCK, which would reach every process that shares
// them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace hawser::cli {

/// Bytes on their way: filled at once, then drained.
class PendingBytes {
 public:
  explicit PendingBytes(std::size_t capacity) : bytes_(capacity) {}

  bool empty() const { return begin_ == end_; }
  std::span<const std::byte> pending() const { return std::span(bytes_).subspan(begin_, size()); }
  std::size_t size() const { return end_ - begin_; }
  /// All of the room; only while empty.
  std::span<std::byte> room() { return bytes_; }
  void filled(std::size_t count) {
    begin_ = 0;
    end_ = count;
  }
  void drained(std::size_t count) { begin_ += count; }
  void clear() { begin_ = end_; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// The reading end.
class InputStream {
 public:
  /// A pipe of Linux holds no more.
  static constexpr std::size_t kCapacity = std::size_t{64} << 10;

  /// `descriptor` stays the caller's; at most `capacity` bytes are read at a time.
  explicit InputStream(int descriptor, std::size_t capacity = kCapacity);

  int descriptor() const { return descriptor_; }
  /// There is no more to read; what is pending still counts.
  bool has_ended() const { return ended_; }
  bool is_terminal() const { return terminal_; }
  /// Nobody wants any more of it.
  void end() { ended_ = true; }
  bool wants_poll() const { return !ended_ && bytes_.empty(); }
  /// After poll(2) gave `events` for it: reads what there is.
  void on_poll(short events);
  /// Why reading ended early; empty when it did not.
  const std::string& problem() const { return problem_; }
  PendingBytes& bytes() { return bytes_; }

 private:
  int descriptor_;
  bool terminal_;
  bool ended_ = false;
  std::string problem_;
  PendingBytes bytes_;
};

/// The writing end.
class OutputStream {
 public:
  explicit OutputStream(int descriptor);

  int descriptor() const { return descriptor_; }
  bool wants_poll() const { return !bytes_.empty(); }
  void on_poll(short events);
  /// Nobody reads it any more (EPIPE), which is not worth a message.
  bool is_gone() const { return gone_; }
  /// Why writing failed; empty when it did not.
  const std::string& problem() const { return problem_; }
  /// What is pending is lost from here on: it is gone, or writing failed.
  bool has_failed() const { return gone_ || !problem_.empty(); }
  PendingBytes& bytes() { return bytes_; }

 private:
  std::ptrdiff_t write_some(std::span<const std::byte> bytes) const;

  enum class Kind : unsigned char { file, socket, other };
  int descriptor_;
  Kind kind_;
  bool gone_ = false;
  std::string problem_;
  PendingBytes bytes_;
};

}  // namespace hawser::cli
