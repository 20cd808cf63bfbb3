// The addresses of a name that were tried in vain.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <system_error>

#include "hawser/address.hpp"

namespace hawser::cli {

class FailedAddresses {
 public:
  void add(const Endpoint& remote, const std::error_code& why) {
    text_ += fmt::format("{}{}: {}", text_.empty() ? "" : "; ", remote.to_string(), why.message());
  }
  /// One line: `what`, then each address and why it failed.
  std::string message(std::string_view what) const { return fmt::format("{} {}", what, text_); }

 private:
  std::string text_;
};

}  // namespace hawser::cli
