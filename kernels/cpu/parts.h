#pragma once

#include <array>
#include <cstdint>

namespace deepfreq {

/// Below this many elements, waking the other threads costs more than it saves.
inline constexpr std::int64_t parallel_threshold = 1 << 14;

/// Number of parts that a reduction is split into, however many threads there are. So its order, and with it
/// every bit of its result, does not depend on the number of threads.
inline constexpr int part_count = 64;

/// Calls work(part, first, last) for each part of [0, count), in parallel if many `elements` are touched.
template <class Work>
void for_each_part(std::int64_t count, std::int64_t elements, const Work& work) {
#pragma omp parallel for schedule(static) if (elements >= parallel_threshold)
    for (int part = 0; part < part_count; ++part)
        work(part, count * part / part_count, count * (part + 1) / part_count);
}

/// The sum of partial_sum(first, last) over the parts of [0, count), always added in the same order.
template <class PartialSum>
double sum_in_fixed_order(std::int64_t count, std::int64_t elements, const PartialSum& partial_sum) {
    std::array<double, part_count> partial{};
    for_each_part(count, elements, [&](int part, std::int64_t first, std::int64_t last) {
        partial[static_cast<std::size_t>(part)] = partial_sum(first, last);
    });
    double sum = 0.0;
    for (const double value : partial) sum += value;
    return sum;
}

/// Sum of x^2, in double.
inline double squares(const float* x, std::int64_t count) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
}

}  // namespace deepfreq
