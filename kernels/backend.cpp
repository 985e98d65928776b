#include "kernels/backend.h"

#include <utility>

#include "common/error.h"

namespace deepfreq {

std::unique_ptr<Graph> Backend::capture(std::function<void()> work) {
    if (!work) throw InputError("capture: no work given, a function expected");
    return capture_work(std::move(work));
}

}  // namespace deepfreq
