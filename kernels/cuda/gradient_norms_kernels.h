#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/losses_kernels.h"

namespace deepfreq::cuda {

/// partial[block] = sum of one share of x^2 between two bounds, in double, with `shares` blocks per pair of
/// bounds.
struct BoundedSquareSums {
    static constexpr int threads = loss_threads;
    using Shared = LossTerms;

    const float* x;
    const std::int64_t* bounds;
    std::int64_t shares;
    double* partial;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const std::int64_t k = block.index() / shares;
        const std::int64_t share = block.index() % shares;
        double mine = 0.0;
        for (std::int64_t i = bounds[k] + share * threads + block.thread(); i < bounds[k + 1];
             i += shares * threads)
            mine += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        const double sum = block_sum<threads>(block, shared.term, mine);
        if (block.thread() == 0) partial[block.index()] = sum;
    }
};

/// sums[k] += its shares, in order.
struct AddShares {
    const double* partial;
    std::int64_t shares;
    double* sums;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t k) const {
        double sum = 0.0;
        for (std::int64_t share = 0; share < shares; ++share) sum += partial[k * shares + share];
        sums[k] += sum;
    }
};

/// Allocates no memory, so it can be captured.
template <class Device>
void BackendOn<Device>::execute(const AddSquaredNorms& op) {
    constexpr std::int64_t limit = Device::max_partial_sums;
    constexpr std::int64_t max_shares = 64;  // of the largest layers here: a few hundred KB each
    double* const partial = device_.partial_sums();
    for (std::int64_t first = 0; first < op.sums.elements(); first += limit) {
        const std::int64_t count = std::min(limit, op.sums.elements() - first);
        const std::int64_t shares = std::min(max_shares, limit / count);
        device_.blocks(count * shares, BoundedSquareSums{op.x.data, op.bounds.data + first, shares, partial});
        device_.each(count, AddShares{partial, shares, op.sums.data + first});
    }
}

}  // namespace deepfreq::cuda
