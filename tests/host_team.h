#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/host_barrier.h"

namespace deepfreq::tests {

/// Threads of the host that do one job after another together: to make hundreds anew for each would take
/// longer than the jobs.
class HostTeam {
  public:
    /// What the members of a team do at the same time.
    class Job {
      public:
        bool failed() const { return failed_; }

      private:
        friend class HostTeam;
        std::function<void(int member, const Job& job)> work_;
        std::atomic<bool> failed_ = false;
        std::mutex mutex_;
        std::exception_ptr failure_;  ///< the first
    };

    /// Leaves a barrier for good at the end of a scope.
    class Leaving {
      public:
        explicit Leaving(HostBarrier& barrier) : barrier_(barrier) {}
        ~Leaving() { barrier_.arrive_and_drop(); }
        Leaving(const Leaving&) = delete;
        Leaving& operator=(const Leaving&) = delete;

      private:
        HostBarrier& barrier_;
    };

    /// The team of so many members, made once.
    static HostTeam& of(int members) {
        static std::map<int, HostTeam> teams;
        return teams.try_emplace(members, members).first->second;
    }

    explicit HostTeam(int members) : begin_(members + 1), end_(members + 1) {
        members_.reserve(static_cast<std::size_t>(members));
        for (int member = 0; member < members; ++member)
            members_.emplace_back([this, member] { serve(member); });
    }
    ~HostTeam() {
        job_ = nullptr;
        begin_.arrive_and_wait();
    }
    HostTeam(const HostTeam&) = delete;
    HostTeam& operator=(const HostTeam&) = delete;

    /// work(member, job) by every member; returns when all are done. Throws the first thing that one throws.
    void run(std::function<void(int, const Job&)> work) {
        Job job;
        job.work_ = std::move(work);
        job_ = &job;
        begin_.arrive_and_wait();
        end_.arrive_and_wait();
        if (job.failure_) std::rethrow_exception(job.failure_);
    }

  private:
    void serve(int member) {
        while (true) {
            begin_.arrive_and_wait();
            Job* const job = job_;
            if (job == nullptr) return;
            try {
                job->work_(member, *job);
            } catch (...) {
                const std::lock_guard lock(job->mutex_);
                if (!job->failed_.exchange(true)) job->failure_ = std::current_exception();
            }
            end_.arrive_and_wait();
        }
    }

    HostBarrier begin_, end_;
    Job* job_ = nullptr;
    std::vector<std::jthread> members_;
};

/// 0 … count-1 in some other order, told by `seed`, without a table of it.
class AnyOrder {
  public:
    AnyOrder(std::int64_t count, std::uint32_t seed) : count_(count) {
        if (count <= 1) return;
        first_ = seed % count;
        step_ = (std::int64_t{seed} * 7919 + 12345) % count;
        while (std::gcd(step_, count) != 1) ++step_;
    }
    std::int64_t operator[](std::int64_t i) const { return (first_ + i * step_) % count_; }

  private:
    std::int64_t count_, first_ = 0, step_ = 1;
};

}  // namespace deepfreq::tests
