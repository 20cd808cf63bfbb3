#include "lwip_link.hpp"

#include <lwip/ip.h>
#include <lwip/ip4.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/tcp.h>

#include <algorithm>
#include <cstring>

#include "pair.hpp"

namespace hawser::bench {

namespace {

constexpr std::size_t kHeaderRoom = 128;

/// Bytes of the IPv4 and TCP headers at the front of a packet.
std::size_t header_bytes(const pbuf& packet) {
  const auto* bytes = static_cast<const std::byte*>(packet.payload);
  const std::size_t ip = static_cast<std::size_t>(bytes[0] & std::byte{0x0f}) * 4;
  return ip + static_cast<std::size_t>(bytes[ip + 12] >> 4) * 4;
}

}  // namespace

// lwIP's custom buffers come first: it hands back their addresses as those of a pbuf.
struct LwipLink::Frame {
  pbuf_custom header{};
  pbuf_custom payload{};
  LwipLink* link = nullptr;
  pbuf* source = nullptr;  // what the payload refers to
  int pieces = 0;          // of the two that lwIP still holds
  std::array<std::byte, kHeaderRoom> bytes{};
};

LwipLink::LwipLink() {
  ip4_addr_t address;
  IP4_ADDR(&address, 10, 0, 0, 1);
  add(0, address);
  IP4_ADDR(&address, 10, 0, 1, 1);
  add(1, address);
}

LwipLink::~LwipLink() {
  for (const Arrival& arrival : waiting_) pbuf_free(arrival.frame);
  for (End& end : ends_) netif_remove(&end.interface);
}

void LwipLink::add(std::size_t end, const ip4_addr_t& address) {
  ends_[end].link = this;
  ends_[end].peer = 1 - end;
  ip4_addr_t mask;
  IP4_ADDR(&mask, 255, 255, 255, 0);
  const auto init = [](netif* interface) -> err_t {
    interface->name[0] = 'b';
    interface->name[1] = 'n';
    interface->mtu = kMtu;
    interface->output = [](netif* from, pbuf* packet, const ip4_addr_t*) -> err_t {
      End& sender = *static_cast<End*>(from->state);
      sender.link->carry(sender.peer, *packet);
      return ERR_OK;
    };
    return ERR_OK;
  };
  netif& interface = ends_[end].interface;
  if (netif_add(&interface, &address, &mask, nullptr, &ends_[end], init, ip4_input) == nullptr) {
    throw Failure("lwIP takes no interface");
  }
  netif_set_up(&interface);
  netif_set_link_up(&interface);
}

void LwipLink::carry(std::size_t to, pbuf& packet) {
  if (packet.next != nullptr) throw Failure("lwIP sent a packet in several pieces");
  const std::size_t headers = packet.len <= kHeaderRoom ? packet.len : header_bytes(packet);
  const std::size_t payload = packet.len - headers;
  Frame& frame = take_frame();
  std::memcpy(frame.bytes.data(), packet.payload, headers);
  pbuf* result = pbuf_alloced_custom(PBUF_RAW, static_cast<u16_t>(headers), PBUF_REF, &frame.header,
                                     frame.bytes.data(), static_cast<u16_t>(kHeaderRoom));
  frame.pieces = 1;
  if (payload != 0) {
    pbuf_ref(&packet);
    frame.source = &packet;
    frame.pieces = 2;
    pbuf_cat(result,
             pbuf_alloced_custom(PBUF_RAW, static_cast<u16_t>(payload), PBUF_REF, &frame.payload,
                                 static_cast<std::byte*>(packet.payload) + headers,
                                 static_cast<u16_t>(payload)));
  }
  waiting_.push_back({result, to});
}

LwipLink::Frame& LwipLink::take_frame() {
  if (free_.empty()) {
    frames_.push_back(std::make_unique<Frame>());
    Frame& frame = *frames_.back();
    frame.link = this;
    frame.header.custom_free_function = release_header;
    frame.payload.custom_free_function = release_payload;
    return frame;
  }
  Frame& frame = *free_.back();
  free_.pop_back();
  return frame;
}

void LwipLink::release_header(pbuf* header) { give_back(*reinterpret_cast<Frame*>(header)); }

void LwipLink::release_payload(pbuf* payload) {
  auto* bytes = reinterpret_cast<std::byte*>(payload) - offsetof(Frame, payload);
  Frame& frame = *reinterpret_cast<Frame*>(bytes);
  pbuf_free(frame.source);
  give_back(frame);
}

void LwipLink::give_back(Frame& frame) {
  if (--frame.pieces == 0) frame.link->free_.push_back(&frame);
}

bool LwipLink::deliver() {
  if (waiting_.empty()) return false;
  std::swap(waiting_, arriving_);
  for (const Arrival& arrival : arriving_) {
    netif& interface = ends_[arrival.at].interface;
    if (interface.input(arrival.frame, &interface) != ERR_OK) pbuf_free(arrival.frame);
  }
  arriving_.clear();
  return true;
}

}  // namespace hawser::bench
