// A small name server on a host of ours, in threads of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ranges>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hawser/host.hpp"
#include "hawser/tcp_listener.hpp"
#include "hawser/udp_socket.hpp"

namespace hawser::testing {

/// Answers for the names it knows, and with `otherwise` for others: that there is no such name.
class DnsServer {
 public:
  struct Record {
    std::vector<IpAddress> addresses{};
    std::string host{};      ///< of the name of an address, as in 1.2.0.192.in-addr.arpa
    bool truncated = false;  ///< over UDP: the answer is to be fetched over TCP
    int lost = 0;            ///< so many questions are not answered first
  };

  static constexpr std::uint8_t kNoSuchName = 3;
  static constexpr std::uint8_t kRefused = 5;

  DnsServer(Host& host, std::map<std::string, Record> records, std::uint8_t otherwise = kNoSuchName)
      : records_(std::move(records)),
        otherwise_(otherwise),
        socket_(UdpSocket::bind(host, {IpAddress{}, Port{53}}).value()),
        listener_(TcpListener::listen(host, {IpAddress{}, Port{53}}).value()),
        udp_([this] { serve_udp(); }),
        tcp_([this] { serve_tcp(); }) {}
  ~DnsServer() {
    socket_.close();
    listener_.close();
    udp_.join();
    tcp_.join();
  }

  int udp_questions() const { return udp_questions_; }
  int tcp_questions() const { return tcp_questions_; }

 private:
  using Bytes = std::vector<std::uint8_t>;
  static constexpr std::uint16_t kA = 1;
  static constexpr std::uint16_t kPtr = 12;
  static constexpr std::uint16_t kAaaa = 28;

  void serve_udp() {
    std::array<std::byte, 4096> data{};
    for (;;) {
      const auto got = socket_.receive_from(data);
      if (!got) return;
      ++udp_questions_;
      const Bytes answer = answer_to(as_bytes(data.data(), got->size), true);
      if (!answer.empty()) (void)socket_.send_to(std::as_bytes(std::span(answer)), got->source);
    }
  }
  void serve_tcp() {
    for (;;) {
      auto stream = listener_.accept();
      if (!stream) return;
      std::array<std::byte, 2> length{};
      while (stream->receive_all(length).value_or(0) == 2) {
        std::vector<std::byte> question(std::to_integer<std::size_t>(length[0]) << 8U |
                                        std::to_integer<std::size_t>(length[1]));
        if (stream->receive_all(question).value_or(0) != question.size()) break;
        ++tcp_questions_;
        Bytes answer = answer_to(as_bytes(question.data(), question.size()), false);
        const auto size = static_cast<std::uint16_t>(answer.size());
        answer.insert(answer.begin(),
                      {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)});
        (void)stream->send_all(std::as_bytes(std::span(answer)));
      }
    }
  }

  static Bytes as_bytes(const std::byte* data, std::size_t size) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(data);
    return {begin, begin + size};
  }

  /// Empty: none is given.
  Bytes answer_to(const Bytes& question, bool over_udp) {
    std::string name;
    std::size_t at = 12;
    while (at < question.size() && question[at] != 0) {
      if (!name.empty()) name += '.';
      name.append(question.begin() + static_cast<std::ptrdiff_t>(at + 1),
                  question.begin() + static_cast<std::ptrdiff_t>(at + 1 + question[at]));
      at += question[at] + std::size_t{1};
    }
    const auto type = static_cast<std::uint16_t>(question.at(at + 1) << 8U | question.at(at + 2));
    const auto found = records_.find(name);
    if (found != records_.end() && found->second.lost-- > 0) return {};

    Bytes answer(question.begin(), question.begin() + static_cast<std::ptrdiff_t>(at + 5));
    const bool cut = found != records_.end() && found->second.truncated && over_udp;
    answer[2] = static_cast<std::uint8_t>(0x81U | (cut ? 0x02U : 0U));
    answer[3] = 0x80U | (found == records_.end() ? otherwise_ : 0U);
    std::fill(answer.begin() + 6, answer.begin() + 12, std::uint8_t{0});
    if (found == records_.end() || cut) return answer;
    for (const IpAddress& address : found->second.addresses) {
      if ((type == kA) != address.is_v4() || (type != kA && type != kAaaa)) continue;
      const std::uint8_t size = address.is_v4() ? 4 : 16;
      add_record(answer, type, {address.bytes().end() - size, address.bytes().end()});
    }
    if (type == kPtr && !found->second.host.empty()) {
      add_record(answer, type, as_labels(found->second.host));
    }
    return answer;
  }
  static void add_record(Bytes& answer, std::uint16_t type, const Bytes& data) {
    const auto size = static_cast<std::uint8_t>(data.size());
    const Bytes head = {0xc0, 12, 0, static_cast<std::uint8_t>(type), 0, 1, 0, 0, 0, 60, 0, size};
    answer.insert(answer.end(), head.begin(), head.end());
    answer.insert(answer.end(), data.begin(), data.end());
    ++answer[7];
  }
  static Bytes as_labels(const std::string& name) {
    Bytes labels;
    for (const auto label : std::views::split(name, '.')) {
      labels.push_back(static_cast<std::uint8_t>(std::ranges::distance(label)));
      labels.insert(labels.end(), label.begin(), label.end());
    }
    labels.push_back(0);
    return labels;
  }

  std::map<std::string, Record> records_;
  std::uint8_t otherwise_;
  std::atomic<int> udp_questions_ = 0;
  std::atomic<int> tcp_questions_ = 0;
  UdpSocket socket_;
  TcpListener listener_;
  std::thread udp_;
  std::thread tcp_;
};

}  // namespace hawser::testing
