#include "kernels/cpu/winograd.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/cpu/bfloat16.h"
#include "kernels/cpu/winograd_transforms.h"

// The memory of a block of tiles is [36][channels / lanes][tiles][lanes]: panels of one vector of channels, so
// that transforms work on whole vectors, and products read either factor in order.

namespace deepfreq::winograd {
namespace {

/// The block of sums kept in registers: rows (tiles or filters) times vectors of columns, enough to hide the
/// latency of a multiply-add.
constexpr int vectors_at_once = 2;
constexpr int columns_at_once = vectors_at_once * lanes;
constexpr int tiles_at_once = lanes == 16 ? 12 : 6;
constexpr int filters_at_once = lanes == 16 ? 8 : 4;

/// Tiles per block of one thread: few, so that they stay in its cache between the transforms and the products.
constexpr std::int64_t tiles_per_thread = 24;
/// Tiles per block of all threads. A constant, so that the order in which the filters' gradients are summed
/// does not depend on the number of threads.
constexpr std::int64_t tiles_of_all = 128;
/// Transformed filters of more floats than this (16 MiB) do not stay in the last cache.
constexpr std::int64_t cached_filters = std::int64_t{4} << 20;

constexpr std::int64_t quotient_rounded_up(std::int64_t count, std::int64_t step) {
    return (count + step - 1) / step;
}

/// M[tile][out] = sum over in of V[tile][in] U[in][out], for one of the 36 elements and columns_at_once
/// columns. v and m are panels of `stride` tiles; u is [out / lanes][in][lanes]. The first `tiles` exist.
/// Beyond them, up to tiles_at_once - 1 more are computed from whatever is there; no one reads them.
void multiply(const float* v, const float* u, float* m, std::int64_t tiles, std::int64_t stride,
              std::int64_t in) {
    for (std::int64_t t = 0; t < tiles; t += tiles_at_once) {
        Vector sum[tiles_at_once][vectors_at_once] = {};
        const float* of_u = u;
        for (std::int64_t i = 0; i < in; i += lanes) {
            const float* const of_v = v + i * stride + t * lanes;
            for (int k = 0; k < lanes; ++k, of_u += lanes) {
                Vector column[vectors_at_once];
#pragma GCC unroll 2
                for (int c = 0; c < vectors_at_once; ++c) column[c] = load(of_u + c * in * lanes);
#pragma GCC unroll 12
                for (int r = 0; r < tiles_at_once; ++r)
#pragma GCC unroll 2
                    for (int c = 0; c < vectors_at_once; ++c) sum[r][c] += column[c] * of_v[r * lanes + k];
            }
        }
        for (int r = 0; r < tiles_at_once; ++r)
            for (int c = 0; c < vectors_at_once; ++c)
                store(sum[r][c], m + c * lanes * stride + (t + r) * lanes);
    }
}

/// dU[out][in] = [dU +] sum over tiles of W[tile][out] V[tile][in], for rows first … last-1 of dU.
void multiply_transposed(const float* w, const float* v, float* du, std::int64_t first, std::int64_t last,
                         std::int64_t tiles, std::int64_t in, bool add) {
    for (std::int64_t i = 0; i < in; i += columns_at_once)
        for (std::int64_t o = first; o < last; o += filters_at_once) {
            Vector sum[filters_at_once][vectors_at_once] = {};
            const float* of_w = w + o / lanes * lanes * tiles_of_all + o % lanes;
            const float* of_v = v + i * tiles_of_all;
            for (std::int64_t t = 0; t < tiles; ++t, of_w += lanes, of_v += lanes) {
                Vector column[vectors_at_once];
#pragma GCC unroll 2
                for (int c = 0; c < vectors_at_once; ++c) column[c] = load(of_v + c * tiles_of_all * lanes);
#pragma GCC unroll 8
                for (int r = 0; r < filters_at_once; ++r)
#pragma GCC unroll 2
                    for (int c = 0; c < vectors_at_once; ++c) sum[r][c] += column[c] * of_w[r];
            }
            for (int r = 0; r < filters_at_once; ++r)
                for (int c = 0; c < vectors_at_once; ++c) {
                    float* const to = du + (o + r) * in + i + c * lanes;
                    store(add ? load(to) + sum[r][c] : sum[r][c], to);
                }
        }
}

/// Images cut into tiles.
struct TiledImages {
    std::int64_t images, height, width, channels;

