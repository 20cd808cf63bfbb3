#include "cli/trace_probes.hpp"

#include <array>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "cli/icmp_text.hpp"
#include "hawser/icmp_socket.hpp"
#include "hawser/tcp_stream.hpp"
#include "hawser/udp_socket.hpp"

namespace hawser::cli {

namespace {

/// What a router or the destination says of a probe.
ProbeAnswer answer_of(std::size_t probe, const IcmpErrorReport& report, const IpAddress& target,
                      bool port_unreachable_is_there) {
  ProbeAnswer answer{probe, report.reporter, TraceClock::time_point(report.at.time_since_epoch())};
  if (report.kind == IcmpErrorKind::time_exceeded) return answer;
  answer.is_end = true;
  answer.reached = report.reporter == target && port_unreachable_is_there &&
                   report.kind == IcmpErrorKind::port_unreachable;
  answer.mark = trace_mark(report);
  return answer;
}

template <typename Socket>
Socket or_throw(IoResult<Socket> socket) {
  if (!socket) throw std::system_error(socket.error(), "trace");
  socket->set_non_blocking(true);
  return std::move(*socket);
}

template <typename Socket>
class SocketProber : public Prober {
 public:
  SocketProber(Host& host, Socket socket) : socket_(std::move(socket)), poller_(host) {
    (void)poller_.add(socket_, Ready::readable, 0);
  }
  int descriptor() override { return poller_.descriptor(); }

 protected:
  /// Takes back what the descriptor shows.
  void look() {
    std::array<PollEvent, 1> event;
    (void)poller_.wait(event, Deadline::at_once());
  }
  Socket socket_;
  Poller poller_;
};

class EchoProber final : public SocketProber<IcmpSocket> {
 public:
  EchoProber(Host& host, const IpAddress& target)
      : SocketProber(host, or_throw(IcmpSocket::open(host))), target_(target) {}

  IoResult<void> send(std::size_t probe, std::uint8_t hop_limit) override {
    EchoRequest request;
    request.sequence = static_cast<std::uint16_t>(probe + 1);
    request.hop_limit = hop_limit;
    const std::array<std::byte, 32> data{};
    return socket_.send({target_, Port{}}, data, request);
  }
  std::vector<ProbeAnswer> collect() override {
    std::vector<ProbeAnswer> answers;
    std::array<std::byte, 64> data{};
    while (const IoResult<EchoAnswer> got = socket_.receive(data)) {
      const std::size_t probe = got->sequence - std::size_t{1};
      if (got->error) {
        answers.push_back(answer_of(probe, *got->error, target_, false));
      } else {
        answers.push_back(
            {probe, got->from, TraceClock::time_point(got->at.time_since_epoch()), true, true});
      }
    }
    look();
    return answers;
  }

 private:
  IpAddress target_;
};

class UdpProber final : public SocketProber<UdpSocket> {
 public:
  UdpProber(Host& host, const IpAddress& target, Port first)
      : SocketProber(host, open(host)), target_(target), first_(first) {}

  IoResult<void> send(std::size_t probe, std::uint8_t hop_limit) override {
    UdpSendOptions options;
    options.hop_limit = hop_limit;
    const std::array<std::byte, 32> data{};
    const auto sent = socket_.send_to(data, {target_, port_of(probe)}, options);
    if (!sent) return std::unexpected(sent.error());
    return {};
  }
  std::vector<ProbeAnswer> collect() override {
    std::vector<ProbeAnswer> answers;
    while (const std::optional<IcmpErrorReport> report = socket_.take_error_report()) {
      answers.push_back(answer_of(probe_of(report->destination.port), *report, target_, true));
    }
    std::array<std::byte, 64> data{};
    while (const IoResult<UdpReceived> got = socket_.receive_from(data)) {  // somebody listens
      answers.push_back(
          {probe_of(got->source.port), got->source.address, TraceClock::now(), true, true});
    }
    look();
    return answers;
  }

 private:
  static UdpSocket open(Host& host) {
    UdpSettings settings;
    settings.error_reports = true;
    return or_throw(UdpSocket::open(host, settings));
  }
  Port port_of(std::size_t probe) const {
    return Port{static_cast<std::uint16_t>(to_number(first_) + probe)};
  }
  std::size_t probe_of(Port port) const {
    return static_cast<std::size_t>(to_number(port)) - to_number(first_);
  }

  IpAddress target_;
  Port first_;
};

/// Each probe is a connection of its own, which is reset when it has told what it can.
class TcpProber final : public Prober {
 public:
  TcpProber(Host& host, const IpAddress& target, Port port)
      : host_(host), poller_(host), remote_{target, port} {}

  IoResult<void> send(std::size_t probe, std::uint8_t hop_limit) override {
    ConnectOptions options;
    options.settings = TcpSettings{};
    options.settings->hop_limit = hop_limit;
    IoResult<TcpStream> stream = TcpStream::start_connect(host_, remote_, options);
    if (!stream) return std::unexpected(stream.error());
    const auto [place, added] = open_.insert_or_assign(probe, std::move(*stream));
    (void)poller_.add(place->second, Ready::writable, probe);
    return {};
  }
  std::vector<ProbeAnswer> collect() override {
    std::vector<ProbeAnswer> answers;
    std::array<PollEvent, 16> events;
    const IoResult<std::size_t> count = poller_.wait(events, Deadline::at_once());
    for (std::size_t i = 0; count && i < *count; ++i) {
      const auto found = open_.find(static_cast<std::size_t>(events[i].key));
      if (found == open_.end()) continue;
      // A SYN-ACK, or a reset: it is there in both cases.
      const std::error_code error = found->second.take_error();
      if (!error || error == make_error_code(Error::connection_refused)) {
        answers.push_back({found->first, remote_.address, TraceClock::now(), true, true});
        found->second.abort();
        open_.erase(found);
      }
    }
    for (auto place = open_.begin(); place != open_.end();) {
      const std::optional<IcmpErrorReport> report = place->second.error_report();
      if (!report) {
        ++place;
        continue;
      }
      answers.push_back(answer_of(place->first, *report, remote_.address, false));
      place->second.abort();
      place = open_.erase(place);
    }
    return answers;
  }
  int descriptor() override { return poller_.descriptor(); }
  Duration longest_wait() const override { return std::chrono::milliseconds(10); }

 private:
  Host& host_;
  Poller poller_;
  Endpoint remote_;
  std::map<std::size_t, TcpStream> open_;
};

}  // namespace

std::unique_ptr<Prober> make_echo_prober(Host& host, const IpAddress& target) {
  return std::make_unique<EchoProber>(host, target);
}

std::unique_ptr<Prober> make_udp_prober(Host& host, const IpAddress& target, Port first) {
  return std::make_unique<UdpProber>(host, target, first);
}

std::unique_ptr<Prober> make_tcp_prober(Host& host, const IpAddress& target, Port port) {
  return std::make_unique<TcpProber>(host, target, port);
}

}  // namespace hawser::cli
