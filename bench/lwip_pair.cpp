#include "lwip_pair.hpp"

#include <fmt/format.h>
#include <lwip/init.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include <array>
#include <chrono>
#include <vector>

#include "heap.hpp"
#include "lwip_link.hpp"
#include "payload.hpp"

namespace hawser::bench {

namespace {

constexpr std::uint16_t kPort = 7;
constexpr std::byte kRequest{0x51};
constexpr std::byte kResponse{0xa2};
constexpr auto kPatience = std::chrono::seconds(20);

void initialise_once() {
  static const bool done = [] {
    lwip_init();
    return true;
  }();
  static_cast<void>(done);
}

void must(err_t error, const char* what) {
  if (error != ERR_OK) throw Failure(fmt::format("lwIP: {} failed: {}", what, int{error}));
}

}  // namespace

class LwipPair::Impl {
 public:
  Impl();
  ~Impl();

  void open(std::size_t connections);
  Footprint footprint(std::size_t connections);
  void transfer(std::uint64_t bytes);
  void request_response(tcp_pcb* connection);
  void connect_cycle();
  tcp_pcb* client(std::size_t index) { return clients_[index]; }

  Check check = Check::ends;
  bool copying = true;

 private:
  enum class Mode : std::uint8_t { echo, sink };

  tcp_pcb* connect();
  void write_byte(tcp_pcb* connection, std::byte value);
  void fill(tcp_pcb* connection, std::uint64_t end);
  void sink(const pbuf& packet);
  void expect_byte(const pbuf& packet, std::byte value) const;
  template <typename Done>
  void run_until(Done done, const char* what);

  static err_t on_server_receive(void* self, tcp_pcb* connection, pbuf* packet, err_t error);
  static err_t on_client_receive(void* self, tcp_pcb* connection, pbuf* packet, err_t error);

