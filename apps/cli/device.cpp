#include "apps/cli/device.h"

#include <spdlog/spdlog.h>

namespace deepfreq {

OpenedBackend open_backend_telling(const std::string& device, Precision precision) {
    OpenedBackend opened = open_backend(device, precision);
    spdlog::info("device: {} ({})", opened.backend->description(), opened.reason);
    return opened;
}

}  // namespace deepfreq
