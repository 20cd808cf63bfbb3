#include "tcp/congestion/congestion.hpp"

#include "tcp/congestion/bbr.hpp"
#include "tcp/congestion/cubic.hpp"
#include "tcp/congestion/new_reno.hpp"

namespace hawser::tcp {

namespace {

constexpr CongestionAlgorithm kReno = congestion_algorithm<NewReno>("reno");
constexpr CongestionAlgorithm kCubic = congestion_algorithm<Cubic>("cubic");
constexpr CongestionAlgorithm kBbr = congestion_algorithm<Bbr>("bbr");

/// RFC9293-MAY-18: others than that of RFC 5681.
constexpr std::array kOurs = {&kReno, &kCubic, &kBbr};

}  // namespace

const CongestionAlgorithm* find_congestion(const TcpConfig& config, std::string_view name) {
  for (const CongestionAlgorithm* theirs : config.congestion_algorithms) {
    if (theirs->name == name) return theirs;
  }
  for (const CongestionAlgorithm* ours : kOurs) {
    if (ours->name == name) return ours;
  }
  return nullptr;
}

}  // namespace hawser::tcp
