#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch_shape.h"
#include "kernels/cuda/write_strided.h"

// Losses are summed in double, in an order fixed by the shapes: each block sums a part and, if there are
// several blocks, SumPartials adds up their results. A batch of the paper is one block, so one launch.

namespace deepfreq::cuda {

inline constexpr int loss_threads = 256;
struct LossTerms {
    double term[loss_threads];
};

/// Where a loss goes: to sums[state->step], divided, or first to partial[block] if there are several blocks.
struct LossTarget {
    double* sums;
    const StepState* state;
    double divisor;
    double* partial;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void add(Block& block, LossTerms& shared, double mine) const {
        const double sum = block_sum<loss_threads>(block, shared.term, mine);
        if (block.thread() != 0) return;
        if (block.blocks() == 1)
            sums[state->step] += sum / divisor;
        else
            partial[block.index()] = sum;
    }
};

/// Adds up partial[0 … count-1] in a single block.
struct SumPartials {
    static constexpr int threads = loss_threads;
    using Shared = LossTerms;

    LossTarget target;
    std::int64_t count;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        double mine = 0.0;
        for (std::int64_t i = block.thread(); i < count; i += threads) mine += target.partial[i];
        target.add(block, shared, mine);
    }
};

/// Sum of (p - t)^2 over `count` elements; dp = scale (p - t) unless it is null.
struct SquaredErrors {
    static constexpr int threads = loss_threads;
    using Shared = LossTerms;

    const float* p;
    const float* t;
    std::int64_t count;
    double scale;
    float* dp;
    LossTarget target;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const std::int64_t first = block.index() * threads + block.thread();
        const std::int64_t stride = block.blocks() * threads;
        double mine = 0.0;
        const auto gradient = [&](std::int64_t i) {
            const double error = static_cast<double>(p[i]) - static_cast<double>(t[i]);
            mine += error * error;
            return static_cast<float>(scale * error);
        };
        if (dp != nullptr)
            write_strided(dp, first, count, stride, gradient);
        else
            for (std::int64_t i = first; i < count; i += stride) gradient(i);
        target.add(block, shared, mine);
    }
};

/// p = softmax of row i of z, one row per thread. The largest logit is subtracted first.
struct SoftmaxOfRow {
    const float* z;
    std::int64_t c;
    float* p;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const float* const logit = z + i * c;
        float largest = logit[0];
        for (std::int64_t j = 1; j < c; ++j) largest = logit[j] > largest ? logit[j] : largest;
        const auto top = static_cast<double>(largest);
        double sum = 0.0;
        for (std::int64_t j = 0; j < c; ++j) sum += std::exp(static_cast<double>(logit[j]) - top);
        const double scale = 1.0 / sum;
        for (std::int64_t j = 0; j < c; ++j)
            p[i * c + j] = static_cast<float>(std::exp(static_cast<double>(logit[j]) - top) * scale);
    }
};

/// Cross-entropy of softmax(z) against t over n rows of c, one row per thread; dz = (softmax(z) - t) scale
/// unless it is null. The largest logit is subtracted first, so that no exp overflows. A NaN logit makes its
/// row NaN.
struct CrossEntropies {
    static constexpr int threads = loss_threads;
    using Shared = LossTerms;

