// A host as commands run it: with a control socket by which others can ask what it knows.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "hawser/control.hpp"
#include "hawser/host.hpp"

namespace hawser::cli {

class RunningHost {
 public:
  /// Without a control socket it runs as well.
  RunningHost(std::unique_ptr<Host> host, std::optional<ControlSocket> control,
              std::vector<IpAddress> name_servers)
      : host_(std::move(host)),
        control_(std::move(control)),
        name_servers_(std::move(name_servers)) {}

  Host& operator*() const { return *host_; }
  Host* operator->() const { return host_.get(); }
  /// Whom to ask for names; none: as hawser::resolve chooses.
  const std::vector<IpAddress>& name_servers() const { return name_servers_; }

 private:
  std::unique_ptr<Host> host_;
  std::optional<ControlSocket> control_;
  std::vector<IpAddress> name_servers_;
};

}  // namespace hawser::cli
