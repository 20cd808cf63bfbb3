// The lines of an answer: one in front that says who speaks, the items, and one at the end.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace hawser::control {

/// Keeps the order in which fields were added, for those who read it themselves.
using Json = nlohmann::ordered_json;

/// Of the process that answers.
struct Identity {
  std::string name;
  std::string program;
  int process = 0;
};

/// Takes one line without its end; false when nobody wants more.
using Emit = std::function<bool(std::string_view line)>;

/// The number of the protocol, in the first line of every answer.
inline constexpr int kProtocolVersion = 1;

/// A JSON text of one line; what is no UTF-8 is replaced, not refused.
inline std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class AnswerLines {
 public:
  /// `kind` is what the name in `identity` is that of: "host" or "link".
  AnswerLines(std::string_view kind, const Identity& identity, const Emit& emit)
      : kind_(kind), identity_(identity), emit_(emit) {}

  void begin(std::string_view asked) {
    Json head = head_line();
    head["answer"] = asked;
    goes_on_ = emit_(line_of(head));
  }
  void item(const Json& json) {
    if (!goes_on_) return;
    goes_on_ = emit_(line_of(json));
    ++count_;
  }
  void end() {
    if (goes_on_) (void)emit_(line_of(Json{{"end", true}, {"items", count_}}));
  }
  void refuse(std::string_view why) {
    Json head = head_line();
    head["error"] = why;
    (void)emit_(line_of(head));
  }
  bool goes_on() const { return goes_on_; }

 private:
  Json head_line() const {
    return {{"hawser", kProtocolVersion},
            {kind_, identity_.name},
            {"program", identity_.program},
            {"pid", identity_.process}};
  }

  std::string kind_;
  const Identity& identity_;
  const Emit& emit_;
  std::size_t count_ = 0;
  bool goes_on_ = true;
};

}  // namespace hawser::control
