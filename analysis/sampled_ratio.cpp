#include "analysis/sampled_ratio.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "common/error.h"

namespace deepfreq {
namespace {

/// |y_i|^2 for the listed rows of y[n,c]; the targets are read from the device a part at a time.
std::vector<double> row_squares(SpectrumBackend& backend, ConstTensor y, std::span<const std::int64_t> rows) {
    constexpr std::int64_t numbers_at_once = 1 << 20;
    const std::int64_t n = y.rows(), c = y.columns();
    const std::int64_t rows_at_once =
        std::clamp<std::int64_t>(numbers_at_once / std::max<std::int64_t>(c, 1), 1, n);
    std::vector<std::size_t> order(rows.size());  // in which the rows ascend
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::size_t r) { return rows[r]; });
    std::vector<double> squares(rows.size());
    std::vector<float> part;
    std::int64_t begin = 0;
    for (const std::size_t r : order) {
        if (part.empty() || rows[r] >= begin + std::ssize(part) / c) {
            begin = rows[r];
            part.resize(static_cast<std::size_t>(std::min(rows_at_once, n - begin) * c));
            backend.download(y.slice(begin, std::ssize(part) / c), std::span(part));
        }
        const float* const row = part.data() + (rows[r] - begin) * c;
        for (std::int64_t k = 0; k < c; ++k)
            squares[r] += static_cast<double>(row[k]) * static_cast<double>(row[k]);
    }
    return squares;
}

}  // namespace

std::vector<std::int64_t> random_rows(std::int64_t n, std::int64_t count, std::uint64_t seed) {
    // Knuth's selection sampling (The Art of Computer Programming, 3.4.2, algorithm S).
    std::mt19937_64 random(seed);
    std::vector<std::int64_t> rows;
    std::int64_t wanted = std::min(count, n);
    for (std::int64_t i = 0; wanted > 0; ++i) {
        const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
        if (static_cast<double>(n - i) * uniform >= static_cast<double>(wanted)) continue;
        rows.push_back(i);
        --wanted;
    }
    return rows;
}

RowEnergies row_energies(SpectrumBackend& backend, ConstTensor features, ConstTensor targets,
                         std::span<const double> inv_delta, std::span<const std::int64_t> rows,
                         const LowFrequencyParams& params) {
    return {backend(GaussianLowFrequencyRowEnergies{
                .samples = {.x = features, .y = targets, .inv_deltas = inv_delta},
                .rows = rows,
                .params = params}),
            row_squares(backend, targets, rows)};
}

RowEnergies row_energies(SpectrumBackend& backend, ConstTensor features, const CentredTargets& targets,
                         std::span<const double> inv_delta, std::span<const std::int64_t> rows,
                         const LowFrequencyParams& params) {
    const auto measured = [&](ConstTensor y, int half) {
        return row_energies(backend, features, y, inv_delta, rows, half_of(params, half));
    };
    RowEnergies of_all = measured(targets.centred, 0);
    const RowEnergies moved = measured(targets.moved, 1);
    for (const auto& [to, other] :
         {std::pair{&of_all.filtered, &moved.filtered}, {&of_all.whole, &moved.whole}})
        for (std::size_t i = 0; i < to->size(); ++i) (*to)[i] = targets.energy((*to)[i], (*other)[i], 1.0);
    return of_all;
}

SampledRatio estimate_ratio(std::span<const double> inv_delta, const RowEnergies& energies, std::int64_t n) {
    const std::size_t inv_deltas = inv_delta.size(), rows = energies.whole.size();
    const double whole = std::reduce(energies.whole.begin(), energies.whole.end());
    if (whole == 0.0)
        throw InputError(
            "all targets of the {} sampled rows are 0, for which the low frequency ratio is undefined; more "
            "rows expected, or another seed",
            rows);
    SampledRatio out{{{inv_delta.begin(), inv_delta.end()}, std::vector<double>(inv_deltas, 0.0)},
                     std::vector<double>(inv_deltas, 0.0),
                     std::vector<double>(inv_deltas > 0 ? inv_deltas - 1 : 0, 0.0)};
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t k = 0; k < inv_deltas; ++k)
            out.lfr.value[k] += energies.filtered[r * inv_deltas + k] / whole;
    for (std::size_t r = 0; r < rows; ++r) {
        double before = 0.0;
        for (std::size_t k = 0; k < inv_deltas; ++k) {
            const double residual =
                energies.filtered[r * inv_deltas + k] - out.lfr.value[k] * energies.whole[r];
            out.lfr_error[k] += residual * residual;
            if (k > 0) out.slope_error[k - 1] += (residual - before) * (residual - before);
            before = residual;
        }
    }
    const auto m = static_cast<double>(rows);
    const double mean = whole / m;
    const double scale = (1.0 - m / static_cast<double>(n)) / (m * (m - 1.0) * mean * mean);
    const auto error = [=](double squared_residuals) { return std::sqrt(scale * squared_residuals); };
    for (double& value : out.lfr_error) value = error(value);
    for (std::size_t k = 0; k + 1 < inv_deltas; ++k)
        out.slope_error[k] = error(out.slope_error[k]) / (inv_delta[k + 1] - inv_delta[k]);
    return out;
}

}  // namespace deepfreq
