#include <algorithm>
#include <array>
#include <bit>

#include "kernels/cpu/spectrum_samples.h"
#include "kernels/cpu/spectrum_vector.h"

// |x_i - x_j|^2 in two ways. By differences of the uncentred rows: every pair has a relative error of about
// 1e-7, however close it is, but at a third of the speed of a matrix product. By |x_i|^2 + |x_j|^2 - 2
// x_i.x_j from centred rows and a matrix product: the error is a few 1e-7 of |x_i|^2 + |x_j|^2, so a pair
// that is much closer than that is recomputed by differences.

namespace deepfreq::spectrum {
namespace {

/// A pair is near if its squared distance is below this fraction of |x_i|^2 + |x_j|^2. So the relative error
/// of a distance from the product is at most a few 1e-7 / near.
constexpr float near = 0.25F;

/// The distances of a row to those of block b by differences, `lanes` pairs at a time; for few columns. The
/// last vector is filled completely.
void row_by_columns(const float* of_i, const FeatureBlock& b, float* tile_row) {
    const float* const columns = b.x.column + b.index * b.x.d * block_rows;
    for (int j = 0; j < b.rows().count; j += lanes) {
        Vector sum{};
        for (int k = 0; k < b.x.d; ++k) {
            const Vector difference = load(columns + k * block_rows + j) - of_i[k];
            sum += difference * difference;
        }
        store(sum, tile_row + j);
    }
}

/// Columns whose squares are summed in float32. More would lose digits, above all where they are alike.
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

/// Recomputes the distances between a row and the listed rows of block b by differences.
void measure_listed(const float* of_i, const FeatureBlock& b, const int* listed, int count, float* tile_row) {
    const int stride = b.x.stride;
    const float* const first = b.x.row + b.rows().first * stride;
    for (int p = 0; p < count; p += 4) {
        std::array<int, 4> j{};
        std::array<const float*, 4> others{};
        for (int q = 0; q < 4; ++q) {
            j[q] = listed[p + q < count ? p + q : count - 1];
            others[q] = first + std::int64_t{j[q]} * stride;
        }
        const std::array<float, 4> measured = four_by_differences(of_i, others, stride);
        for (int q = 0; q < 4; ++q) tile_row[j[q]] = measured[q];
    }
}

/// Feature columns whose products are summed in float32 before they are added to those of the earlier
/// columns. This many columns of a panel stay in the first-level cache.
constexpr int columns_of_product = 256;

/// Products of rows and vectors of columns, kept in registers.
struct Products {
    Vector sum[product_rows][product_vectors];
};

/// x_i.x_j over `count` feature columns. a and b point to the first of these columns in their panels; the
/// vectors of b are `stride` floats apart.
inline Products multiply(const float* a, const float* b, std::int64_t stride, int count) {
    Products p{};
    for (int k = 0; k < count; ++k, a += lanes, b += lanes) {
        Vector of_b[product_vectors];
#pragma GCC unroll 4
        for (int v = 0; v < product_vectors; ++v) of_b[v] = load(b + v * stride);
#pragma GCC unroll 8
        for (int r = 0; r < product_rows; ++r)
#pragma GCC unroll 4
            for (int v = 0; v < product_vectors; ++v) p.sum[r][v] += of_b[v] * a[r];
    }
    return p;
}

/// Turns products into squared distances, adding the products of the earlier feature columns, if any. Returns
/// whether any of the pairs is near.
inline bool finish(Products& p, bool more, const float* norms_a, const float* norms_b, float* tile) {
    BitVector any{};
#pragma GCC unroll 8
    for (int r = 0; r < product_rows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < product_vectors; ++v) {
            float* const to = tile + r * tile_stride + v * lanes;
            if (more) p.sum[r][v] += load(to);
            const Vector norm_sum = load(norms_b + v * lanes) + norms_a[r];
            const Vector distance = norm_sum - 2.0F * p.sum[r][v];
            any |= std::bit_cast<BitVector>(distance < near * norm_sum);
            store(distance, to);
        }
    return any_bit(any);
}

/// Distances by products. Marks the groups of product_rows rows that contain a near pair.
void distances_by_products(const FeatureBlock& a, const FeatureBlock& b, float* tile, bool* has_near) {
    constexpr int samples_at_once = product_vectors * lanes;
    const int d = a.x.d;
    const std::int64_t stride = std::int64_t{d} * lanes;
    const Block of_a = a.rows(), of_b = b.rows();
    for (int k = 0; k < d; k += columns_of_product) {
        const int count = std::min(columns_of_product, d - k);
        const bool last = k + count == d;
        for (int i = 0; i < of_a.count; i += product_rows) {
            const float* const rows = a.x.panel(of_a.first + i) + std::int64_t{k} * lanes + i % lanes;
            for (int j = 0; j < of_b.count; j += samples_at_once) {
                Products p =
                    multiply(rows, b.x.panel(of_b.first + j) + std::int64_t{k} * lanes, stride, count);
                float* const to = tile + i * tile_stride + j;
                if (last) {
                    if (finish(p, k > 0, a.x.norm + of_a.first + i, b.x.norm + of_b.first + j, to))
                        has_near[i / product_rows] = true;
                    continue;
                }
                for (int r = 0; r < product_rows; ++r)
                    for (int v = 0; v < product_vectors; ++v) {
                        float* const sum = to + r * tile_stride + v * lanes;
                        store(k > 0 ? p.sum[r][v] + load(sum) : p.sum[r][v], sum);
                    }
            }
        }
    }
}

/// Lists the near pairs of a row of a tile and returns how many.
int list_near(float norm, const FeatureBlock& b, const float* tile_row, int* listed) {
    const float* const norms = b.x.norm + b.rows().first;
    int count = 0;
    for (int j = 0; j < b.rows().count; ++j) {
        listed[count] = j;
        count += tile_row[j] < near * (norm + norms[j]) ? 1 : 0;
    }
    return count;
}

/// Squared distance of row i of block a and row j of b, with a relative error of only 2^-53.
double exact_distance(const FeatureBlock& a, int i, const FeatureBlock& b, int j) {
    const float* const of_a = a.x.row + (a.rows().first + i) * a.x.stride;
    const float* const of_b = b.x.row + (b.rows().first + j) * b.x.stride;
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int k = 0; k < a.x.d; ++k) {
        const double difference = static_cast<double>(of_a[k]) - static_cast<double>(of_b[k]);
        sum += difference * difference;
    }
    return sum;
}

}  // namespace

void find_nearest(const FeatureBlock& a, const FeatureBlock& b, const float* tile, double* nearest) {
    constexpr double error = 1e-5;  // upper bound on the relative error of a distance in a tile
    for (int i = 0; i < a.rows().count; ++i) {
        const float* const tile_row = tile + i * tile_stride;
        auto limit = static_cast<float>(nearest[i] * (1.0 + error));
        for (int j = 0; j < b.rows().count; ++j) {
            if (tile_row[j] > limit || tile_row[j] == out_of_sight) continue;
            nearest[i] = std::min(nearest[i], exact_distance(a, i, b, j));
            limit = static_cast<float>(nearest[i] * (1.0 + error));
        }
    }
}

void take_off_nearest(const FeatureBlock& from, const FeatureBlock& to, const double* nearest, float* tile) {
    const int count = to.rows().count;
    std::array<float, block_rows> smallest;
    for (int i = 0; i < count; ++i) smallest[i] = static_cast<float>(nearest[i]);
    for (int j = 0; j < from.rows().count; ++j) {
        float* const tile_row = tile + j * tile_stride;
        for (int i = 0; i < count; ++i) {
            const float distance = tile_row[i];
            tile_row[i] = distance - smallest[i];
            // The relative error of the difference would be more than twice that of the distance.
            if (distance < 2.0F * smallest[i])
                tile_row[i] = static_cast<float>(std::max(0.0, exact_distance(from, j, to, i) - nearest[i]));
        }
    }
}

void squared_distances(const FeatureBlock& a, const FeatureBlock& b, float* tile) {
    const Features& x = a.x;
    const Block of_a = a.rows();
    std::array<bool, block_rows / product_rows> has_near{};
    if (!x.direct) distances_by_products(a, b, tile, has_near.data());
    std::array<int, block_rows> listed;
    for (int i = 0; i < of_a.count; ++i) {
        const float* const row = x.row + (of_a.first + i) * x.stride;
        float* const tile_row = tile + i * tile_stride;
        if (x.column != nullptr) {
            row_by_columns(row, b, tile_row);
        } else if (x.direct) {
            for (int j = 0; j < b.rows().count; ++j) listed[j] = j;
            measure_listed(row, b, listed.data(), b.rows().count, tile_row);
        } else if (has_near[i / product_rows]) {
            const int count = list_near(x.norm[of_a.first + i], b, tile_row, listed.data());
            measure_listed(row, b, listed.data(), count, tile_row);
        }
    }
}

void transpose(const float* from, float* to) {
    std::array<Vector, lanes> square;
    for (int i = 0; i < block_rows; i += lanes)
        for (int j = 0; j < block_rows; j += lanes) {
            for (int l = 0; l < lanes; ++l) square[l] = load(from + (i + l) * tile_stride + j);
            transpose_square(square);
            for (int l = 0; l < lanes; ++l) store(square[l], to + (j + l) * tile_stride + i);
        }
}

}  // namespace deepfreq::spectrum