    const float* z;
    const float* t;
    std::int64_t n, c;
    double scale;
    float* dz;
    LossTarget target;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        double mine = 0.0;
        for (std::int64_t row = block.index() * threads + block.thread(); row < n;
             row += block.blocks() * threads)
            mine += of_row(row * c);
        target.add(block, shared, mine);
    }

  private:
    DEEPFREQ_HOST_DEVICE double of_row(std::int64_t first) const {
        const float* const logit = z + first;
        const float* const wanted = t + first;
        float largest = logit[0];
        for (std::int64_t j = 1; j < c; ++j) largest = logit[j] > largest ? logit[j] : largest;
        const auto top = static_cast<double>(largest);
        double sum = 0.0;
        for (std::int64_t j = 0; j < c; ++j) sum += std::exp(static_cast<double>(logit[j]) - top);
        const double log_sum = std::log(sum);
        double loss = 0.0;
        for (std::int64_t j = 0; j < c; ++j)
            loss += static_cast<double>(wanted[j]) * (log_sum - (static_cast<double>(logit[j]) - top));
        if (dz == nullptr) return loss;
        const double scale_of_exp = 1.0 / sum;  // once: a division in double is slow
        for (std::int64_t j = 0; j < c; ++j) {
            const double share = std::exp(static_cast<double>(logit[j]) - top) * scale_of_exp;
            dz[first + j] = static_cast<float>((share - static_cast<double>(wanted[j])) * scale);
        }
        return loss;
    }
};

/// Adds to correct[0] the number of rows of p[n,c] whose largest element (the first one in case of ties) is
/// at labels[row]; one block.
struct CountCorrectRows {
    static constexpr int threads = loss_threads;
    struct Shared {
        std::int64_t term[threads];
    };

    const float* p;
    const std::int32_t* labels;
    std::int64_t n, c;
    std::int64_t* correct;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        std::int64_t mine = 0;
        for (std::int64_t row = block.thread(); row < n; row += threads) {
            std::int64_t best = 0;
            for (std::int64_t j = 1; j < c; ++j)
                if (p[row * c + j] > p[row * c + best]) best = j;
            mine += best == labels[row] ? 1 : 0;
        }
        const std::int64_t sum = block_sum<threads>(block, shared.term, mine);
        if (block.thread() == 0) correct[0] += sum;
    }
};

/// Number of blocks for this many terms of a sum. Up to 16 terms per thread, one block is enough. There is
/// room for `limit` partial sums.
constexpr std::int64_t loss_blocks(std::int64_t terms, std::int64_t limit) {
    return blocks_for(terms, 16 * loss_threads, limit);
}

/// The same for n rows of c terms, one row per thread.
constexpr std::int64_t row_loss_blocks(std::int64_t n, std::int64_t c, std::int64_t limit) {
    return std::min(loss_blocks(n * c, limit), blocks_for(n, loss_threads));
}

/// Runs SquaredErrors or CrossEntropies in this many blocks on a device.
template <class Device, class Loss>
void run_loss(Device& device, const Loss& loss, std::int64_t blocks) {
    device.blocks(blocks, loss);
    if (blocks > 1) device.blocks(1, SumPartials{loss.target, blocks});
}

template <class Device>
void BackendOn<Device>::execute(const MeanSquaredError& op) {
    const std::int64_t count = op.p.elements();
    const LossTarget target{op.sums.data, op.state.data, static_cast<double>(op.p.columns()),
                            device_.partial_sums()};
    const double scale = 2.0 / static_cast<double>(count);
    run_loss(device_, SquaredErrors{op.p.data, op.t.data, count, scale, op.dp.data, target},
             loss_blocks(count, Device::max_partial_sums));
}

template <class Device>
void BackendOn<Device>::execute(const SoftmaxCrossEntropy& op) {
    const std::int64_t n = op.z.rows();
    const std::int64_t c = op.z.columns();
    const LossTarget target{op.sums.data, op.state.data, 1.0, device_.partial_sums()};
    const double scale = 1.0 / static_cast<double>(n);
    run_loss(device_, CrossEntropies{op.z.data, op.t.data, n, c, scale, op.dz.data, target},
             row_loss_blocks(n, c, Device::max_partial_sums));
}

template <class Device>
void BackendOn<Device>::execute(const Softmax& op) {
    device_.each(op.z.rows(), SoftmaxOfRow{op.z.data, op.z.columns(), op.p.data});
}

template <class Device>
void BackendOn<Device>::execute(const CountCorrect& op) {
    device_.blocks(1,
                   CountCorrectRows{op.p.data, op.labels.data, op.p.rows(), op.p.columns(), op.correct.data});
}

}  // namespace deepfreq::cuda
