// lwIP as Debian builds it, as a contender. lwIP has one stack in a process, so both ends live in
// it, behind two interfaces whose outputs are each other's inputs. Its raw API is called by the
// one thread there is; neither its TCP/IP thread nor its sockets are used.
#pragma once

#include <memory>
#include <string>

#include "pair.hpp"

namespace hawser::bench {

class LwipPair final : public Pair {
 public:
  LwipPair();
  ~LwipPair() override;

  void open(std::size_t connections) override;
  Footprint footprint(std::size_t connections) override;
  void transfer(std::uint64_t bytes) override;
  void request_response(std::size_t index) override;
  void connect_cycle() override;
  void idle_second() override;
  void set_check(Check check) override;

  /// Whether payload is copied into lwIP's buffers and out of them, as at first, or is sent from
  /// where it lies and looked at where it arrived, as its raw API allows.
  void set_copying(bool copying);

  /// Version, segment size and windows of the library, for the reader of a table.
  static std::string facts();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser::bench
