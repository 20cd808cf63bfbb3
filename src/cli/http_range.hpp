// Parts of a file that a client asks for (RFC 9110 14).
#pragma once

#include <cstdint>
#include <string_view>

namespace hawser::cli {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

enum class RangeKind : std::uint8_t {
  whole,          ///< no range that we serve: answer with all of it
  part,           ///< one range
  unsatisfiable,  ///< beyond the end: 416
};

struct RangeRequest {
  RangeKind kind = RangeKind::whole;
  ByteRange range{};
};

/// Reads a Range field for a file of `size` bytes. Other units, several ranges and malformed ones
/// give the whole file, as RFC 9110 14.2 allows.
RangeRequest parse_range(std::string_view field, std::uint64_t size);

}  // namespace hawser::cli
