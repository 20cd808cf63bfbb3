// SIGINT and SIGTERM as something to wait for.
#pragma once

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "host/wake_up.hpp"

namespace hawser::cli {

/// Holds back both signals in this thread, and in threads that it starts from now on.
class StopSignals {
 public:
  StopSignals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    descriptor_ =
        host::Descriptor::check(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  }

  /// Polls readable when one of them has come.
  int descriptor() const { return descriptor_.get(); }
  bool has_come() const {
    pollfd one{descriptor_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
  }
  /// Takes one that has come; zero when there is none.
  int take() {
    signalfd_siginfo come{};
    const bool got = ::read(descriptor_.get(), &come, sizeof come) == sizeof come;
    return got ? static_cast<int>(come.ssi_signo) : 0;
  }
  /// Those that have come are done with; from now on they end the process.
  void release() {
    while (take() != 0) continue;
    ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_{};
  host::Descriptor descriptor_;
};

}  // namespace hawser::cli