  LwipLink link_;
  Payload payload_;
  tcp_pcb* listener_ = nullptr;
  std::vector<tcp_pcb*> clients_;
  std::vector<std::byte> read_buffer_ = std::vector<std::byte>(kChunk);
  Mode mode_ = Mode::echo;
  bool connected_ = false;
  bool accepted_ = false;
  bool answered_ = false;
  bool server_closed_ = false;
  std::uint64_t written_ = 0;
  std::uint64_t delivered_ = 0;
};

LwipPair::Impl::Impl() {
  tcp_pcb* pcb = tcp_new();
  if (pcb == nullptr) throw Failure("lwIP: no listener");
  tcp_bind_netif(pcb, &link_.server());
  must(tcp_bind(pcb, &link_.server_address(), kPort), "tcp_bind");
  listener_ = tcp_listen(pcb);
  tcp_arg(listener_, this);
  tcp_accept(listener_, [](void* arg, tcp_pcb* connection, err_t) -> err_t {
    Impl& self = *static_cast<Impl*>(arg);
    self.accepted_ = true;
    tcp_arg(connection, &self);
    tcp_recv(connection, on_server_receive);
    return ERR_OK;
  });
}

LwipPair::Impl::~Impl() {
  while (tcp_active_pcbs != nullptr) tcp_abort(tcp_active_pcbs);
  tcp_close(listener_);
}

// One pass is what lwIP's own thread does for a message: look at the timers, handle what is there.
template <typename Done>
void LwipPair::Impl::run_until(Done done, const char* what) {
  std::chrono::steady_clock::time_point idle_since{};
  while (!done()) {
    sys_check_timeouts();
    if (link_.deliver()) {
      idle_since = {};
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    if (idle_since == std::chrono::steady_clock::time_point{}) idle_since = now;
    if (now - idle_since > kPatience) throw Failure(fmt::format("lwIP stalled: {}", what));
  }
}

tcp_pcb* LwipPair::Impl::connect() {
  tcp_pcb* pcb = tcp_new();
  if (pcb == nullptr) throw Failure("lwIP: no connection");
  tcp_bind_netif(pcb, &link_.client());
  tcp_nagle_disable(pcb);
  tcp_arg(pcb, this);
  tcp_recv(pcb, on_client_receive);
  connected_ = false;
  accepted_ = false;
  const auto connected = [](void* self, tcp_pcb*, err_t) -> err_t {
    static_cast<Impl*>(self)->connected_ = true;
    return ERR_OK;
  };
  must(tcp_connect(pcb, &link_.server_address(), kPort, connected), "tcp_connect");
  run_until([this] { return connected_ && accepted_; }, "connect");
  return pcb;
}

void LwipPair::Impl::write_byte(tcp_pcb* connection, std::byte value) {
  must(tcp_write(connection, &value, 1, TCP_WRITE_FLAG_COPY), "tcp_write");
}

void LwipPair::Impl::expect_byte(const pbuf& packet, std::byte value) const {
  if (packet.tot_len != 1 || pbuf_get_at(&packet, 0) != std::to_integer<u8_t>(value)) {
    throw Failure("lwIP: wrong byte in request-response");
  }
}

void LwipPair::Impl::sink(const pbuf& packet) {
  if (copying) {
    for (std::size_t offset = 0; offset < packet.tot_len; offset += kChunk) {
      const u16_t copied =
          pbuf_copy_partial(&packet, read_buffer_.data(), kChunk, static_cast<u16_t>(offset));
      payload_.expect(delivered_, std::span(read_buffer_).first(copied), check);
      delivered_ += copied;
    }
    return;
  }
  for (const pbuf* piece = &packet; piece != nullptr; piece = piece->next) {
    if (piece->len == 0) continue;
    const std::span got(static_cast<const std::byte*>(piece->payload), piece->len);
    payload_.expect(delivered_, got, check);
    delivered_ += got.size();
  }
}

err_t LwipPair::Impl::on_server_receive(void* arg, tcp_pcb* connection, pbuf* packet, err_t) {
  Impl& self = *static_cast<Impl*>(arg);
  if (packet == nullptr) {
    self.server_closed_ = true;
    return tcp_close(connection);
  }
  tcp_recved(connection, packet->tot_len);
  if (self.mode_ == Mode::sink) {
    self.sink(*packet);
  } else {
    self.expect_byte(*packet, kRequest);
    self.write_byte(connection, kResponse);
  }
  pbuf_free(packet);
  return ERR_OK;
}

err_t LwipPair::Impl::on_client_receive(void* arg, tcp_pcb* connection, pbuf* packet, err_t) {
  Impl& self = *static_cast<Impl*>(arg);
  if (packet == nullptr) return ERR_OK;  // the server's FIN, behind ours
  self.expect_byte(*packet, kResponse);
  self.answered_ = true;
  tcp_recved(connection, packet->tot_len);
  pbuf_free(packet);
  return ERR_OK;
}

void LwipPair::Impl::request_response(tcp_pcb* connection) {
  answered_ = false;
  write_byte(connection, kRequest);
  must(tcp_output(connection), "tcp_output");
  run_until([this] { return answered_; }, "request-response");
}

void LwipPair::Impl::open(std::size_t connections) {
  while (clients_.size() < connections) {
    clients_.push_back(connect());
    request_response(clients_.back());
  }
}

Footprint LwipPair::Impl::footprint(std::size_t connections) {
  const std::size_t wanted = clients_.size() + connections;
  clients_.reserve(wanted);
  const std::size_t before = heap_in_use();
  open(wanted);
  const auto settled = std::chrono::steady_clock::now() + std::chrono::milliseconds(600);
  run_until([&] { return std::chrono::steady_clock::now() > settled; }, "delayed ACKs");
  const double bytes = static_cast<double>(heap_in_use() - before);
  const double each = bytes / static_cast<double>(connections) / 2;
  return {each, each, std::nullopt};
}

void LwipPair::Impl::fill(tcp_pcb* connection, std::uint64_t end) {
  while (written_ < end) {
    const std::uint64_t room = std::min<std::uint64_t>(tcp_sndbuf(connection), end - written_);
    if (room == 0) break;
    const auto chunk = payload_.at(written_, room);
    const err_t error =
        tcp_write(connection, chunk.data(), static_cast<u16_t>(chunk.size()), TCP_WRITE_FLAG_COPY);
    if (error == ERR_MEM) break;
    must(error, "tcp_write");
    written_ += chunk.size();
  }
  must(tcp_output(connection), "tcp_output");
}

void LwipPair::Impl::transfer(std::uint64_t bytes) {
  mode_ = Mode::sink;
  const std::uint64_t end = written_ + bytes;
  tcp_pcb* connection = clients_.front();
  run_until(
      [&] {
        fill(connection, end);
        return delivered_ == end;
      },
      "bulk");
  mode_ = Mode::echo;
}

void LwipPair::Impl::connect_cycle() {
  tcp_pcb* connection = connect();
  request_response(connection);
  server_closed_ = false;
  must(tcp_close(connection), "tcp_close");
  run_until([this] { return server_closed_; }, "close");
  while (link_.deliver()) {
  }
  // As its lists are searched one by one, TIME-WAIT of 120 s would grow to be all that is measured.
  while (tcp_tw_pcbs != nullptr) tcp_abort(tcp_tw_pcbs);
}

LwipPair::LwipPair() {
  initialise_once();
  impl_ = std::make_unique<Impl>();
}
LwipPair::~LwipPair() = default;

void LwipPair::open(std::size_t connections) { impl_->open(connections); }
Footprint LwipPair::footprint(std::size_t connections) { return impl_->footprint(connections); }
void LwipPair::transfer(std::uint64_t bytes) { impl_->transfer(bytes); }
void LwipPair::request_response(std::size_t index) {
  impl_->request_response(impl_->client(index));
}
void LwipPair::connect_cycle() { impl_->connect_cycle(); }
void LwipPair::set_check(Check check) { impl_->check = check; }
void LwipPair::set_copying(bool copying) { impl_->copying = copying; }

void LwipPair::idle_second() {
  for (int quarter = 0; quarter < 4; ++quarter) tcp_tmr();  // TCP_TMR_INTERVAL is 250 ms
}

std::string LwipPair::facts() {
  return fmt::format("lwIP {} as Debian builds it: MSS {}, window and send buffer {} bytes",
                     LWIP_VERSION_STRING, TCP_MSS, TCP_WND);
}

}  // namespace hawser::bench
