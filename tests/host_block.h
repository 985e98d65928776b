#pragma once

#include <atomic>
#include <barrier>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/cuda/block.h"

namespace deepfreq::tests {

/// One in so many inputs must do where a sanitizer watches: barriers then cost much. A race hardly depends on
/// the input, and what an address depends on recurs in the table of cases.
#if defined(__SANITIZE_THREAD__)
inline constexpr int one_input_in = 12;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr int one_input_in = 4;
#else
inline constexpr int one_input_in = 1;
#endif

/// One of the threads of a block (kernels/cuda/block.h) as a thread of the host.
class HostBlock {
  public:
    struct Meeting {
        explicit Meeting(int threads) : barrier(threads) {}
        std::barrier<> barrier;
        std::atomic<int> votes = 0;
    };

    HostBlock(Meeting& meeting, int thread, std::int64_t index, std::int64_t blocks)
        : meeting_(meeting), thread_(thread), index_(index), blocks_(blocks) {}

    int thread() const { return thread_; }
    std::int64_t index() const { return index_; }
    std::int64_t blocks() const { return blocks_; }
    void barrier() const { meeting_.barrier.arrive_and_wait(); }
    bool any(bool mine) const {
        if (mine) meeting_.votes.fetch_add(1);
        barrier();
        const bool found = meeting_.votes.load() > 0;
        barrier();
        if (mine) meeting_.votes.fetch_sub(1);
        barrier();
        return found;
    }

  private:
    Meeting& meeting_;
    int thread_;
    std::int64_t index_, blocks_;
};

/// Runs a kernel's blocks one after the other, the threads of each at the same time. What they share begins
/// as NaN, as nothing promises zeros on the device.
template <class Kernel>
void run_blocks_on_host(std::int64_t blocks, const Kernel& kernel) {
    const auto shared = std::make_unique<typename Kernel::Shared>();
    HostBlock::Meeting meeting(Kernel::threads);
    std::vector<std::jthread> threads;
    threads.reserve(Kernel::threads);
    for (int thread = 0; thread < Kernel::threads; ++thread)
        threads.emplace_back([&, thread] {
            for (std::int64_t index = 0; index < blocks; ++index) {
                HostBlock block(meeting, thread, index, blocks);
                block.barrier();
                if (thread == 0) std::memset(static_cast<void*>(shared.get()), 0xFF, sizeof *shared);
                block.barrier();
                kernel(block, *shared);
            }
        });
}

}  // namespace deepfreq::tests
