// The inside of a Poller: which sockets it watches, and which of them may be ready.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>

#include "hawser/poller.hpp"
#include "host/wake_up.hpp"
#include "sockets/socket.hpp"

namespace hawser::sockets {

/// All calls take the engine's mutex themselves, unless they say otherwise.
///
/// A socket is in one of two lists. What the stack tells moves it to `ready_`; there it stays until
/// a wait finds that nothing is possible any more, which makes a poller level-triggered at the cost
/// of the ready ones alone.
class PollSet final : private host::Watch {
 public:
  explicit PollSet(std::shared_ptr<host::Engine> engine);
  ~PollSet();
  PollSet(const PollSet&) = delete;
  PollSet& operator=(const PollSet&) = delete;

  IoResult<void> add(Socket& socket, Ready interest, std::uint64_t key);
  IoResult<void> modify(Socket& socket, Ready interest);
  void remove(Socket& socket);
  IoResult<std::size_t> wait(std::span<PollEvent> events, Deadline deadline);
  int descriptor();

 private:
  struct Item final : host::Watch {
    Item(PollSet& owner, Socket& watched, Ready wanted, std::uint64_t its_key)
        : set(owner), socket(watched), interest(wanted), key(its_key) {}
    void on_ready() override { set.mark(*this); }
    void on_gone() override { set.erase(*this); }

    PollSet& set;
    Socket& socket;
    Ready interest;
    std::uint64_t key;
    bool marked = false;
    std::list<Item>::iterator self{};
  };

  // All under the mutex.
  void on_ready() override {}
  void on_gone() override { show_on_descriptor(); }
  void mark(Item& item);
  void erase(Item& item);
  Item* find(Socket& socket);
  std::size_t collect(std::span<PollEvent> events);
  void show_on_descriptor();

  std::shared_ptr<host::Engine> engine_;
  host::SocketEntry group_;  ///< where `wait` sleeps
  std::list<Item> idle_;
  std::list<Item> ready_;
  std::optional<host::WakeUp> wake_up_;
  bool signalled_ = false;
};

}  // namespace hawser::sockets
