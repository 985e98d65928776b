#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "common/philox.h"
#include "kernels/cuda/spectrum_driver.h"
#include "tests/host_device.h"

// The distances of a tile as the GPU makes them, with a matrix unit that truncates as much as any is known
// to.

namespace deepfreq::tests {
namespace {

using namespace cuda;
using namespace cuda::spectrum;

/// Writes the distances of one tile: out[column][row].
struct WriteDistances {
    static constexpr int threads = tile_rows;
    using Shared = TileMemory<1>;
    Pairs x;
    Tile tile;
    float* out;

    template <class Block>
    void operator()(Block& block, Shared& shared) const {
        make_distances<MatrixUnitOnHost::Products>(block, shared.stage(), shared.judging.near_pairs,
                                                   shared.made.distance, x, tile);
        for (int j = 0; j < tile.columns; ++j)
            out[j * tile_rows + block.thread()] = shared.made.distance[distance_of(block.thread(), j)];
    }
};

/// Features x[n,d], n up to 64, one tile; value(row, column) of each.
struct Rows {
    int n;
    std::int64_t d;
    std::vector<float> x;

    Rows(int rows, std::int64_t columns, const std::function<double(int, std::int64_t)>& value)
        : n(rows), d(columns) {
        for (int i = 0; i < n; ++i)
            for (std::int64_t k = 0; k < d; ++k) x.push_back(static_cast<float>(value(i, k)));
    }
    double exact(int i, int j) const {
        double sum = 0.0;
        for (std::int64_t k = 0; k < d; ++k) {
            const double difference = static_cast<double>(x[static_cast<std::size_t>(i * d + k)]) -
                                      static_cast<double>(x[static_cast<std::size_t>(j * d + k)]);
            sum += difference * difference;
        }
        return sum;
    }
};

/// The largest relative error of the distances of different rows.
double largest_error(const Rows& rows, bool direct = false) {
    HostDevice device({1, std::int64_t{1} << 30, direct ? rows.n : 0, 1});
    std::vector<std::int32_t> order(static_cast<std::size_t>(rows.n));
    std::iota(order.begin(), order.end(), 0);
    const ListedRows<HostDevice> none(device, {}, order.data(), rows.n);
    const Features<HostDevice> features(device, {rows.x.data(), {rows.n, rows.d}}, {}, order.data(), none);
    std::vector<float> found(tile_rows * tile_columns);
    device.blocks(1, WriteDistances{features.pairs(), {0, 0, rows.n}, found.data()});
    double largest = 0.0;
    for (int i = 0; i < rows.n; ++i)
        for (int j = 0; j < rows.n; ++j) {
            const double exact = rows.exact(i, j) / features.unit() / features.unit();
            const double value = static_cast<double>(found[j * tile_rows + i]);
            if (i != j) largest = std::max(largest, std::fabs(value - exact) / exact);
        }
    return largest;
}

}  // namespace

TEST_CASE("kernels/cuda spectrum: a distance errs by at most 2.5e-6 of itself") {
    const Philox random(7, RandomUse::Functions);
    double largest = 0.0;
    for (const std::int64_t d : {33, 64, 512, 3072})
        for (const double noise : {0.02, 0.3, 0.577, 0.65, 1.0, 10.0}) {  // from 0.577 on none is near
            if (few_inputs_only && (d > 33 || noise < 0.65)) continue;
            std::uint64_t next = 0;
            const Rows one_sign(24, d, [&](int i, std::int64_t) {
                return (i % 2 == 0 ? 1.0 : -1.0) + noise * random.normal(next++);
            });
            const Rows clusters(24, d, [&](int i, std::int64_t k) {
                return random.normal(std::uint64_t{1} << 40 | static_cast<std::uint64_t>(i % 4 * d + k)) +
                       noise * random.normal(next++);
            });
            for (const Rows* const rows : {&one_sign, &clusters}) {
                const double error = largest_error(*rows);
                INFO(d, " columns, noise ", noise);
                CHECK(error <= 2.5e-6);
                largest = std::max(largest, error);
            }
        }
    CHECK(largest > 1e-6);  // as the proof says: it is the matrix unit's
}

TEST_CASE("kernels/cuda spectrum: distances of a hundred thousand columns that differ alike lose no digits") {
    if (few_inputs_only) return;
    const Rows rows(5, 100000, [](int i, std::int64_t) { return 0.1 * std::sqrt(static_cast<double>(i)); });
    CHECK(largest_error(rows) <= 2.5e-6);
    CHECK(largest_error(rows, true) <= 2.5e-6);
}

TEST_CASE("kernels/cuda spectrum: near pairs are taken one by one, the whole tile only where they are many") {
    const Philox random(8, RandomUse::Functions);
    for (const int twins : {0, 1, 16, 32}) {
        if (few_inputs_only && twins % 16 == 0) continue;  // rows that come again, a millionth away
        std::uint64_t next = 0;
        Rows rows(64, 130, [&](int, std::int64_t) { return random.normal(next++); });
        for (int i = 0; i < twins; ++i)
            for (std::int64_t k = 0; k < rows.d; ++k)
                rows.x[static_cast<std::size_t>((63 - i) * rows.d + k)] =
                    rows.x[static_cast<std::size_t>(i * rows.d + k)] * (1.0F + 1e-6F);
        INFO(twins, " twins");
        CHECK(largest_error(rows) <= 2.5e-6);
    }
    const Rows collapsed(64, 130, [&](int i, std::int64_t k) {
        return random.normal(static_cast<std::uint64_t>(k)) +
               1e-5 * random.normal(static_cast<std::uint64_t>(i * 130 + k));
    });
    CHECK(largest_error(collapsed) <= 2.5e-6);
}

}  // namespace deepfreq::tests
