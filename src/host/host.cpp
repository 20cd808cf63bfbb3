#include "hawser/host.hpp"

#include <utility>

#include "host/engine.hpp"

namespace hawser {

namespace {

std::vector<std::unique_ptr<Device>> list_of(std::unique_ptr<Device> device) {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::move(device));
  return devices;
}

}  // namespace

Host::Host(HostConfig config, std::unique_ptr<Device> device)
    : Host(std::move(config), list_of(std::move(device))) {}

Host::Host(HostConfig config, std::vector<std::unique_ptr<Device>> devices) {
  const bool start_thread = config.start_thread;
  engine_ = std::make_shared<host::Engine>(std::move(config), std::move(devices));
  if (start_thread) engine_->start();
}

Host::Host(Host&& other) noexcept = default;

Host& Host::operator=(Host&& other) noexcept {
  std::swap(engine_, other.engine_);
  return *this;
}

Host::~Host() {
  if (engine_) engine_->stop();
}

void Host::stop() { engine_->stop(); }

bool Host::drain(Deadline deadline) {
  host::Engine::Lock lock = engine_->lock();
  return !engine_->stopped() &&
         engine_->wait_until_quiet(lock, Instant(deadline.at().time_since_epoch()));
}

std::optional<DeviceError> Host::device_failure() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->device_failure();
}

StackCounters Host::stack_counters() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->stack_counters();
}

std::vector<AddressInfo> Host::addresses() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->stopped() ? std::vector<AddressInfo>{} : engine_->stack().addresses();
}

std::vector<RouteInfo> Host::routes() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->stopped() ? std::vector<RouteInfo>{} : engine_->stack().routes();
}

std::vector<LeaseInfo> Host::leases() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->stopped() ? std::vector<LeaseInfo>{} : engine_->stack().leases();
}

std::vector<Endpoint> Host::dns_servers() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->stopped() ? std::vector<Endpoint>{} : engine_->stack().dns_servers();
}

std::vector<std::string> Host::search_domains() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->stopped() ? std::vector<std::string>{} : engine_->stack().search_domains();
}

StackCensus Host::census() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->census();
}

HostCounters Host::counters() const {
  const host::Engine::Lock lock = engine_->lock();
  return engine_->counters();
}

int Host::descriptor() const { return engine_->descriptor(); }

void Host::turn() { engine_->turn(); }

}  // namespace hawser