    std::int64_t size() const { return images * height * width * channels; }
    std::int64_t down() const { return quotient_rounded_up(height, tile_size); }
    std::int64_t across() const { return quotient_rounded_up(width, tile_size); }
    std::int64_t tiles() const { return images * down() * across(); }
    std::int64_t pixel(std::int64_t image, std::int64_t row, std::int64_t column) const {
        return ((image * height + row) * width + column) * channels;
    }

    /// The first pixel of a tile.
    struct Place {
        std::int64_t image, row, column;
    };
    Place place(std::int64_t index) const {
        return {index / across() / down(), index / across() % down() * tile_size,
                index % across() * tile_size};
    }
};

/// A transformed tile in its block of `stride` tiles. `data` is the tile's first element.
struct TransformedTile {
    float* data;
    std::int64_t channels, stride;

    float* at(int element, std::int64_t channel) const {
        return data + (element * channels + channel) * stride;
    }
};

/// Tile `index` with its border, transformed: V.
void transform_input(const TiledImages& of, const float* x, std::int64_t index, const TransformedTile& v) {
    const auto [image, row, column] = of.place(index);
    for (std::int64_t c = 0; c < of.channels; c += lanes) {
        Square<6> pixels{};
        for (int r = 0; r < 6; ++r) {
            if (row + r - 1 < 0 || row + r - 1 >= of.height) continue;
            for (int s = 0; s < 6; ++s)
                if (column + s - 1 >= 0 && column + s - 1 < of.width)
                    pixels[r][s] = load(x + of.pixel(image, row + r - 1, column + s - 1) + c);
        }
        const Square<6> transformed = both_ways<6, 6>(pixels, InputTransform{});
        for (int e = 0; e < elements; ++e) store(transformed[e / 6][e % 6], v.at(e, c));
    }
}

/// Tile `index` of dy, which has no border, transformed: W.
void transform_gradient(const TiledImages& of, const float* dy, std::int64_t index,
                        const TransformedTile& w) {
    const auto [image, row, column] = of.place(index);
    for (std::int64_t c = 0; c < of.channels; c += lanes) {
        Square<4> pixels{};
        for (int r = 0; r < tile_size && row + r < of.height; ++r)
            for (int s = 0; s < tile_size && column + s < of.width; ++s)
                pixels[r][s] = load(dy + of.pixel(image, row + r, column + s) + c);
        const Square<6> transformed = both_ways<4, 6>(pixels, GradientTransform{});
        for (int e = 0; e < elements; ++e) store(transformed[e / 6][e % 6], w.at(e, c));
    }
}

/// The products M of tile `index`, transformed to its pixels.
void transform_output(const TiledImages& of, const TransformedTile& m, std::int64_t index, float* y) {
    const auto [image, row, column] = of.place(index);
    for (std::int64_t c = 0; c < of.channels; c += lanes) {
        Square<6> products;
        for (int e = 0; e < elements; ++e) products[e / 6][e % 6] = load(m.at(e, c));
        const Square<4> pixels = both_ways<6, 4>(products, OutputTransform{});
        for (int r = 0; r < tile_size && row + r < of.height; ++r)
            for (int s = 0; s < tile_size && column + s < of.width; ++s)
                store(pixels[r][s], y + of.pixel(image, row + r, column + s) + c);
    }
}

/// Filters w[out,3,3,in] as U[36][out / lanes][in][lanes].
void transform_filters(const float* w, std::int64_t in, std::int64_t out, float* u) {
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t o = 0; o < out; o += lanes)
        for (std::int64_t i = 0; i < in; i += lanes) {
            std::array<std::array<Vector, lanes>, elements> block;  // [36][lanes of out][lanes of in]
            for (int l = 0; l < lanes; ++l) {
                Square<3> filter;
                for (int k = 0; k < 9; ++k) filter[k / 3][k % 3] = load(w + ((o + l) * 9 + k) * in + i);
                const Square<6> transformed = both_ways<3, 6>(filter, FilterTransform{});
                for (int e = 0; e < elements; ++e) block[e][l] = transformed[e / 6][e % 6];
            }
            for (int e = 0; e < elements; ++e) {
                transpose_square(block[e]);
                for (int l = 0; l < lanes; ++l) store(block[e][l], u + (e * out + o) * in + (i + l) * lanes);
            }
        }
}

/// Filters rotated by 180 degrees, with in and out exchanged: U[36][in / lanes][out][lanes].
void transform_rotated_filters(const float* w, std::int64_t in, std::int64_t out, float* u) {
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t i = 0; i < in; i += lanes)
        for (std::int64_t o = 0; o < out; ++o) {
            Square<3> filter;
            for (int k = 0; k < 9; ++k) filter[k / 3][k % 3] = load(w + (o * 9 + 8 - k) * in + i);
            const Square<6> transformed = both_ways<3, 6>(filter, FilterTransform{});
            for (int e = 0; e < elements; ++e)
                store(transformed[e / 6][e % 6], u + (e * in + i) * out + o * lanes);
        }
}

