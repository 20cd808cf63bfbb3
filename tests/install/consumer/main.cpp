// What a user's first program may look like: two hosts on a link that loses packets, and a greeting
// that arrives all the same.
#include <chrono>
#include <cstdio>
#include <hawser/world.hpp>
#include <span>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

int main() {
  hawser::World world(7);
  const auto host = [&](std::string_view prefix) {
    return world.add_stack(
        {.interfaces = {{.name = "eth0", .addresses = {*hawser::Prefix::parse(prefix)}}}});
  };
  const hawser::StackId client = host("10.0.0.1/24");
  const hawser::StackId server = host("10.0.0.2/24");
  world.connect({client}, {server}, {.delay = 10ms, .loss = 0.2});

  const hawser::Endpoint address{hawser::IpAddress::v4(10, 0, 0, 2), hawser::Port{80}};
  const auto listener = world.stack(server).tcp_listen(address, 1);
  const auto stream = world.stack(client).tcp_connect(world.now(), {}, address);
  if (!listener || !stream) return 1;
  world.run_for(60s);

  constexpr std::string_view kGreeting = "hello, world";
  const auto accepted = world.stack(server).tcp_accept(*listener);
  if (!accepted) return 2;
  if (!world.stack(client).tcp_send(world.now(), *stream, std::as_bytes(std::span(kGreeting))))
    return 3;
  world.run_for(60s);

  std::string text(64, '\0');
  const auto length = world.stack(server).tcp_receive(world.now(), *accepted,
                                                      std::as_writable_bytes(std::span(text)));
  if (!length) return 4;
  text.resize(*length);
  std::printf("%s after %lld virtual seconds\n", text.c_str(),
              static_cast<long long>(world.now().time_since_epoch() / 1s));
  return text == kGreeting ? 0 : 5;
}
