#include <dnnl.h>

#include <algorithm>
#include <array>

#include "kernels/cpu/spectrum_samples.h"
#include "kernels/cpu/spectrum_vector.h"

// |x_i - x_j|^2 in two ways. By differences of the uncentred rows: every pair to about 1e-7 of itself,
// however close, but at a third of the speed of a matrix product. By |x_i|^2 + |x_j|^2 - 2 x_i.x_j from
// centred rows and a matrix product: its error is a few 1e-7 of |x_i|^2 + |x_j|^2, so a pair that is much
// closer than that is measured again by its differences.

namespace deepfreq::spectrum {
namespace {

/// A pair is near when its squared distance is below this part of |x_i|^2 + |x_j|^2. So the relative error of
/// a distance from the product is at most a few 1e-7 / near.
constexpr float near = 0.25F;

/// One row of a tile by differences, `lanes` pairs at a time; for few columns. Fills the padding too.
void row_by_columns(const Features& x, std::int64_t i, std::int64_t b, float* tile_row) {
    const float* const of_i = x.row + i * x.stride;
    const float* const columns = x.column + b * x.d * block_rows;
    for (int j = 0; j < block_rows; j += lanes) {
        Vector sum{};
        for (int k = 0; k < x.d; ++k) {
            const Vector difference = load(columns + k * block_rows + j) - of_i[k];
            sum += difference * difference;
        }
        store(sum, tile_row + j);
    }
}

/// Columns whose squares are summed in float32; more would lose digits, above all where they are alike.
constexpr int columns_at_once = 2048;

/// Squared distances of row x to four others, by differences.
std::array<float, 4> four_by_differences(const float* x, const std::array<const float*, 4>& others,
                                         int stride) {
    std::array<double, 4> distance{};
    for (int first = 0; first < stride; first += columns_at_once) {
        Vector sum[4] = {};
        for (int k = first; k < std::min(stride, first + columns_at_once); k += lanes)
            for (int p = 0; p < 4; ++p) {
                const Vector difference = load(x + k) - load(others[p] + k);
                sum[p] += difference * difference;
            }
        for (int p = 0; p < 4; ++p) distance[p] += static_cast<double>(horizontal_sum(sum[p]));
    }
    std::array<float, 4> rounded{};
    for (int p = 0; p < 4; ++p) rounded[p] = static_cast<float>(distance[p]);
    return rounded;
}

/// Measures row i of block a and the listed rows of block b by their differences.
void measure_listed(const Features& x, std::int64_t i, std::int64_t b, const int* listed, int count,
                    float* tile_row) {
    const float* const first = x.row + b * block_rows * x.stride;
    for (int p = 0; p < count; p += 4) {
        std::array<int, 4> j{};
        std::array<const float*, 4> others{};
        for (int q = 0; q < 4; ++q) {
            j[q] = listed[p + q < count ? p + q : count - 1];
            others[q] = first + j[q] * x.stride;
        }
        const std::array<float, 4> measured = four_by_differences(x.row + i * x.stride, others, x.stride);
        for (int q = 0; q < 4; ++q) tile_row[j[q]] = measured[q];
    }
}

/// From products x_i.x_j in tile_row to squared distances; lists the near pairs and returns how many.
int from_products(const Features& x, std::int64_t i, const Block& b, float* tile_row, int* near_pairs) {
    const float norm_i = x.norm[i];
    const float* const norms = x.norm + b.first;
    int any = 0;
#pragma omp simd reduction(| : any)
    for (int j = 0; j < b.count; ++j) {
        const float norm_sum = norm_i + norms[j];
        const float distance = norm_sum - 2.0F * tile_row[j];
        any |= distance < near * norm_sum ? 1 : 0;
        tile_row[j] = distance;
    }
    if (any == 0) return 0;
    int count = 0;
    for (int j = 0; j < b.count; ++j) {
        near_pairs[count] = j;
        count += tile_row[j] < near * (norm_i + norms[j]) ? 1 : 0;
    }
    return count;
}

/// Squared distance of two rows, exact but for 2^-53 of it.
double exact_distance(const Features& x, std::int64_t i, std::int64_t j) {
    const float* const a = x.row + i * x.stride;
    const float* const b = x.row + j * x.stride;
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int k = 0; k < x.d; ++k) {
        const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
        sum += difference * difference;
    }
    return sum;
}

}  // namespace

void find_nearest(const Features& x, std::int64_t a, std::int64_t b, const float* tile, double* nearest) {
    constexpr double error = 1e-5;  // of a distance in a tile, as part of it, at most
    const Block of_a = x.block(a);
    const Block of_b = x.block(b);
    for (int i = 0; i < of_a.count; ++i) {
        const float* const tile_row = tile + i * tile_stride;
        double& best = nearest[of_a.first + i];
        auto limit = static_cast<float>(best * (1.0 + error));
        for (int j = 0; j < of_b.count; ++j) {
            if (tile_row[j] > limit || of_a.first + i == of_b.first + j) continue;
            best = std::min(best, exact_distance(x, of_a.first + i, of_b.first + j));
            limit = static_cast<float>(best * (1.0 + error));
        }
    }
}

void take_off_nearest(const Features& x, std::int64_t from, std::int64_t to, const double* nearest,
                      float* tile) {
    const Block of_from = x.block(from);
    const Block of_to = x.block(to);
    std::array<float, block_rows> smallest;
    for (int i = 0; i < of_to.count; ++i) smallest[i] = static_cast<float>(nearest[of_to.first + i]);
    for (int j = 0; j < of_from.count; ++j) {
        float* const tile_row = tile + j * tile_stride;
        for (int i = 0; i < of_to.count; ++i) {
            const float distance = tile_row[i];
            tile_row[i] = distance - smallest[i];
            // What is left would err by more than twice the part of itself that the distance does.
            if (distance < 2.0F * smallest[i])
                tile_row[i] = static_cast<float>(std::max(
                    0.0, exact_distance(x, of_from.first + j, of_to.first + i) - nearest[of_to.first + i]));
        }
    }
}

bool squared_distances(const Features& x, std::int64_t a, std::int64_t b, float diagonal, float* tile) {
    const Block of_a = x.block(a);
    const Block of_b = x.block(b);
    bool done = true;
    if (!x.direct)
        done = dnnl_sgemm('N', 'T', of_a.count, of_b.count, x.d, 1.0F, x.centred + of_a.first * x.stride,
                          x.stride, x.centred + of_b.first * x.stride, x.stride, 0.0F, tile,
                          tile_stride) == dnnl_success;
    std::array<int, block_rows> listed;
    for (int i = 0; i < of_a.count; ++i) {
        const std::int64_t row = of_a.first + i;
        float* const tile_row = tile + i * tile_stride;
        if (x.column != nullptr) {
            row_by_columns(x, row, b, tile_row);
        } else if (x.direct) {
            for (int j = 0; j < of_b.count; ++j) listed[j] = j;
            measure_listed(x, row, b, listed.data(), of_b.count, tile_row);
        } else {
            const int count = from_products(x, row, of_b, tile_row, listed.data());
            measure_listed(x, row, b, listed.data(), count, tile_row);
        }
        if (a == b) tile_row[i] = diagonal;
    }
    return done;
}

}  // namespace deepfreq::spectrum
