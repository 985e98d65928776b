#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/host_device.h"
#include "kernels/cuda/launch_shape.h"

// How the pairs of samples are divided into blocks and passes: pure functions of the problem and the device.

namespace deepfreq::cuda::spectrum {

/// A block of threads has one row per thread, and goes through the other samples (its columns) tile by tile.
inline constexpr int tile_rows = 128;
inline constexpr int tile_columns = 64;

/// Tiles whose distances a block keeps at most.
inline constexpr int most_tiles = 2;

/// Number of blocks wanted, in multiples of what the device can hold: the last wave is then a small part.
inline constexpr std::int64_t waves_wanted = 4;

/// Targets that are summed at a time, in registers: two instructions of eight. And the most weights per chain,
/// each of which needs its own sums.
inline constexpr int targets_at_once = 16;
inline constexpr int longest_chain = 5;

/// Sorted samples first … last-1 that share a sum: part of one class, or (general targets) of all.
struct Segment {
    std::int64_t first, last;
    std::int32_t label;
};

/// The samples divided into parts; the columns of a block are one of them. A part is one or more segments.
struct Partition {
    std::vector<Segment> segments;
    std::vector<std::int32_t> first_segment;  ///< of each part, followed by the number of segments
};

/// starts[s] is the first sample of class s; the last entry is n. Parts have equal size, up to multiples
/// of `unit` samples.
inline Partition partition(std::span<const std::int64_t> starts, int parts, int unit = tile_columns) {
    const std::int64_t n = starts.back();
    const std::int64_t tiles = blocks_for(n, unit);
    const auto labels = static_cast<std::int32_t>(starts.size()) - 1;
    Partition out;
    out.segments.reserve(starts.size() + static_cast<std::size_t>(parts));
    out.first_segment.reserve(static_cast<std::size_t>(parts) + 1);
    std::int32_t label = 0;
    for (int part = 0; part < parts; ++part) {
        out.first_segment.push_back(static_cast<std::int32_t>(out.segments.size()));
        const std::int64_t last = std::min(n, tiles * (part + 1) / parts * unit);
        for (std::int64_t first = tiles * part / parts * unit; first < last;) {
            while (label < labels && starts[static_cast<std::size_t>(label) + 1] <= first) ++label;
            const std::int64_t end = std::min(last, starts[static_cast<std::size_t>(label) + 1]);
            out.segments.push_back({first, end, label});
            first = end;
        }
    }
    out.first_segment.push_back(static_cast<std::int32_t>(out.segments.size()));
    return out;
}

/// What the device offers.
struct Limits {
    std::int64_t resident_blocks = 264;                      ///< blocks that run at the same time
    std::int64_t workspace_bytes = std::int64_t{448} << 20;  ///< for the sums of one pass
    std::int64_t direct_rows = 512;                          ///< up to so many, all distances by differences
    int tiles_at_once = 1;  ///< tiles whose distances a block keeps: 1 or most_tiles
    std::int64_t symmetric_bytes = std::int64_t{1}
                                   << 30;  ///< for the sums of a symmetric pass, which is all or nothing
};

/// What the sums depend on.
struct Problem {
    std::int64_t rows;     ///< that receive
    std::int64_t samples;  ///< that give
    int nodes;
    std::int64_t runs;  ///< classes that occur; 1 for general targets
    int columns;        ///< sums per segment: 1 for one-hot targets, else c + 1
};

/// Cost of a pair's distance, in units of its weight's at one node: from the instruction counts of products and of
/// differences (benchmarks/results/lfr-cuda-steps.md).
constexpr double cost_of_distance(int chunks, bool direct) {
    return (direct ? 7.0 : 0.875) * chunks;
}

/// One pass over the pairs: some rows, some nodes, all columns in `parts`. If symmetric, over all pairs at all
/// nodes, each two parts together.
struct Pass {
    int parts;
    std::int64_t row_blocks;
    int nodes;
    bool symmetric = false;
};

/// Bytes needed by a pass for the sums of each segment.
inline std::int64_t pass_bytes(const Problem& problem, const Pass& pass) {
    const std::int64_t sums = (problem.runs + pass.parts - 1) * problem.columns;
    return pass.row_blocks * pass.nodes * tile_rows * sums * std::int64_t{sizeof(double)};
}

/// The largest passes that fit: all nodes if `least_blocks` blocks of threads (or all there are) then still
/// fit, otherwise fewer nodes. (One row block at `longest_chain` nodes is taken even if it is too large: more
/// than 90000 targets.)
inline Pass plan_pass(const Problem& problem, const Limits& limits, std::int64_t least_blocks) {
    const std::int64_t row_blocks = blocks_for(problem.rows, tile_rows);
    const std::int64_t tiles = blocks_for(problem.samples, tile_columns);
    Pass pass{1, row_blocks, problem.nodes};
    const auto blocks_that_fit = [&] {
        return std::min(row_blocks,
                        limits.workspace_bytes / pass_bytes(problem, {pass.parts, 1, pass.nodes}));
    };
    while (true) {
        pass.parts = 1;
        pass.row_blocks = std::max<std::int64_t>(1, blocks_that_fit());
        pass.parts = static_cast<int>(std::clamp<std::int64_t>(
            blocks_for(waves_wanted * limits.resident_blocks, pass.row_blocks), 1, tiles));
        const std::int64_t busy = std::min(least_blocks, row_blocks * pass.parts);
        while ((pass.row_blocks = blocks_that_fit()) == 0 && pass.parts > 1)
            pass.parts = (pass.parts + 1) / 2;
        if (pass.row_blocks * pass.parts >= busy || pass.nodes <= longest_chain) break;
        pass.nodes = static_cast<int>(blocks_for(pass.nodes / 2, longest_chain) * longest_chain);
    }
    pass.row_blocks = std::max<std::int64_t>(1, pass.row_blocks);
    const std::int64_t passes = blocks_for(row_blocks, pass.row_blocks);
    pass.row_blocks = blocks_for(row_blocks, passes);
    return pass;
}

/// At nodes: a pass that fills an eighth of the device usually takes less time than all those at the widths,
/// each of which computes all distances.
inline Pass plan_pass_at_nodes(const Problem& problem, const Limits& limits) {
    return plan_pass(problem, limits, std::max<std::int64_t>(1, limits.resident_blocks / 8));
}

/// At widths: as many per pass as leave the device busy.
inline Pass plan_pass_at_widths(const Problem& problem, const Limits& limits) {
    return plan_pass(problem, limits, 2 * limits.resident_blocks);
}

/// The same for listed rows. What divides a row's sums (parts and nodes) depends only on the samples and the
/// device. So they are added in an order of their own, whatever else is listed.
inline Pass plan_listed_pass(const Problem& problem, const Limits& limits) {
    const std::int64_t tiles = blocks_for(problem.samples, tile_columns);
    Pass pass{static_cast<int>(std::clamp<std::int64_t>(limits.resident_blocks / 2, 1, tiles)), 1,
              problem.nodes};
    while (pass.parts > 1 && pass_bytes(problem, pass) > limits.workspace_bytes)
        pass.parts = (pass.parts + 1) / 2;
    while (pass.nodes > longest_chain && pass_bytes(problem, pass) > limits.workspace_bytes)
        pass.nodes = static_cast<int>(blocks_for(pass.nodes / 2, longest_chain) * longest_chain);
    pass.row_blocks = std::clamp<std::int64_t>(limits.workspace_bytes / pass_bytes(problem, pass), 1,
                                               blocks_for(problem.rows, tile_rows));
    return pass;
}

/// Two parts whose pairs are one block's.
struct Square {
    int rows, columns;
};

/// One for every two parts, and one for each part with itself.
constexpr std::int64_t squares_of(std::int64_t parts) {
    return parts * (parts + 1) / 2;
}
constexpr DEEPFREQ_HOST_DEVICE Square square_of(std::int64_t index, int parts) {
    int rows = 0;
    for (; index >= parts - rows; ++rows) index -= parts - rows;
    return {rows, rows + static_cast<int>(index)};
}

/// Estimated duration of all passes, in units of that of 128 x 128 weights at one node: 4 ns on an H100, whose
/// memory moves 14 KB meanwhile. As many squares as run at a time take as long as the largest.
inline double duration_of(const Problem& problem, const Pass& pass, double distance, const Limits& limits) {
    const std::int64_t row_blocks = blocks_for(problem.rows, tile_rows);
    const std::int64_t waves = blocks_for(squares_of(pass.parts), limits.resident_blocks);
    const std::int64_t largest = blocks_for(row_blocks, pass.parts);
    const auto pairs = static_cast<double>(pass.symmetric ? waves * limits.resident_blocks * largest * largest
                                                          : row_blocks * row_blocks);
    const std::int64_t passes = blocks_for(row_blocks, pass.row_blocks);
    const double sums_written_and_read = static_cast<double>(2 * passes * pass_bytes(problem, pass)) / 14e3;
    return pairs * (distance + (pass.symmetric ? 2.0 : 1.0) * problem.nodes) + sums_written_and_read;
}

/// A pass that takes each pair once, if all its sums fit and that saves 5 % of the time; otherwise `pass`.
/// `distance` is the cost_of_distance.
inline Pass or_symmetric(const Pass& pass, const Problem& problem, double distance, const Limits& limits) {
    constexpr double worth = 0.95;  // more parts take more memory
    const std::int64_t row_blocks = blocks_for(problem.rows, tile_rows);
    if (limits.tiles_at_once < most_tiles) return pass;
    Pass best = pass;
    double least = duration_of(problem, pass, distance, limits);
    for (int parts = 2; parts <= row_blocks; ++parts) {
        const Pass symmetric{parts, row_blocks, problem.nodes, true};
        if (pass_bytes(problem, symmetric) > limits.symmetric_bytes) break;
        const double duration = duration_of(problem, symmetric, distance, limits);
        if (duration > worth * least) continue;
        least = duration;
        best = symmetric;
    }
    return best;
}

}  // namespace deepfreq::cuda::spectrum
