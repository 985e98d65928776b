#include "tests/backends.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "kernels/cuda/open_cuda.h"

namespace deepfreq::tests {
namespace {

struct Opened {
    std::vector<TestedBackend> present, in_all_precisions;
};

Opened& opened() {
    static Opened backends;
    return backends;
}

void open_all(Opened& backends) {
    const char* const asked_for = std::getenv("DEEPFREQ_TEST_PRECISION");
    const Precision precision = asked_for == nullptr ? Precision::Float32 : parse_precision(asked_for);
    backends.present.push_back({"cpu", open_backend("cpu").backend});
    const std::string missing = cuda_unavailable();
    if (missing.empty())
        backends.present.push_back({"cuda", open_backend("cuda", precision).backend});
    else
        MESSAGE("cuda: skipped: " << missing);
    backends.in_all_precisions = backends.present;
    backends.in_all_precisions.push_back({"cpu, bf16", open_backend("cpu", Precision::BFloat16).backend});
}

void check_on(const std::vector<TestedBackend>& backends, const std::function<void(Backend&)>& check) {
    for (const TestedBackend& tested : backends) {
        INFO("backend: " << tested.name);
        check(*tested.backend);
    }
}

const Opened& all_opened() {
    if (opened().present.empty()) open_all(opened());
    return opened();
}

}  // namespace

const std::vector<TestedBackend>& backends_present() {
    return all_opened().present;
}

const std::vector<TestedBackend>& backends_in_all_precisions() {
    return all_opened().in_all_precisions;
}

void for_each_backend(const std::function<void(Backend&)>& check) {
    check_on(backends_present(), check);
}

void in_all_precisions(const std::function<void(Backend&)>& check) {
    check_on(backends_in_all_precisions(), check);
}

void close_backends() {
    opened() = {};
}

}  // namespace deepfreq::tests
