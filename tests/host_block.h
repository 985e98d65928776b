#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

#include "kernels/cuda/block.h"
#include "kernels/cuda/four.h"
#include "tests/host_team.h"

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

/// Such a test also leaves out what has many columns, and settings beyond a few.
inline constexpr bool few_inputs_only = one_input_in > 1;

/// One of the threads of a block (kernels/cuda/block.h) as a thread of the host. Stricter than a GPU where a
/// GPU would only sometimes show a mistake: copies arrive as late as they may.
class HostBlock {
  public:
    /// Where the threads of a block meet.
    struct Meeting {
        explicit Meeting(int threads) : barrier(threads), warps(static_cast<std::size_t>(threads / 32)) {}

        struct Warp {
            HostBarrier barrier{32};
            float value[32] = {};
        };
        HostBarrier barrier;
        std::deque<Warp> warps;
        std::int64_t index = 0;  ///< of the block that is run
    };

    HostBlock(Meeting& meeting, int thread, std::int64_t index, std::int64_t blocks)
        : meeting_(meeting), thread_(thread), index_(index), blocks_(blocks) {}

    int thread() const { return thread_; }
    std::int64_t index() const { return index_; }
    std::int64_t blocks() const { return blocks_; }
    void barrier() const { meeting_.barrier.arrive_and_wait(); }
    int fetch_add(int& shared, int value) const { return std::atomic_ref(shared).fetch_add(value); }

    float warp_sum(float mine) const {
        Meeting::Warp& warp = meeting_.warps[static_cast<std::size_t>(thread_ / 32)];
        warp.value[thread_ % 32] = mine;
        warp.barrier.arrive_and_wait();
        float sum[32];
        std::memcpy(sum, warp.value, sizeof sum);
        warp.barrier.arrive_and_wait();
        for (int distance = 16; distance > 0; distance /= 2)  // the device's order
            for (int lane = 0; lane < distance; ++lane) sum[lane] += sum[lane + distance];
        return sum[0];
    }

    /// Until the copy is waited for, its place holds NaN.
    void copy_16_bytes(void* shared, const void* global) {
        cuda::require_16_bytes(shared);
        cuda::require_16_bytes(global);
        std::memset(shared, 0xFF, 16);
        open_group_.push_back({shared, global});
    }
    void commit_copies() {
        groups_.push_back(std::move(open_group_));
        open_group_.clear();
    }
    template <int Later>
    void wait_for_copies() {
        for (; groups_.size() > Later; groups_.pop_front())
            for (const Copy& copy : groups_.front()) std::memcpy(copy.shared, copy.global, 16);
    }

    /// At the end of the kernel: throws if a copy was never waited for.
    void finish() const {
        bool pending = !open_group_.empty();
        for (const auto& group : groups_) pending |= !group.empty();
        if (pending) throw std::logic_error("a block ended before its copies to shared memory");
    }

  private:
    struct Copy {
        void* shared;
        const void* global;
    };

    Meeting& meeting_;
    int thread_;
    std::int64_t index_, blocks_;
    std::vector<Copy> open_group_;
    std::deque<std::vector<Copy>> groups_;
};

/// The order in which blocks, and the threads of an `each`, begin: any one must do. Another number is another
/// order.
inline std::atomic<std::uint32_t> host_order = 1;

/// Runs a kernel's blocks, two at a time where there are two, in a random order; the threads of each at the
/// same time. What they share begins as NaN, as nothing promises zeros on the device. Throws what a thread
/// throws.
template <class Kernel>
void run_blocks_on_host(std::int64_t blocks, const Kernel& kernel) {
    struct Resident {
        HostBlock::Meeting meeting{Kernel::threads};
        std::unique_ptr<typename Kernel::Shared> shared = std::make_unique<typename Kernel::Shared>();
    };
    const int residents = blocks > 1 ? 2 : 1;
    std::deque<Resident> resident(static_cast<std::size_t>(residents));
    const AnyOrder order(blocks, host_order);
    std::atomic<std::int64_t> next = 0;
    HostTeam::of(residents * Kernel::threads).run([&](int member, const HostTeam::Job& job) {
        Resident& mine = resident[static_cast<std::size_t>(member / Kernel::threads)];
        const int thread = member % Kernel::threads;
        // One that leaves early is not waited for.
        const HostTeam::Leaving leave_block(mine.meeting.barrier);
        const HostTeam::Leaving leave_warp(mine.meeting.warps[static_cast<std::size_t>(thread / 32)].barrier);
        while (true) {
            if (thread == 0) {
                mine.meeting.index = next.fetch_add(1);
                std::memset(static_cast<void*>(mine.shared.get()), 0xFF, sizeof *mine.shared);
            }
            mine.meeting.barrier.arrive_and_wait();
            if (mine.meeting.index >= blocks || job.failed()) return;
            HostBlock block(mine.meeting, thread, order[mine.meeting.index], blocks);
            kernel(block, *mine.shared);
            block.finish();
            mine.meeting.barrier.arrive_and_wait();
        }
    });
}

}  // namespace deepfreq::tests
