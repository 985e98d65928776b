#include "tests/backends.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "kernels/cuda/cuda_kernels.h"

namespace deepfreq::tests {
namespace {

std::vector<Backend>& opened() {
    static std::vector<Backend> backends;
    return backends;
}

void open_all(std::vector<Backend>& backends) {
    const char* const asked_for = std::getenv("DEEPFREQ_TEST_PRECISION");
    const Precision precision = asked_for == nullptr ? Precision::Float32 : parse_precision(asked_for);
    backends.push_back({"cpu", open_kernels("cpu").kernels});
    const std::string missing = cuda_unavailable();
    if (missing.empty())
        backends.push_back({"cuda", open_kernels("cuda", precision).kernels});
    else
        MESSAGE("cuda: skipped: " << missing);
}

}  // namespace

const std::vector<Backend>& backends_present() {
    if (opened().empty()) open_all(opened());
    return opened();
}

void for_each_backend(const std::function<void(Kernels&)>& check) {
    for (const Backend& backend : backends_present()) {
        INFO("backend: " << backend.name);
        check(*backend.kernels);
    }
}

void close_backends() {
    opened().clear();
}

}  // namespace deepfreq::tests
