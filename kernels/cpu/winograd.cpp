#include "kernels/cpu/winograd.h"

#include <omp.h>

#include <algorithm>

#include "kernels/cpu/bfloat16.h"
#include "kernels/cpu/winograd_transforms.h"

// The memory of a block of tiles is [36][channels / lanes][tiles][lanes]: panels of one vector of channels, so
// that transforms work on whole vectors, and products read either factor in order.

namespace deepfreq {
namespace {

using namespace winograd;

/// Products of rows and vectors of columns that are kept in registers: enough of them to hide the latency of
/// a multiplication.
constexpr int vectors_at_once = 2;
constexpr int columns_at_once = vectors_at_once * lanes;
constexpr int tiles_at_once = lanes == 16 ? 12 : 6;
constexpr int filters_at_once = lanes == 16 ? 8 : 4;

/// Tiles of a block, which stay in the second-level cache while they are transformed and multiplied. If the
/// transformed filters are more than the last cache holds, they are read from memory for every block: then
/// there are as few blocks as threads, up to `most_tiles`.
constexpr std::int64_t cached_tiles = 24, most_tiles = 96;
constexpr std::int64_t cached_filters = std::int64_t{4} << 20;
/// The same for the filters' gradients, whose sums are read and written once per block. So the order of these
/// sums does not depend on the number of threads.
constexpr std::int64_t tiles_per_sum = 128;

std::int64_t rounded_up(std::int64_t count, std::int64_t step) {
    return (count + step - 1) / step * step;
}

/// M[tile][out] = sum over in of V[tile][in] U[in][out], for one of the 36 elements. v and m are panels of
/// `stride` tiles, of which `tiles` are there; u is [out / lanes][in][lanes].
void multiply(const float* v, const float* u, float* m, std::int64_t tiles, std::int64_t stride,
              std::int64_t in, std::int64_t out) {
    for (std::int64_t o = 0; o < out; o += columns_at_once)
        for (std::int64_t t = 0; t < tiles; t += tiles_at_once) {
            Vector sum[tiles_at_once][vectors_at_once] = {};
            const float* of_u = u + o * in;
            for (std::int64_t i = 0; i < in; i += lanes) {
                const float* const of_v = v + i * stride + t * lanes;
                for (int k = 0; k < lanes; ++k, of_u += lanes) {
                    Vector column[vectors_at_once];
#pragma GCC unroll 2
                    for (int c = 0; c < vectors_at_once; ++c) column[c] = load(of_u + c * in * lanes);
#pragma GCC unroll 12
                    for (int r = 0; r < tiles_at_once; ++r)
#pragma GCC unroll 2
                        for (int c = 0; c < vectors_at_once; ++c)
                            sum[r][c] += column[c] * of_v[r * lanes + k];
                }
            }
            for (int r = 0; r < tiles_at_once; ++r)
                for (int c = 0; c < vectors_at_once; ++c)
                    store(sum[r][c], m + (o + c * lanes) * stride + (t + r) * lanes);
        }
}

/// dU[out][in] = [dU +] sum over tiles of W[tile][out] V[tile][in], for `filters` rows of dU.
void multiply_transposed(const float* w, const float* v, float* du, std::int64_t first, std::int64_t filters,
                         std::int64_t tiles, std::int64_t in, bool add) {
    for (std::int64_t i = 0; i < in; i += columns_at_once)
        for (std::int64_t o = first; o < first + filters; o += filters_at_once) {
            Vector sum[filters_at_once][vectors_at_once] = {};
            const float* of_w = w + o / lanes * lanes * tiles_per_sum + o % lanes;
            const float* of_v = v + i * tiles_per_sum;
            for (std::int64_t t = 0; t < tiles; ++t, of_w += lanes, of_v += lanes) {
                Vector column[vectors_at_once];
#pragma GCC unroll 2
                for (int c = 0; c < vectors_at_once; ++c) column[c] = load(of_v + c * tiles_per_sum * lanes);
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
struct Tiled {
    std::int64_t images, height, width, channels;

    std::int64_t down() const { return (height + tile - 1) / tile; }
    std::int64_t across() const { return (width + tile - 1) / tile; }
    std::int64_t tiles() const { return images * down() * across(); }
    std::int64_t size() const { return images * height * width * channels; }
    std::int64_t pixel(std::int64_t image, std::int64_t row, std::int64_t column) const {
        return ((image * height + row) * width + column) * channels;
    }

    /// The first pixel of a tile.
    struct Place {
        std::int64_t image, row, column;
    };
    Place place(std::int64_t index) const {
        return {index / across() / down(), index / across() % down() * tile, index % across() * tile};
    }
};

/// The elements of one tile in a block: [36][channels / lanes][stride tiles][lanes], from that tile on.
struct Elements {
    float* data;
    std::int64_t channels, stride;

    float* at(int element, std::int64_t channel) const {
        return data + (element * channels + channel) * stride;
    }
};

/// Tile `index` with its border, transformed: V.
void transform_input(const Tiled& of, const float* x, std::int64_t index, const Elements& v) {
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
void transform_gradient(const Tiled& of, const float* dy, std::int64_t index, const Elements& w) {
    const auto [image, row, column] = of.place(index);
    for (std::int64_t c = 0; c < of.channels; c += lanes) {
        Square<4> pixels{};
        for (int r = 0; r < tile && row + r < of.height; ++r)
            for (int s = 0; s < tile && column + s < of.width; ++s)
                pixels[r][s] = load(dy + of.pixel(image, row + r, column + s) + c);
        const Square<6> transformed = both_ways<4, 6>(pixels, GradientTransform{});
        for (int e = 0; e < elements; ++e) store(transformed[e / 6][e % 6], w.at(e, c));
    }
}

/// The products of tile `index`, transformed to its pixels.
void transform_output(const Tiled& of, const Elements& m, std::int64_t index, float* y) {
    const auto [image, row, column] = of.place(index);
    for (std::int64_t c = 0; c < of.channels; c += lanes) {
        Square<6> products;
        for (int e = 0; e < elements; ++e) products[e / 6][e % 6] = load(m.at(e, c));
        const Square<4> pixels = both_ways<6, 4>(products, OutputTransform{});
        for (int r = 0; r < tile && row + r < of.height; ++r)
            for (int s = 0; s < tile && column + s < of.width; ++s)
                store(pixels[r][s], y + of.pixel(image, row + r, column + s) + c);
    }
}

/// Filters w[out,3,3,in] as U[36][out / lanes][in][lanes].
void transform_filters(const float* w, std::int64_t in, std::int64_t out, float* u) {
#pragma omp parallel for schedule(static)
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

/// Filters turned by 180 degrees, from out to in: U[36][in / lanes][out][lanes].
void transform_turned_filters(const float* w, std::int64_t in, std::int64_t out, float* u) {
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < in; i += lanes)
        for (std::int64_t o = 0; o < out; ++o) {
            Square<3> filter;
            for (int k = 0; k < 9; ++k) filter[k / 3][k % 3] = load(w + (o * 9 + 8 - k) * in + i);
            const Square<6> transformed = both_ways<3, 6>(filter, FilterTransform{});
            for (int e = 0; e < elements; ++e)
                store(transformed[e / 6][e % 6], u + (e * in + i) * out + o * lanes);
        }
}

/// Number of tiles of a block. No result depends on it.
std::int64_t tiles_per_block(std::int64_t tiles, std::int64_t in, std::int64_t out) {
    const std::int64_t threads = omp_get_max_threads();
    const std::int64_t most = elements * in * out > cached_filters ? most_tiles : cached_tiles;
    const std::int64_t blocks = rounded_up((tiles + most - 1) / most, threads);
    return rounded_up((tiles + blocks - 1) / blocks, tiles_at_once);
}

/// Floats that convolve() needs room for.
std::int64_t room_to_convolve(std::int64_t tiles, std::int64_t in, std::int64_t out) {
    return omp_get_max_threads() * elements * (in + out) * tiles_per_block(tiles, in, out);
}

/// y = x convolved with the filters of U.
void convolve(const Tiled& from, const Tiled& to, const float* x, const float* u, float* y, float* room) {
    const std::int64_t tiles = from.tiles(), in = from.channels, out = to.channels;
    const std::int64_t stride = tiles_per_block(tiles, in, out);
#pragma omp parallel for schedule(static)
    for (std::int64_t first = 0; first < tiles; first += stride) {
        float* const v = room + omp_get_thread_num() * elements * (in + out) * stride;
        float* const m = v + elements * in * stride;
        const std::int64_t count = std::min(stride, tiles - first);
        for (std::int64_t t = 0; t < count; ++t)
            transform_input(from, x, first + t, {v + t * lanes, in, stride});
        for (int e = 0; e < elements; ++e)
            multiply(v + e * in * stride, u + e * in * out, m + e * out * stride, count, stride, in, out);
        for (std::int64_t t = 0; t < count; ++t)
            transform_output(to, {m + t * lanes, out, stride}, first + t, y);
    }
}

/// dU[36][out][in], the gradients of the transformed filters. v and w have room for tiles_per_sum tiles.
void sum_gradients(const Tiled& of_x, const Tiled& of_dy, const float* x, const float* dy, float* v, float* w,
                   float* du) {
    constexpr std::int64_t filters_per_part = 64;
    const std::int64_t tiles = of_x.tiles(), in = of_x.channels, out = of_dy.channels;
    const std::int64_t parts = (out + filters_per_part - 1) / filters_per_part;
#pragma omp parallel
    for (std::int64_t first = 0; first < tiles; first += tiles_per_sum) {
        const std::int64_t count = std::min(tiles_per_sum, tiles - first);
#pragma omp for schedule(static)
        for (std::int64_t t = 0; t < count; ++t) {
            transform_input(of_x, x, first + t, {v + t * lanes, in, tiles_per_sum});
            transform_gradient(of_dy, dy, first + t, {w + t * lanes, out, tiles_per_sum});
        }
#pragma omp for schedule(static)
        for (std::int64_t part = 0; part < elements * parts; ++part) {
            const std::int64_t e = part / parts, from = part % parts * filters_per_part;
            multiply_transposed(w + e * out * tiles_per_sum, v + e * in * tiles_per_sum, du + e * in * out,
                                from, std::min(filters_per_part, out - from), count, in, first > 0);
        }
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

bool Winograd::serves(const Shape& x, const Shape& w, const Conv2dParams& params) {
    constexpr std::int64_t enough_channels = 64;
    constexpr std::int64_t enough_pixels = 256;
    const bool tiles = w[1] == 3 && w[2] == 3 && params.stride == 1 && params.padding == 1;
    const bool enough = std::min(w[0], w[3]) >= enough_channels && x[0] * x[1] * x[2] >= enough_pixels;
    const bool whole_vectors = w[0] % columns_at_once == 0 && w[3] % columns_at_once == 0;
    return lanes >= 8 && tiles && enough && whole_vectors;
}

Winograd::Winograd(Precision precision, const Shape& x, const Shape& w)
    : rounds_(precision == Precision::BFloat16),
      images_(x[0]),
      height_(x[1]),
      width_(x[2]),
      in_(w[3]),
      out_(w[0]) {}

/// `data`, or its copy in `room`, rounded. Then `room` begins after it.
const float* Winograd::factor(const float* data, std::int64_t count, float*& room) const {
    if (!rounds_) return data;
    float* const copy = room;
    round_to_bfloat16(data, count, copy);
    room += count;
    return copy;
}

void Winograd::forward(const float* x, const float* w, float* y, Workspace& workspace) {
    const Tiled of_x{images_, height_, width_, in_}, of_y{images_, height_, width_, out_};
    const std::int64_t filters = elements * in_ * out_;
    float* room = workspace.room<float>(rounded(of_x.size()) + rounded(9 * in_ * out_) + filters +
                                        room_to_convolve(of_x.tiles(), in_, out_));
    x = factor(x, of_x.size(), room);
    w = factor(w, 9 * in_ * out_, room);
    transform_filters(w, in_, out_, room);
    convolve(of_x, of_y, x, room, y, room + filters);
}

void Winograd::backward_data(const float* w, const float* dy, float* dx, Workspace& workspace) {
    const Tiled of_x{images_, height_, width_, in_}, of_dy{images_, height_, width_, out_};
    const std::int64_t filters = elements * in_ * out_;
    float* room = workspace.room<float>(rounded(of_dy.size()) + rounded(9 * in_ * out_) + filters +
                                        room_to_convolve(of_x.tiles(), out_, in_));
    dy = factor(dy, of_dy.size(), room);
    w = factor(w, 9 * in_ * out_, room);
    transform_turned_filters(w, in_, out_, room);
    convolve(of_dy, of_x, dy, room, dx, room + filters);
}

void Winograd::backward_weights(const float* x, const float* dy, float* dw, Workspace& workspace) {
    const Tiled of_x{images_, height_, width_, in_}, of_dy{images_, height_, width_, out_};
    const std::int64_t filters = elements * in_ * out_;
    float* room = workspace.room<float>(rounded(of_x.size()) + rounded(of_dy.size()) + filters +
                                        elements * (in_ + out_) * tiles_per_sum);
    x = factor(x, of_x.size(), room);
    dy = factor(dy, of_dy.size(), room);
    float* const v = room + filters;
    sum_gradients(of_x, of_dy, x, dy, v, v + elements * in_ * tiles_per_sum, room);
    transform_filter_gradients(room, in_, out_, dw);
}

}  // namespace deepfreq
