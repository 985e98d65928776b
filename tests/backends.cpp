#include "tests/backends.h"

#include <doctest/doctest.h>

#include "kernels/cuda/cuda_kernels.h"

namespace deepfreq::tests {

const std::vector<Backend>& backends_present() {
    static const std::vector<Backend> present = [] {
        std::vector<Backend> opened;
        opened.push_back({"cpu", open_kernels("cpu").kernels});
        const std::string missing = cuda_unavailable();
        if (missing.empty())
            opened.push_back({"cuda", open_kernels("cuda").kernels});
        else
            MESSAGE("cuda: skipped: " << missing);
        return opened;
    }();
    return present;
}

}  // namespace deepfreq::tests
