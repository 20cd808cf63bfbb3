#include "control/link_answers.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "sim/impairment_fields.hpp"

namespace hawser::control {

namespace {

constexpr std::array<const char*, 2> kNames = {"there", "back"};  // by Way

/// What differs from a perfect wire, as the options of the command take it.
Json describe(const Impairment& impairment) {
  Json json = Json::object();
  for (const sim::ImpairmentField& field : sim::impairment_fields()) {
    std::string value = field.get(impairment);
    if (value != field.get(Impairment{})) json[std::string(field.name)] = std::move(value);
  }
  return json;
}

/// Changes what `wanted` names; or what is wrong with it.
std::optional<std::string> change(Impairment& impairment, const Json& wanted) {
  if (!wanted.is_object()) return "what is to be set is an object such as {\"loss\": \"5%\"}";
  for (const auto& [name, value] : wanted.items()) {
    const sim::ImpairmentField* field = sim::find_impairment_field(name);
    if (field == nullptr) return fmt::format("there is no impairment '{}'", name);
    if (!value.is_string()) return fmt::format("{}: its value is a text such as \"5%\"", name);
    if (const auto wrong = field->set(impairment, value.get<std::string>())) {
      return fmt::format("{}: {}", name, *wrong);
    }
  }
  return std::nullopt;
}

/// All of it, or nothing and why.
std::optional<std::string> set(link::Emulator& emulator, const Json& request) {
  std::array<Impairment, 2> wanted;
  for (const link::Way way : link::kWays) {
    Impairment& impairment = wanted.at(static_cast<std::size_t>(way));
    impairment = emulator.impairment(way);
    for (const char* part : {"both", kNames.at(static_cast<std::size_t>(way))}) {
      if (!request.contains(part)) continue;
      if (auto wrong = change(impairment, request[part])) return wrong;
    }
  }
  for (const link::Way way : link::kWays) {
    emulator.set_impairment(way, wanted.at(static_cast<std::size_t>(way)));
  }
  return std::nullopt;
}

}  // namespace

Json describe(const link::Emulator& emulator, link::Way way, const LinkEnds& ends) {
  const auto index = static_cast<std::size_t>(way);
  const PathCounters& counters = emulator.counters(way);
  Json dropped = Json::object();
  for (std::size_t i = 1; i < kFrameFates; ++i) {
    dropped[std::string(to_string(static_cast<FrameFate>(i)))] = counters.fates.at(i);
  }
  return {{"direction", kNames.at(index)},
          {"from", ends.at(index)},
          {"to", ends.at(1 - index)},
          {"seed", emulator.seed()},
          {"impairment", describe(emulator.impairment(way))},
          {"frames", counters.frames},
          {"bytes", counters.bytes},
          {"delivered", counters.of(FrameFate::delivered)},
          {"dropped", dropped},
          {"corrupted", counters.corrupted},
          {"marked", counters.marked},
          {"duplicated", counters.duplicated},
          {"reordered", counters.reordered},
          {"in_flight", emulator.in_flight(way)}};
}

void answer_link(host::LinkLoop& loop, const LinkEnds& ends, const Identity& identity,
                 std::string_view request, const Emit& emit) {
  AnswerLines answer("link", identity, emit);
  const Json json = Json::parse(request, nullptr, false);
  const bool asks = json.is_object() && json.contains("ask");
  const std::string asked = asks && json["ask"].is_string() ? json["ask"].get<std::string>() : "";
  if (asked != "link" && asked != "set") {
    return answer.refuse(
        "a link is asked by {\"ask\": \"link\"} and changed by {\"ask\": \"set\", \"both\": "
        "{\"loss\": \"5%\"}}");
  }
  std::array<Json, 2> items;
  {
    const host::LinkLoop::Lock held = loop.lock();
    if (asked == "set") {
      if (const auto wrong = set(loop.emulator(), json)) return answer.refuse(*wrong);
    }
    for (const link::Way way : link::kWays) {
      items.at(static_cast<std::size_t>(way)) = describe(loop.emulator(), way, ends);
    }
  }
  answer.begin(asked);
  for (const Json& item : items) answer.item(item);
  answer.end();
}

std::expected<std::unique_ptr<Server>, ControlError> open_link_control(
    host::LinkLoop& loop, const LinkEnds& ends, const ControlConfig& config) {
  return open_server(Kind::link, config, [&loop, ends](const Identity& identity) -> Answerer {
    return [&loop, ends, identity](std::string_view request, const Emit& emit) {
      answer_link(loop, ends, identity, request, emit);
    };
  });
}

}  // namespace hawser::control
