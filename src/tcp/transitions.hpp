// Which state may follow which: the diagram of RFC 9293 3.3.2 as data, asserted as it runs.
#pragma once

#include <array>
#include <string_view>

#include "hawser/tcp.hpp"

namespace hawser::tcp {

struct Transition {
  TcpState from;
  TcpState to;
  std::string_view because;
};

inline constexpr std::array kTransitions = {
    Transition{TcpState::closed, TcpState::listen, "passive OPEN"},
    Transition{TcpState::closed, TcpState::syn_sent, "active OPEN, send SYN"},
    Transition{TcpState::listen, TcpState::syn_received, "receive SYN, send SYN-ACK"},
    Transition{TcpState::listen, TcpState::closed, "CLOSE"},
    Transition{TcpState::syn_sent, TcpState::syn_received, "receive SYN, send SYN-ACK"},
    Transition{TcpState::syn_sent, TcpState::established, "receive SYN-ACK, send ACK"},
    Transition{TcpState::syn_sent, TcpState::closed, "CLOSE, refused or timed out"},
    Transition{TcpState::syn_received, TcpState::established, "receive ACK of SYN"},
    Transition{TcpState::syn_received, TcpState::fin_wait_1, "CLOSE, send FIN"},
    Transition{TcpState::syn_received, TcpState::listen, "receive RST, passive"},
    Transition{TcpState::syn_received, TcpState::closed, "reset or timed out"},
    Transition{TcpState::established, TcpState::fin_wait_1, "CLOSE, send FIN"},
    Transition{TcpState::established, TcpState::close_wait, "receive FIN, send ACK"},
    Transition{TcpState::established, TcpState::closed, "reset, ABORT or timed out"},
    Transition{TcpState::fin_wait_1, TcpState::fin_wait_2, "receive ACK of FIN"},
    Transition{TcpState::fin_wait_1, TcpState::closing, "receive FIN, send ACK"},
    Transition{TcpState::fin_wait_1, TcpState::time_wait, "receive FIN and ACK of FIN, send ACK"},
    Transition{TcpState::fin_wait_1, TcpState::closed, "reset, ABORT or timed out"},
    Transition{TcpState::fin_wait_2, TcpState::time_wait, "receive FIN, send ACK"},
    Transition{TcpState::fin_wait_2, TcpState::closed, "reset, ABORT or timed out"},
    Transition{TcpState::close_wait, TcpState::last_ack, "CLOSE, send FIN"},
    Transition{TcpState::close_wait, TcpState::closed, "reset, ABORT or timed out"},
    Transition{TcpState::closing, TcpState::time_wait, "receive ACK of FIN"},
    Transition{TcpState::closing, TcpState::closed, "reset, ABORT or timed out"},
    Transition{TcpState::last_ack, TcpState::closed, "receive ACK of FIN"},
    Transition{TcpState::time_wait, TcpState::closed, "2 MSL have passed"},
};

constexpr bool is_legal(TcpState from, TcpState to) {
  for (const Transition& transition : kTransitions) {
    if (transition.from == from && transition.to == to) return true;
  }
  return false;
}

}  // namespace hawser::tcp