/// A convolution of images `from` by transformed filters to images `to`.
struct Convolving {
    TiledImages from, to;
    const float* x;
    const float* u;
    float* y;
    float* room;  ///< room_for(from, to) floats

    /// Whether each thread takes blocks of its own. Not if the filters would come from memory for every block,
    /// or if there are too few tiles for all threads.
    static bool by_thread(const TiledImages& from, const TiledImages& to) {
        const bool enough = from.tiles() >= omp_get_max_threads() * tiles_at_once;
        return enough && elements * from.channels * to.channels <= cached_filters;
    }
    static std::int64_t room_for(const TiledImages& from, const TiledImages& to) {
        const std::int64_t tiles =
            by_thread(from, to) ? omp_get_max_threads() * tiles_per_thread : room_of_all;
        return elements * (from.channels + to.channels) * tiles;
    }

    void operator()() const { by_thread(from, to) ? each_thread() : all_together(); }

  private:
    /// Whole groups of rows that multiply() takes at once.
    static constexpr std::int64_t room_of_all =
        quotient_rounded_up(tiles_of_all, tiles_at_once) * tiles_at_once;
    static_assert(tiles_per_thread % tiles_at_once == 0);

    /// Columns o … o + columns_at_once - 1 of one of the 36 products.
    void multiply_columns(const float* v, float* m, int e, std::int64_t o, std::int64_t count,
                          std::int64_t stride) const {
        const std::int64_t in = from.channels, out = to.channels;
        multiply(v + e * in * stride, u + (e * out + o) * in, m + (e * out + o) * stride, count, stride, in);
    }

    void each_thread() const {
        constexpr std::int64_t stride = tiles_per_thread;
        const std::int64_t tiles = from.tiles(), in = from.channels, out = to.channels;
#pragma omp parallel for schedule(static)
        for (std::int64_t first = 0; first < tiles; first += stride) {
            float* const v = room + omp_get_thread_num() * elements * (in + out) * stride;
            float* const m = v + elements * in * stride;
            const std::int64_t count = std::min(stride, tiles - first);
            for (std::int64_t t = 0; t < count; ++t)
                transform_input(from, x, first + t, {v + t * lanes, in, stride});
            for (int e = 0; e < elements; ++e)
                for (std::int64_t o = 0; o < out; o += columns_at_once)
                    multiply_columns(v, m, e, o, count, stride);
            for (std::int64_t t = 0; t < count; ++t)
                transform_output(to, {m + t * lanes, out, stride}, first + t, y);
        }
    }

    /// All threads share a block, and each reads a part of the filters.
    void all_together() const {
        constexpr std::int64_t stride = room_of_all;
        const std::int64_t tiles = from.tiles(), in = from.channels, out = to.channels;
        float* const v = room;
        float* const m = v + elements * in * stride;
#pragma omp parallel
        for (std::int64_t first = 0; first < tiles; first += tiles_of_all) {
            const std::int64_t count = std::min(tiles_of_all, tiles - first);
#pragma omp for schedule(static)
            for (std::int64_t t = 0; t < count; ++t)
                transform_input(from, x, first + t, {v + t * lanes, in, stride});
#pragma omp for collapse(2) schedule(static)
            for (int e = 0; e < elements; ++e)
                for (std::int64_t o = 0; o < out; o += columns_at_once)
                    multiply_columns(v, m, e, o, count, stride);
#pragma omp for schedule(static)
            for (std::int64_t t = 0; t < count; ++t)
                transform_output(to, {m + t * lanes, out, stride}, first + t, y);
        }
    }
};

/// dU[36][out][in], the gradients of the transformed filters. v and w have room for tiles_of_all tiles.
void sum_gradients(const TiledImages& of_x, const TiledImages& of_dy, const float* x, const float* dy,
                   float* v, float* w, float* du) {
    constexpr std::int64_t filters_per_part = 32;
    const std::int64_t tiles = of_x.tiles(), in = of_x.channels, out = of_dy.channels;
#pragma omp parallel
    for (std::int64_t first = 0; first < tiles; first += tiles_of_all) {
        const std::int64_t count = std::min(tiles_of_all, tiles - first);
#pragma omp for schedule(static)
        for (std::int64_t t = 0; t < count; ++t) {
            transform_input(of_x, x, first + t, {v + t * lanes, in, tiles_of_all});
            transform_gradient(of_dy, dy, first + t, {w + t * lanes, out, tiles_of_all});
        }
#pragma omp for collapse(2) schedule(static)
        for (int e = 0; e < elements; ++e)
            for (std::int64_t o = 0; o < out; o += filters_per_part)
                multiply_transposed(w + e * out * tiles_of_all, v + e * in * tiles_of_all, du + e * in * out,
                                    o, std::min(o + filters_per_part, out), count, in, first > 0);
    }
}

