// The table of the neighbours: entries by their addresses, and which of them goes when there is no
// room.
#include <bit>
#include <utility>

#include "ip/neighbours.hpp"

namespace hawser::ip {

namespace {

constexpr std::size_t kBuckets = 512;
/// Entries that are looked at to find one to drive out.
constexpr int kLooks = 16;

}  // namespace

/// Multilinear with secret keys, so that nobody chooses addresses that fall into one bucket.
std::size_t Neighbours::bucket_of(InterfaceId interface, const IpAddress& address) const {
  const auto words = std::bit_cast<std::array<std::uint32_t, 4>>(address);
  std::uint64_t sum = hash_keys_[5] + hash_keys_[4] * static_cast<std::uint64_t>(interface);
  for (std::size_t i = 0; i < words.size(); ++i) sum += hash_keys_[i] * words[i];
  return static_cast<std::size_t>(sum >> 32) % kBuckets;
}

std::uint32_t Neighbours::find(InterfaceId interface, const IpAddress& address) const {
  if (buckets_.empty()) return kNone;
  std::uint32_t index = buckets_[bucket_of(interface, address)];
  while (index != kNone &&
         (entries_[index].address != address || entries_[index].interface != interface)) {
    index = entries_[index].next_in_bucket;
  }
  return index;
}

/// There must be room for it, and no such entry yet.
std::uint32_t Neighbours::add(Instant now, InterfaceId interface, const IpAddress& address,
                              Part part) {
  if (buckets_.empty()) buckets_.assign(kBuckets, kNone);
  const std::uint32_t index = entries_.emplace();
  Entry& entry = entries_[index];
  entry.address = address;
  entry.interface = interface;
  entry.part = part;
  entry.since = entry.last_used = entry.listed_at = now;
  std::uint32_t& bucket = buckets_[bucket_of(interface, address)];
  entry.next_in_bucket = std::exchange(bucket, index);
  list_of(part).push_back(index, LinksOf{&entries_});
  ++size_of(part);
  return index;
}

void Neighbours::erase(std::uint32_t index) {
  const Entry& entry = entries_[index];
  std::uint32_t* link = &buckets_[bucket_of(entry.interface, entry.address)];
  while (*link != index) link = &entries_[*link].next_in_bucket;
  *link = entry.next_in_bucket;
  list_of(entry.part).remove(index, LinksOf{&entries_});
  --size_of(entry.part);
  timers_.disarm(index);
  entries_.erase(index);
}

void Neighbours::move_to(Instant now, std::uint32_t index, Part part) {
  Entry& entry = entries_[index];
  list_of(entry.part).remove(index, LinksOf{&entries_});
  --size_of(entry.part);
  entry.part = part;
  entry.listed_at = now;
  list_of(part).push_back(index, LinksOf{&entries_});
  ++size_of(part);
}

/// Entries that others caused make room for each other alone; those that we ask for may also take
/// the place of one that was not used for long, a reachable one last of all.
bool Neighbours::make_room(Instant now, Part part) {
  const bool full = entries_.size() >= kMaxEntries;
  if (part == Part::heard) {
    if (!full && size_of(part) < kMaxHeard) return true;
    if (list_of(part).empty()) return false;
    evict(list_of(part).front());
    return true;
  }
  if (size_of(Part::incomplete) >= kMaxIncomplete) {
    evict(list_of(Part::incomplete).front());
  } else if (full) {
    evict(list_of(Part::heard).empty() ? least_recently_used(now) : list_of(Part::heard).front());
  }
  return true;
}

std::uint32_t Neighbours::least_recently_used(Instant now) {
  SlotList& used = list_of(Part::used);
  if (used.empty()) return list_of(Part::incomplete).front();
  for (int look = 0; look < kLooks; ++look) {
    const std::uint32_t index = used.front();
    Entry& entry = entries_[index];
    const bool in_use = entry.last_used > entry.listed_at;
    if (!in_use && state_at(entry, now) == NeighbourState::stale) return index;
    move_to(entry.last_used, index, Part::used);  // a second chance
  }
  return used.front();
}

/// What waits for it is dropped, but nobody is told that it is unreachable: that is not known.
void Neighbours::evict(std::uint32_t index) {
  give_up_held(entries_[index], DropReason::neighbour_queue_full);
  erase(index);
}

}  // namespace hawser::ip
