// What a server answers to a request for something in a folder (RFC 9110): the head of the response
// and where its body comes from. Sends nothing.
#pragma once

#include <cstdint>
#include <string>

#include "cli/folder.hpp"
#include "cli/http_message.hpp"

namespace hawser::cli {

struct HttpAnswer {
  int status = 0;
  std::string head;          ///< status line and fields, the empty line included
  std::string text;          ///< the body when it is not of a file
  host::Descriptor file;     ///< the body when it is not text
  std::uint64_t offset = 0;  ///< of the body in the file
  std::uint64_t length = 0;  ///< bytes of the body that follow the head
  bool close = false;        ///< the connection ends behind this answer
};

/// Answers GET and HEAD.
HttpAnswer answer(const Folder& folder, const HttpRequest& request);
/// A page that says what `status` means; ends the connection.
HttpAnswer refuse(int status);

}  // namespace hawser::cli
