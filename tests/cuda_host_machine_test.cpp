#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "kernels/cuda/spectrum_tile.h"
#include "tests/host_device.h"

// What the host shows of a GPU's ways: copies that arrive late, blocks in any order, misaligned access,
// launches that are too large. Here each mistake is made, and must show.

namespace deepfreq::tests {
namespace {

constexpr int threads_of_test = 64;

/// Each thread copies four floats and reads them after waiting for all groups but the last `Later`.
template <int Later>
struct CopyAndRead {
    static constexpr int threads = threads_of_test;
    struct Shared {
        alignas(16) float x[4 * threads];
    };
    const float* from;
    float* to;
    std::size_t offset = 0;  ///< in floats, of the place in shared memory

    template <class Block>
    void operator()(Block& block, Shared& shared) const {
        const int first = 4 * block.thread();
        if (first + offset + 4 <= std::size(shared.x))
            block.copy_16_bytes(shared.x + first + offset, from + first);
        block.commit_copies();
        block.template wait_for_copies<Later>();
        block.barrier();
        std::copy_n(shared.x + first, 4, to + first);
    }
};

std::vector<float> ascending(std::size_t count) {
    std::vector<float> x(count);
    std::iota(x.begin(), x.end(), 1.0F);
    return x;
}

struct Throw {
    static constexpr int threads = threads_of_test;
    struct Shared {};
    template <class Block>
    void operator()(Block& block, Shared& /*shared*/) const {
        if (block.thread() == 5 && block.index() == 2) throw std::runtime_error("thread 5 of block 2");
        block.barrier();
        block.warp_sum(1.0F);
    }
};

template <int Bytes>
struct Large {
    static constexpr int threads = threads_of_test;
    struct Shared {
        unsigned char bytes[Bytes];
    };
    template <class Block>
    void operator()(Block& /*block*/, Shared& /*shared*/) const {}
};

struct WarpSums {
    static constexpr int threads = threads_of_test;
    struct Shared {};
    const float* x;
    float* sum;
    template <class Block>
    void operator()(Block& block, Shared& /*shared*/) const {
        sum[block.thread()] = block.warp_sum(x[block.thread()]);
    }
};

}  // namespace

TEST_CASE("cuda/host: a copy arrives when it is waited for, and not before") {
    const std::vector<float> from = ascending(4 * threads_of_test);
    std::vector<float> to(from.size());
    run_blocks_on_host(1, CopyAndRead<0>{from.data(), to.data()});
    CHECK(to == from);
    CHECK_THROWS_WITH(run_blocks_on_host(1, CopyAndRead<1>{from.data(), to.data()}),
                      "a block ended before its copies to shared memory");
    CHECK(std::all_of(to.begin(), to.end(), [](float x) { return std::isnan(x); }));
}

TEST_CASE("cuda/host: a misaligned access of 16 bytes is told") {
    const std::vector<float> from = ascending(4 * threads_of_test + 1);
    std::vector<float> to(from.size());
    constexpr const char* told = "an access of 16 bytes is misaligned";
    REQUIRE(cuda::on_16_bytes(from.data()));
    CHECK_THROWS_WITH(run_blocks_on_host(1, CopyAndRead<0>{from.data() + 1, to.data()}), told);
    CHECK_THROWS_WITH(run_blocks_on_host(1, CopyAndRead<0>{from.data(), to.data(), 2}), told);
    CHECK_THROWS_WITH(cuda::as_fours(from.data() + 1), told);
    CHECK_NOTHROW(cuda::as_fours(from.data() + 4));
}

TEST_CASE("cuda/host: an order has every block once, and another number is another order") {
    const auto blocks = [](std::uint32_t seed) {
        std::vector<std::int64_t> sequence;
        const AnyOrder order(7, seed);
        for (std::int64_t i = 0; i < 7; ++i) sequence.push_back(order[i]);
        return sequence;
    };
    CHECK(blocks(1) != blocks(2));
    CHECK(blocks(2) != blocks(3));
    for (const std::int64_t count : {1, 2, 7, 100, 65537})
        for (const std::uint32_t seed : {1U, 99U, 4000000000U}) {
            const AnyOrder order(count, seed);
            std::vector<int> seen(static_cast<std::size_t>(count), 0);
            for (std::int64_t i = 0; i < count; ++i) ++seen[static_cast<std::size_t>(order[i])];
            CHECK(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
        }
}

TEST_CASE("cuda/host: what a thread throws ends all blocks and reaches the caller") {
    CHECK_THROWS_WITH(run_blocks_on_host(5, Throw{}), "thread 5 of block 2");
    CHECK_NOTHROW(run_blocks_on_host(2, Throw{}));
}

TEST_CASE("cuda/host: a launch beyond the device's limits is told") {
    HostDevice device({}, {.shared_bytes = 64 << 10, .threads = 1024, .blocks = 3});
    constexpr const char* told = "a launch is beyond what the device can do";
    CHECK_NOTHROW(device.blocks(3, Large<(64 << 10)>{}));
    CHECK_THROWS_WITH(device.blocks(3, Large<(64 << 10) + 1>{}), told);
    CHECK_THROWS_WITH(device.blocks(4, Large<1>{}), told);
    CHECK_THROWS_WITH(device.blocks(0, Large<1>{}), told);
    HostDevice narrow({}, {.shared_bytes = 64 << 10, .threads = threads_of_test - 1});
    CHECK_THROWS_WITH(narrow.blocks(1, Large<1>{}), told);
}

TEST_CASE("cuda/host: two tiles at once are taken where two blocks of them fit") {
    using cuda::spectrum::tiles_that_fit;
    struct Device {
        const char* capability;
        std::size_t of_block, of_multiprocessor;
        int tiles;
    };
    for (const Device& device : {Device{"7.5", 64, 64, 1},
                                 {"8.0", 163, 164, 2},
                                 {"8.6", 99, 100, 1},
                                 {"8.9", 99, 100, 1},
                                 {"9.0", 227, 228, 2},
                                 {"10.0", 227, 228, 2}}) {
        INFO("compute capability ", device.capability);
        CHECK(tiles_that_fit(device.of_block << 10, device.of_multiprocessor << 10) == device.tiles);
    }
    CHECK(sizeof(cuda::spectrum::TileMemory<1>) <= 48 << 10);  // what any device has unasked
}

TEST_CASE("cuda/host: a warp's sum is that of its 32 threads, for each of them") {
    const std::vector<float> x = ascending(threads_of_test);
    std::vector<float> sum(x.size());
    run_blocks_on_host(1, WarpSums{x.data(), sum.data()});
    for (std::size_t i = 0; i < sum.size(); ++i) CHECK(sum[i] == (i < 32 ? 528.0F : 1552.0F));
}

}  // namespace deepfreq::tests
