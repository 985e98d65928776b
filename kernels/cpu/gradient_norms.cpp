#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"

namespace deepfreq {

void CpuBackend::execute(const AddSquaredNorms& op) {
    for (std::int64_t k = 0; k < op.sums.elements(); ++k) {
        const std::int64_t begin = op.bounds.data[k], count = op.bounds.data[k + 1] - begin;
        op.sums.data[k] += sum_in_fixed_order(count, count, [&](std::int64_t first, std::int64_t last) {
            return squares(op.x.data + begin + first, last - first);
        });
    }
}

}  // namespace deepfreq
