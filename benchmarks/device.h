#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "kernels/backend.h"

namespace deepfreq::benchmarks {

/// The device that all benchmarks run on, opened once, as specified by --device=NAME and
/// --precision=fp32|tf32|bf16 on the command line; by default the CPU in fp32.
Backend& device();

/// `count` standard normal numbers; a pure function of the stream.
std::vector<float> normals(std::int64_t count, std::uint32_t stream);

/// Device memory that holds these values.
template <class T>
Buffer uploaded(const std::vector<T>& values) {
    Buffer buffer = device().allocate(values.size() * sizeof(T));
    device().upload(std::span<const T>(values), buffer.view<T>({static_cast<std::int64_t>(values.size())}));
    return buffer;
}

/// Reports `amount` (flop, bytes …) per iteration as a rate of that name.
inline void report_rate(benchmark::State& state, const char* name, double amount) {
    state.counters[name] = benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace deepfreq::benchmarks
