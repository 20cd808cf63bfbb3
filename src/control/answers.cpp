#include "control/answers.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "control/describe.hpp"

namespace hawser::control {

namespace {

/// Sockets that are described while the lock is held.
constexpr std::size_t kBatch = 256;

class Answer : public AnswerLines {
 public:
  Answer(host::Engine& engine, const Identity& identity, const Emit& emit)
      : AnswerLines("host", identity, emit), engine_(engine) {}

  void host();
  void addresses();
  void routes();
  void neighbours();
  void sockets();
  void counters();

 private:
  void tcp_sockets();
  /// Of UDP or ICMP: what `list` names, as `info` tells it.
  template <typename Info>
  void datagram_sockets(std::vector<SocketHandle> (Stack::*list)() const,
                        Result<Info> (Stack::*info)(SocketHandle) const);
  /// `collect(stack, now)` gives a list under the lock; it is sent without it.
  template <typename Collect>
  void items_of(Collect collect) {
    std::vector<Json> items;
    {
      const host::Engine::Lock lock = engine_.lock();
      if (engine_.stopped()) return;
      items = collect(engine_.stack(), host::Engine::now());
    }
    for (const Json& json : items) item(json);
  }
  static std::string name_of(const Stack& stack, InterfaceId interface) {
    const auto& interfaces = stack.config().interfaces;
    const auto index = static_cast<std::size_t>(interface);
    return index < interfaces.size() ? interfaces[index].name : fmt::format("{}", index);
  }

  host::Engine& engine_;
};

void Answer::host() {
  items_of([](const Stack& stack, Instant) {
    std::vector<Json> items;
    for (const InterfaceConfig& interface : stack.config().interfaces) {
      items.push_back(describe(interface));
    }
    return items;
  });
}

void Answer::addresses() {
  items_of([](const Stack& stack, Instant now) {
    std::vector<Json> items;
    for (const AddressInfo& address : stack.addresses()) {
      items.push_back(describe(address, name_of(stack, address.interface), now));
    }
    return items;
  });
}

void Answer::routes() {
  items_of([](const Stack& stack, Instant now) {
    std::vector<Json> items;
    for (const RouteInfo& route : stack.routes()) {
      items.push_back(describe(route, name_of(stack, route.interface), now));
    }
    return items;
  });
}

void Answer::neighbours() {
  items_of([](const Stack& stack, Instant now) {
    std::vector<Json> items;
    for (const NeighbourInfo& neighbour : stack.neighbours(now)) {
      items.push_back(describe(neighbour, name_of(stack, neighbour.interface)));
    }
    return items;
  });
}

void Answer::counters() {
  items_of([](const Stack& stack, Instant) { return std::vector{describe(stack.counters())}; });
}

void Answer::sockets() {
  tcp_sockets();
  datagram_sockets(&Stack::udp_sockets, &Stack::udp_info);
  datagram_sockets(&Stack::icmp_sockets, &Stack::icmp_info);
}

void Answer::tcp_sockets() {
  SocketCursor cursor;
  while (!cursor.at_end && goes_on()) {
    std::vector<TcpSocketInfo> sockets;
    Instant now{};
    {
      const host::Engine::Lock lock = engine_.lock();
      if (engine_.stopped()) return;
      now = host::Engine::now();
      sockets = engine_.stack().tcp_sockets(cursor, kBatch);
    }
    for (const TcpSocketInfo& socket : sockets) item(describe(socket, now));
  }
}

template <typename Info>
void Answer::datagram_sockets(std::vector<SocketHandle> (Stack::*list)() const,
                              Result<Info> (Stack::*info)(SocketHandle) const) {
  std::vector<SocketHandle> handles;
  {
    const host::Engine::Lock lock = engine_.lock();
    if (engine_.stopped()) return;
    handles = (engine_.stack().*list)();
  }
  for (std::size_t begin = 0; begin < handles.size() && goes_on(); begin += kBatch) {
    const auto part = std::span(handles).subspan(begin, std::min(kBatch, handles.size() - begin));
    items_of([part, info](const Stack& stack, Instant) {
      std::vector<Json> items;
      for (const SocketHandle handle : part) {
        if (const Result<Info> found = (stack.*info)(handle)) items.push_back(describe(*found));
      }
      return items;
    });
  }
}

constexpr std::array<std::pair<std::string_view, void (Answer::*)()>, 6> kQuestions{{
    {"host", &Answer::host},
    {"addresses", &Answer::addresses},
    {"routes", &Answer::routes},
    {"neighbours", &Answer::neighbours},
    {"sockets", &Answer::sockets},
    {"counters", &Answer::counters},
}};

}  // namespace

void answer(host::Engine& engine, const Identity& identity, std::string_view request,
            const Emit& emit) {
  Answer answer(engine, identity, emit);
  const Json json = Json::parse(request, nullptr, false);
  const auto asked = json.is_object() ? json.find("ask") : json.end();
  if (!json.is_object() || asked == json.end() || !asked->is_string()) {
    return answer.refuse("a request is a line such as {\"ask\": \"sockets\"}");
  }
  const std::string question = asked->get<std::string>();
  for (const auto& [name, tell] : kQuestions) {
    if (name != question) continue;
    answer.begin(name);
    (answer.*tell)();
    return answer.end();
  }
  answer.refuse("that question is not known");
}

}  // namespace hawser::control
