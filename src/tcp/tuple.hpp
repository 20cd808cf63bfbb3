// What names a connection: both ends (RFC 9293 3.3.1).
#pragma once

#include "hawser/address.hpp"

namespace hawser::tcp {

struct Tuple {
  Endpoint local;
  Endpoint remote;
  friend bool operator==(const Tuple&, const Tuple&) = default;
};

}  // namespace hawser::tcp
