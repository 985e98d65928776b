#include "apps/fit_functions/side_by_side.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "kernels/cpu/open_cpu.h"
#include "runs/interrupt.h"
#include "runs/progress.h"

namespace deepfreq {
namespace {

/// State shared by the workers.
class Fits {
  public:
    Fits(const std::vector<FitTask>& tasks, const FitOptions& options, EpochsTable& table,
         std::filesystem::path folder)
        : options_(options), table_(table), folder_(std::move(folder)), progress_(0, 0.0, 0, 0.0) {
        for (const FitTask& task : tasks)
            if (!table.contains(task.key)) tasks_.push_back(task);
    }

    /// The main loop of one worker: takes the next task until there is none.
    void work(const Workers& workers) {
        try {
            compute_on_calling_thread();
            const OpenedBackend opened = open_backend(workers.device, workers.precision);
            for (std::size_t i = next_++; i < tasks_.size() && !interrupted(); i = next_++) {
                const FitTask& task = tasks_[i];
                const auto result =
                    fit(*opened.backend, *task.function, task.hidden_layers, task.key.seed, options_);
                if (result) record(task.key, *result);
            }
        } catch (...) {
            const std::scoped_lock lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            next_ = tasks_.size();
        }
    }

    void finish() {
        progress_.finish();
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    void record(const FitKey& key, const FitResult& result) {
        const std::scoped_lock lock(mutex_);
        table_[key] = result;
        write_tables(table_, folder_);
        ++done_;
        const std::string state = fmt::format("{} of {} runs done · about {} left", done_, tasks_.size(),
                                              duration_text(seconds_left()));
        const auto of_setting = [&](const FitTask& task) {
            return task.key.panel == key.panel && task.key.setting == key.setting;
        };
        const bool complete = std::ranges::none_of(
            tasks_, [&](const FitTask& task) { return of_setting(task) && !table_.contains(task.key); });
        if (complete) progress_.line(fmt::format("{} · {}", summarize(table_, key).text(), state));
        if (done_ < tasks_.size()) progress_.note(state);
    }

    double seconds_left() const {
        return progress_.seconds() * static_cast<double>(tasks_.size() - done_) / static_cast<double>(done_);
    }

    std::vector<FitTask> tasks_;  // not yet started
    const FitOptions& options_;
    std::atomic<std::size_t> next_ = 0;

    std::mutex mutex_;  // guards everything below
    EpochsTable& table_;
    std::filesystem::path folder_;
    Progress progress_;
    std::size_t done_ = 0;
    std::exception_ptr failure_;
};

}  // namespace

void fit_side_by_side(const std::vector<FitTask>& tasks, const FitOptions& options, const Workers& workers,
                      EpochsTable& table, const std::filesystem::path& folder) {
    Fits fits(tasks, options, table, folder);
    {
        std::vector<std::jthread> threads;
        for (std::int64_t i = 0; i < workers.jobs; ++i) threads.emplace_back([&] { fits.work(workers); });
    }
    fits.finish();
}

}  // namespace deepfreq
