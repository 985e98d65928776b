#include "apps/cli/device.h"

#include "runs/report.h"

namespace deepfreq {

OpenedBackend open_backend_telling(const std::string& device, Precision precision) {
    OpenedBackend opened = open_backend(device, precision);
    report("device: {} ({})", opened.backend->description(), opened.reason);
    return opened;
}

}  // namespace deepfreq
