#include "hawser/device.hpp"

namespace hawser {

Device::~Device() = default;

}  // namespace hawser
