#include "tests/backends.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "kernels/cuda/cuda_kernels.h"

namespace deepfreq::tests {
namespace {

struct Opened {
    std::vector<Backend> present, in_all_precisions;
};

Opened& opened() {
    static Opened backends;
    return backends;
}

void open_all(Opened& backends) {
    const char* const asked_for = std::getenv("DEEPFREQ_TEST_PRECISION");
    const Precision precision = asked_for == nullptr ? Precision::Float32 : parse_precision(asked_for);
    backends.present.push_back({"cpu", open_kernels("cpu").kernels});
    const std::string missing = cuda_unavailable();
    if (missing.empty())
        backends.present.push_back({"cuda", open_kernels("cuda", precision).kernels});
    else
        MESSAGE("cuda: skipped: " << missing);
    backends.in_all_precisions = backends.present;
    backends.in_all_precisions.push_back({"cpu, bf16", open_kernels("cpu", Precision::BFloat16).kernels});
}

void check_on(const std::vector<Backend>& backends, const std::function<void(Kernels&)>& check) {
    for (const Backend& backend : backends) {
        INFO("backend: " << backend.name);
        check(*backend.kernels);
    }
}

const Opened& all_opened() {
    if (opened().present.empty()) open_all(opened());
    return opened();
}

}  // namespace

const std::vector<Backend>& backends_present() {
    return all_opened().present;
}

const std::vector<Backend>& backends_in_all_precisions() {
    return all_opened().in_all_precisions;
}

void for_each_backend(const std::function<void(Kernels&)>& check) {
    check_on(backends_present(), check);
}

void in_all_precisions(const std::function<void(Kernels&)>& check) {
    check_on(backends_in_all_precisions(), check);
}

void close_backends() {
    opened() = {};
}

}  // namespace deepfreq::tests
