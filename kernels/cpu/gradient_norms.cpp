#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"

namespace deepfreq {

void CpuKernels::do_add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds,
                                      TensorView<double> sums) {
    for (std::int64_t k = 0; k < sums.elements(); ++k) {
        const std::int64_t begin = bounds.data[k], count = bounds.data[k + 1] - begin;
        sums.data[k] += sum_in_fixed_order(count, count, [&](std::int64_t first, std::int64_t last) {
            return squares(x.data + begin + first, last - first);
        });
    }
}

}  // namespace deepfreq
