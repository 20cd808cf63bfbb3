// The round-trip time and what follows from it: the retransmission timeout (RFC 6298), with the
// weights of RFC 7323 appendix G when several samples are taken in one round trip.
#pragma once

#include <cstdint>
#include <optional>

#include "hawser/tcp.hpp"
#include "hawser/time.hpp"

namespace hawser::tcp {

class RttEstimator {
 public:
  /// Takes in a measurement of a segment that was sent once (Karn's rule is the caller's), and ends
  /// the back-off, since the timeout is computed anew (RFC6298-2.2, RFC6298-2.3). Out of range it
  /// is brought to between 1 microsecond and 2 minutes. `expected_samples` is how many samples a
  /// round trip gives (RFC 7323 G: FlightSize / (2 * SMSS), rounded up).
  void on_sample(Duration rtt, const TcpConfig& config, std::uint32_t expected_samples = 1);
  /// The retransmission timer has expired: the timeout doubles (RFC6298-5.5, RFC9293-MUST-19).
  void on_timeout();
  /// Ends the back-off.
  void reset_backoff() { backoff_ = 0; }
  /// Successive timeouts.
  std::uint32_t backoff() const { return backoff_; }

  /// The timeout now: with back-off, not below min_rto, not above max_rto (RFC6298-2.4,
  /// RFC6298-2.5); initial_rto before the first sample (RFC6298-2.1).
  Duration rto(const TcpConfig& config) const;
  /// The smoothed round-trip time; unset before the first sample.
  std::optional<Duration> srtt() const;
  Duration rttvar() const;
  /// The timer of the SYN has expired: until there is a sample, the timeout is at least 3 seconds
  /// (RFC6298-5.7).
  void assume_syn_loss() { syn_lost_ = true; }

 private:
  std::uint32_t srtt_ = 0;    ///< in 1/32 microseconds; 0: no sample yet
  std::uint32_t rttvar_ = 0;  ///< in 1/32 microseconds
  std::uint8_t backoff_ : 7 = 0;
  bool syn_lost_ : 1 = false;
};

static_assert(sizeof(RttEstimator) <= 16);

}  // namespace hawser::tcp
