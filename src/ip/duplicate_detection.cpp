#include "ip/duplicate_detection.hpp"

#include <algorithm>

namespace hawser::ip {

namespace {

constexpr unsigned kSolicitations = 1;  // RFC 4862 5.1: DupAddrDetectTransmits

}  // namespace

void DuplicateDetection::start(Instant now, InterfaceId interface, const IpAddress& address,
                               bool delay) {
  if (is_asking(interface, address)) return;
  Question question{.interface = interface,
                    .address = address,
                    .left = address.is_v4() ? kArpProbes : kSolicitations,
                    .deadline = now};
  if (delay) question.deadline += between(Duration::zero(), kMaxDelay);
  const std::uint64_t nonce = random_.next();
  for (std::size_t i = 0; i < question.nonce.size(); ++i) {
    question.nonce[i] = static_cast<std::uint8_t>(nonce >> (8 * i));
  }
  questions_.push_back(question);
}

void DuplicateDetection::stop(InterfaceId interface, const IpAddress& address) {
  std::erase_if(questions_, [&](const Question& question) {
    return question.interface == interface && question.address == address;
  });
}

bool DuplicateDetection::is_asking(InterfaceId interface, const IpAddress& address) const {
  return std::ranges::any_of(questions_, [&](const Question& question) {
    return question.interface == interface && question.address == address;
  });
}

void DuplicateDetection::set_retrans_timer(InterfaceId interface, Duration timer) {
  const auto place = static_cast<std::size_t>(interface);
  if (retrans_timers_.size() <= place) retrans_timers_.resize(place + 1, kRetransTimer);
  // An hour of waiting would only serve who wants us to have no address.
  retrans_timers_[place] =
      std::clamp<Duration>(timer, std::chrono::milliseconds(100), std::chrono::seconds(10));
}

Duration DuplicateDetection::retrans_timer(InterfaceId interface) const {
  const auto place = static_cast<std::size_t>(interface);
  return place < retrans_timers_.size() ? retrans_timers_[place] : kRetransTimer;
}

void DuplicateDetection::on_claim(InterfaceId interface, const IpAddress& address) {
  if (!is_asking(interface, address)) return;
  stop(interface, address);
  outputs_.emplace_back(AddressVerdict{interface, address, true});
}

void DuplicateDetection::on_probe(InterfaceId interface, const IpAddress& address,
                                  const std::optional<wire::Nonce>& nonce) {
  // RFC7527-4.2: the network gave our own question back to us.
  const bool ours = nonce && std::ranges::any_of(questions_, [&](const Question& question) {
                      return question.nonce == *nonce;
                    });
  if (!ours) on_claim(interface, address);
}

void DuplicateDetection::on_time(Instant now) {
  for (Question& question : questions_) {
    if (question.deadline > now) continue;
    if (question.left == 0) {
      outputs_.emplace_back(AddressVerdict{question.interface, question.address, false});
      continue;
    }
    --question.left;
    outputs_.emplace_back(ProbeAddress{question.interface, question.address, question.nonce});
    if (!question.address.is_v4()) {
      question.deadline = now + retrans_timer(question.interface);
    } else if (question.left > 0) {
      question.deadline = now + between(kArpProbeMin, kArpProbeMax);
    } else {
      question.deadline = now + kArpAnnounceWait;
    }
  }
  std::erase_if(questions_, [&](const Question& question) { return question.deadline <= now; });
}

Instant DuplicateDetection::next_deadline() const {
  Instant next = kNever;
  for (const Question& question : questions_) next = std::min(next, question.deadline);
  return next;
}

std::optional<DuplicateDetection::Output> DuplicateDetection::poll_output() {
  if (outputs_.empty()) return std::nullopt;
  const Output output = outputs_.front();
  outputs_.pop_front();
  return output;
}

Duration DuplicateDetection::between(Duration least, Duration most) {
  return least + Duration(static_cast<Duration::rep>(
                     random_.below(static_cast<std::uint64_t>((most - least).count()) + 1)));
}

}  // namespace hawser::ip
