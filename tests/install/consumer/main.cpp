// What a user's first program may look like: a frame is made and its payload shared, not copied.
#include <cstdio>
#include <hawser/packet.hpp>

int main() {
  hawser::BufferPool pool;
  hawser::Packet packet = pool.take_packet();
  hawser::Slice payload = pool.take(hawser::BufferPool::kSmallBlock);
  payload.extend(1000);
  if (!packet.append(payload)) return 1;
  const hawser::Packet twin = packet.share();
  std::printf("hawser: %u bytes\n", static_cast<unsigned>(twin.size()));
  return twin.size() == 1000 ? 0 : 1;
}