/// dw[out,3,3,in] from dU[36][out][in].
void transform_filter_gradients(const float* du, std::int64_t in, std::int64_t out, float* dw) {
#pragma omp parallel for schedule(static)
    for (std::int64_t o = 0; o < out; ++o)
        for (std::int64_t i = 0; i < in; i += lanes) {
            Square<6> sums;
            for (int e = 0; e < elements; ++e) sums[e / 6][e % 6] = load(du + (e * out + o) * in + i);
            const Square<3> filter = both_ways<6, 3>(sums, FilterGradientTransform{});
            for (int k = 0; k < 9; ++k) store(filter[k / 3][k % 3], dw + (o * 9 + k) * in + i);
        }
}

}  // namespace
}  // namespace deepfreq::winograd

namespace deepfreq {

using namespace winograd;

bool Winograd::serves(const Shape& x, const Shape& w, const Conv2dParams& params) {
    constexpr std::int64_t enough_channels = 64;
    constexpr std::int64_t enough_pixels = 256;
    const bool fits = w[1] == 3 && w[2] == 3 && params.stride == 1 && params.padding == 1;
    const TiledImages of_x{x[0], x[1], x[2], x[3]};
    const std::int64_t pixels = x[0] * x[1] * x[2];
    // If most pixels of the tiles do not exist, nothing is saved.
    const bool filled = 2 * pixels >= tile_size * tile_size * of_x.tiles();
    const bool enough = std::min(w[0], w[3]) >= enough_channels && pixels >= enough_pixels && filled;
    const bool whole_vectors = w[0] % columns_at_once == 0 && w[3] % columns_at_once == 0;
    return lanes >= 8 && fits && enough && whole_vectors;
}

Winograd::Winograd(Precision precision, const Shape& x, const Shape& w)
    : rounds_(precision == Precision::BFloat16),
      images_(x[0]),
      height_(x[1]),
      width_(x[2]),
      in_(w[3]),
      out_(w[0]) {}

const float* Winograd::rounded_factor(const float* data, std::int64_t count, float*& room) const {
    if (!rounds_) return data;
    float* const copy = room;
    round_to_bfloat16(data, count, copy);
    room += count;
    return copy;
}

void Winograd::convolve(const float* x, const float* w, float* y, bool back, Workspace& workspace) const {
    const TiledImages from{images_, height_, width_, back ? out_ : in_};
    const TiledImages to{images_, height_, width_, back ? in_ : out_};
    const std::int64_t filters = 9 * in_ * out_, transformed = elements * in_ * out_;
    float* room = workspace.room<float>(room_for_copy(from.size()) + room_for_copy(filters) + transformed +
                                        Convolving::room_for(from, to));
    x = rounded_factor(x, from.size(), room);
    w = rounded_factor(w, filters, room);
    (back ? transform_rotated_filters : transform_filters)(w, in_, out_, room);
    Convolving{from, to, x, room, y, room + transformed}();
}

void Winograd::forward(const float* x, const float* w, float* y, Workspace& workspace) {
    convolve(x, w, y, false, workspace);
}

void Winograd::backward_data(const float* w, const float* dy, float* dx, Workspace& workspace) {
    convolve(dy, w, dx, true, workspace);
}

void Winograd::backward_weights(const float* x, const float* dy, float* dw, Workspace& workspace) {
    const TiledImages of_x{images_, height_, width_, in_}, of_dy{images_, height_, width_, out_};
    const std::int64_t transformed = elements * in_ * out_;
    float* room = workspace.room<float>(room_for_copy(of_x.size()) + room_for_copy(of_dy.size()) +
                                        transformed + elements * (in_ + out_) * tiles_of_all);
    x = rounded_factor(x, of_x.size(), room);
    dy = rounded_factor(dy, of_dy.size(), room);
    float* const v = room + transformed;
    sum_gradients(of_x, of_dy, x, dy, v, v + elements * in_ * tiles_of_all, room);
    transform_filter_gradients(room, in_, out_, dw);
}

}  // namespace deepfreq
