// Two interfaces of lwIP that are each other's wire.
#pragma once

#include <lwip/ip_addr.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace hawser::bench {

/// Frames go across in the order in which they were sent. As lwIP writes into the headers that it
/// reads, those are copied into a buffer of the receiver's, and small payloads with them; larger
/// ones cross by reference.
class LwipLink {
 public:
  static constexpr std::size_t kMtu = 1500;

  LwipLink();
  ~LwipLink();
  LwipLink(const LwipLink&) = delete;
  LwipLink& operator=(const LwipLink&) = delete;

  netif& client() { return ends_[0].interface; }
  netif& server() { return ends_[1].interface; }
  const ip_addr_t& client_address() const { return ends_[0].interface.ip_addr; }
  const ip_addr_t& server_address() const { return ends_[1].interface.ip_addr; }

  /// Hands all frames that are under way to their receivers; false when there were none.
  bool deliver();

 private:
  struct Frame;
  struct End {
    netif interface{};
    LwipLink* link = nullptr;
    std::size_t peer = 0;
  };
  struct Arrival {
    pbuf* frame;
    std::size_t at;
  };

  void add(std::size_t end, const ip4_addr_t& address);
  void carry(std::size_t to, pbuf& packet);
  Frame& take_frame();
  static void release_header(pbuf* header);
  static void release_payload(pbuf* payload);
  static void give_back(Frame& frame);

  std::array<End, 2> ends_;
  std::vector<Arrival> waiting_;
  std::vector<Arrival> arriving_;
  std::vector<std::unique_ptr<Frame>> frames_;
  std::vector<Frame*> free_;
};

}  // namespace hawser::bench
