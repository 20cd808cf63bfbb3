// A network in virtual time: stacks, links that misbehave as told, one clock, one seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "hawser/buffer.hpp"
#include "hawser/event.hpp"
#include "hawser/frame_fate.hpp"
#include "hawser/impairment.hpp"
#include "hawser/packet.hpp"
#include "hawser/stack.hpp"
#include "hawser/time.hpp"

namespace hawser {

enum class StackId : std::uint32_t {};
enum class LinkId : std::uint32_t {};
enum class SwitchId : std::uint32_t {};

/// Where a link ends.
struct Attachment {
  StackId stack{};
  InterfaceId interface{};
};

/// A switch of an Ethernet, which learns who is behind which port (IEEE 802.1D).
struct SwitchConfig {
  /// Addresses that it knows at most; a new one displaces the one unheard for longest.
  std::size_t table = 1024;
  /// An address is forgotten when nothing was heard of it for so long.
  Duration ageing = std::chrono::minutes(5);
};

/// What became of the frames that came to a switch.
struct SwitchCounters {
  std::uint64_t frames = 0;
  std::uint64_t forwarded = 0;  ///< to the one port behind which their host is
  std::uint64_t flooded = 0;    ///< to all other ports: to a group, or to an address not known
  std::uint64_t filtered = 0;   ///< their host is where they came from, or they are for switches
  std::uint64_t malformed = 0;  ///< shorter than a header
  std::uint64_t moved = 0;      ///< addresses that were heard behind another port than before
  std::uint64_t displaced = 0;  ///< addresses that the full table had to give up
};

/// Which way across a link, whose ends are a and b in the order given to World::connect.
enum class Direction : std::uint8_t { a_to_b, b_to_a };

/// A frame at one end of a link.
struct FrameSighting {
  enum class Where : std::uint8_t {
    sent,     ///< it left a stack or a switch; the verdict says what becomes of it
    arrived,  ///< it is about to enter a stack or a switch
  };
  Where where{};
  Instant at;
  LinkId link{};
  Direction direction{};
  FrameVerdict verdict;    ///< of a frame that arrived only the serial and the time are set
  bool duplicate = false;  ///< arrived a second time
  const Packet& frame;     ///< as it was sent, or as it arrived
};

/// Any number of stacks on links with impairments in both directions, from interface to interface
/// or to the ports of switches.
///
/// Whoever builds the same world from the same seed and makes the same calls at the same times sees
/// the same bytes in the same order. At one instant, scheduled calls come first, then frames that
/// arrive (in the order of links), then timers (in the order of stacks); what the stacks put out
/// then is taken in the order of stacks. One thread at a time. Handlers run inside `step` and
/// `settle`; they may call stacks, schedule and change impairments, but must not step nor add
/// stacks or links.
///
/// A step looks at every stack and every link once: worlds are for hosts by the hundred, with
/// connections by the hundred thousand.
class World {
 public:
  using ReadyHandler = std::function<void(SocketHandle, Ready)>;
  using EventHandler = std::function<void(const Event&)>;
  using FrameTap = std::function<void(const FrameSighting&)>;
  using Call = std::function<void()>;

  /// `pool_limit` bounds the bytes that all stacks and links hold together.
  explicit World(std::uint64_t seed, std::size_t pool_limit = std::size_t{1} << 30);
  ~World();
  World(World&&) noexcept;
  World& operator=(World&&) noexcept;

  // ---- what there is

  /// Adds a host. Its seed is drawn from that of the world; `config.seed` is not looked at.
  StackId add_stack(StackConfig config);
  /// Joins two interfaces, each of which has no link yet. Frames that leave an interface without a
  /// link vanish.
  LinkId connect(Attachment a, Attachment b, const Impairment& a_to_b, const Impairment& b_to_a);
  LinkId connect(Attachment a, Attachment b, const Impairment& both = {});

  /// Adds a switch without ports. It takes no time: what comes in leaves at the same instant.
  SwitchId add_switch(const SwitchConfig& config = {});
  /// Joins an interface, which has a `mac`, to a new port of a switch.
  LinkId connect(Attachment a, SwitchId b, const Impairment& a_to_b, const Impairment& b_to_a);
  LinkId connect(Attachment a, SwitchId b, const Impairment& both = {});
  /// Joins two switches by a new port of each. Switches and their links must make no loop: a frame
  /// would go round it for ever.
  LinkId connect(SwitchId a, SwitchId b, const Impairment& both = {});
  const SwitchCounters& counters(SwitchId id) const;
  /// Addresses that it knows now.
  std::size_t known_addresses(SwitchId id) const;

  /// To call at `now()`. What the calls cause is taken out by the next step.
  Stack& stack(StackId id);
  const Stack& stack(StackId id) const;
  /// Shared by all stacks and links.
  BufferPool& pool();

  const Impairment& impairment(LinkId link, Direction direction) const;
  /// For frames that enter from now on.
  void set_impairment(LinkId link, Direction direction, const Impairment& impairment);
  /// Cuts or heals both directions; nothing else of the impairments changes.
  void set_partitioned(LinkId link, bool partitioned);
  const PathCounters& counters(LinkId link, Direction direction) const;
  /// Frames on their way, on all links.
  std::size_t in_flight() const;

  // ---- who watches

  /// Called for each readiness of the stack; without a handler it is taken and forgotten.
  void on_ready(StackId id, ReadyHandler handler);
  /// Called for each event of the stack, in their order, before the frames that they caused are
  /// shown to the tap. Without a handler the stack makes no events.
  void on_event(StackId id, EventHandler handler);
  /// Called for each frame on every link.
  void on_frame(FrameTap tap);
  /// Calls `call` at `when` (now, if that has passed); of those for one instant the first comes
  /// first.
  void schedule(Instant when, Call call);

  // ---- time

  Instant now() const;
  /// When something happens next; kNever when only a call can change anything.
  Instant next_deadline();
  /// Goes to the next instant at which something happens and lets it happen. False when nothing
  /// ever will.
  bool step();
  /// Steps until `when`, which is then the time.
  void run_until(Instant when);
  void run_for(Duration span);
  /// Takes out what the calls since the last step caused, at the present instant.
  void settle();

  /// Steps made. A world in which this grows while the time stands still goes round in circles.
  std::uint64_t steps() const;
  /// How often a stack, told the time, still had a deadline that was not in the future: a fault of
  /// the stack.
  std::uint64_t stuck_deadlines() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser
