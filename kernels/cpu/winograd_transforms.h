#pragma once

#include <array>

#include "kernels/cpu/vector.h"

// The transforms of Winograd's algorithm F(4, 3), in one dimension: y = A^T [(G g) * (B^T d)] is the
// convolution of a filter g (3) with pixels d (6), for the interpolation points 0, ±a, ±b and infinity. Their
// transposes give gradients: dg = G^T [(B^T d) * (A dy)].
//
// The matrices follow from M(x) = x (x^2 - a^2) (x^2 - b^2): a row of B^T holds the coefficients of M(x) / (x - p)
// for the point p (of M for infinity), of G those of (1, p, p^2) / M'(p), of A those of (1, p, p^2, p^3). The
// points 5/8 and 3/2, which oneDNN uses as well, lose fewer digits than the textbook's 1 and 2. (Why points
// matter: Barabasz et al. 2020, doi:10.1145/3412380.)

namespace deepfreq::winograd {

using namespace simd;

inline constexpr int tile_size = 4;  ///< pixels of y, in one dimension
inline constexpr int elements = 36;  ///< of a transformed tile

template <int Size>
using Square = std::array<std::array<Vector, Size>, Size>;

inline constexpr float point_a = 0.625F, point_b = 1.5F;
inline constexpr float a2 = point_a * point_a, b2 = point_b * point_b;

/// B^T: 6 pixels.
struct InputTransform {
    void operator()(const std::array<Vector, 6>& x, std::array<Vector, 6>& y) const {
        y[0] = a2 * b2 * x[0] - (a2 + b2) * x[2] + x[4];
        const Vector even_a = x[4] - b2 * x[2], odd_a = point_a * x[3] - point_a * b2 * x[1];
        y[1] = even_a + odd_a;
        y[2] = even_a - odd_a;
        const Vector even_b = x[4] - a2 * x[2], odd_b = point_b * x[3] - point_b * a2 * x[1];
        y[3] = even_b + odd_b;
        y[4] = even_b - odd_b;
        y[5] = a2 * b2 * x[1] - (a2 + b2) * x[3] + x[5];
    }
};

/// A^T: 6 products to 4 pixels.
struct OutputTransform {
    void operator()(const std::array<Vector, 6>& m, std::array<Vector, 4>& y) const {
        const Vector even_a = m[1] + m[2], odd_a = m[1] - m[2];
        const Vector even_b = m[3] + m[4], odd_b = m[3] - m[4];
        y[0] = m[0] + even_a + even_b;
        y[1] = point_a * odd_a + point_b * odd_b;
        y[2] = a2 * even_a + b2 * even_b;
        y[3] = point_a * a2 * odd_a + point_b * b2 * odd_b + m[5];
    }
};

/// A: 4 pixels of dy.
struct GradientTransform {
    void operator()(const std::array<Vector, 4>& x, std::array<Vector, 6>& y) const {
        y[0] = x[0];
        const Vector even_a = x[0] + a2 * x[2], odd_a = point_a * x[1] + point_a * a2 * x[3];
        y[1] = even_a + odd_a;
        y[2] = even_a - odd_a;
        const Vector even_b = x[0] + b2 * x[2], odd_b = point_b * x[1] + point_b * b2 * x[3];
        y[3] = even_b + odd_b;
        y[4] = even_b - odd_b;
        y[5] = x[3];
    }
};

/// 1 / M'(p) at 0, ±a and ±b.
inline constexpr float g_0 = 1.0F / (a2 * b2);
inline constexpr float g_a = 1.0F / (2.0F * a2 * (a2 - b2)), g_b = 1.0F / (2.0F * b2 * (b2 - a2));

/// G: 3 elements of a filter.
struct FilterTransform {
    void operator()(const std::array<Vector, 3>& x, std::array<Vector, 6>& y) const {
        y[0] = g_0 * x[0];
        const Vector even_a = g_a * x[0] + g_a * a2 * x[2], odd_a = g_a * point_a * x[1];
        y[1] = even_a + odd_a;
        y[2] = even_a - odd_a;
        const Vector even_b = g_b * x[0] + g_b * b2 * x[2], odd_b = g_b * point_b * x[1];
        y[3] = even_b + odd_b;
        y[4] = even_b - odd_b;
        y[5] = x[2];
    }
};

/// G^T: 6 sums of products to 3 elements of a filter's gradient.
struct FilterGradientTransform {
    void operator()(const std::array<Vector, 6>& m, std::array<Vector, 3>& y) const {
        const Vector even_a = g_a * (m[1] + m[2]), even_b = g_b * (m[3] + m[4]);
        y[0] = g_0 * m[0] + even_a + even_b;
        y[1] = g_a * point_a * (m[1] - m[2]) + g_b * point_b * (m[3] - m[4]);
        y[2] = a2 * even_a + b2 * even_b + m[5];
    }
};

/// The transform of columns, then of rows.
template <int From, int To, class Transform>
Square<To> both_ways(const Square<From>& x, const Transform& transform) {
    std::array<std::array<Vector, To>, From> columns;  // [column][row]
    for (int j = 0; j < From; ++j) {
        std::array<Vector, From> column;
        for (int i = 0; i < From; ++i) column[i] = x[i][j];
        transform(column, columns[j]);
    }
    Square<To> y;
    for (int i = 0; i < To; ++i) {
        std::array<Vector, From> row;
        for (int j = 0; j < From; ++j) row[j] = columns[j][i];
        transform(row, y[i]);
    }
    return y;
}

}  // namespace deepfreq::winograd
