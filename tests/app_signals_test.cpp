#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <random>
#include <thread>

#include "engine/checkpoint.h"
#include "tests/app_checks.h"
#include "tests/process.h"
#include "tests/small_mnist.h"

// SIGINT, SIGTERM and SIGHUP at random moments: what is done is saved, the run goes on with --resume, and
// ends as if nothing had happened.

namespace deepfreq {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

// Under a sanitizer everything takes its time: a tenth of the signals must do, all of them on two threads.
#if defined(__SANITIZE_ADDRESS__)
constexpr int one_signal_in = 5;
constexpr std::array numbers_of_threads = {"2"};
#else
constexpr int one_signal_in = 1;
constexpr std::array numbers_of_threads = {"1", "2"};
#endif

/// An app to be interrupted: about a second of work, and what it must leave.
struct Trial {
    std::string app;
    Arguments options;
    std::vector<const char*> files;
    int signals;            ///< for each number of threads
    double longest = 0.12;  ///< seconds until a signal
};

Arguments joined(Arguments a, const Arguments& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

std::vector<Trial> trials() {
    const Arguments common = {"--device", "cpu", "--no-figures", "--no-seconds"};
    const Arguments mnist =
        joined(common, {"--data", small_data(), "--save-every", "1000", "--until-loss", "0"});
    const std::vector<const char*> measured = {"metrics.csv", "lfr.csv", "rdf.csv", "peaks.csv",
                                               "checkpoint"};
    return {
        {"train_mlp_mnist",
         joined(mnist, {"--hidden", "20x3", "--samples", "600", "--batch", "32", "--epochs", "60", "--lr",
                        "1e-3", "--probe-epochs", "0,10,20,30,40,50,60"}),
         measured, 30},
        {"train_resnet_variants",
         joined(common, {"--data",
                         "synthetic",
                         "--variants",
                         "3,4",
                         "--parts",
                         "2,2,4,4",
                         "--head",
                         "8",
                         "--pool",
                         "global",
                         "--samples",
                         "60",
                         "--validation-samples",
                         "20",
                         "--batch",
                         "20",
                         "--epochs",
                         "4",
                         "--lr-schedule",
                         "1e-3:4",
                         "--save-every",
                         "1000"}),
         measured, 20, 0.6},
        {"vanishing_gradient",
         joined(mnist, {"--depth", "4,12", "--width", "24", "--samples", "600", "--batch", "32", "--epochs",
                        "12", "--lr", "1e-3", "--probe-epochs", "0,6,12"}),
         measured, 20},
        {"fit_functions",
         {"--device", "cpu", "--no-figures", "--depths", "1,2,3", "--k", "1,2", "--seeds", "4", "--width",
          "32", "--samples", "60", "--error", "0.01", "--lr", "1e-3", "--max-epochs", "400"},
         {"epochs.csv", "summary.csv"},
         15},
        {"fit_functions",
         joined(common, {"--function", "parity", "--bits", "6", "--width", "32", "--fixed-depth", "3", "--lr",
                         "1e-4", "--max-epochs", "150", "--error", "1e-9", "--save-every", "1000"}),
         measured, 15},
    };
}

/// Starts and resumes the run until it is done; so many of the starts get a signal. Returns how many ended
/// because of theirs.
int signal_until_done(const Trial& trial, const fs::path& out, std::mt19937& random) {
    const TemporaryFolder folder;
    std::uniform_real_distribution<double> moment(0.0, trial.longest);
    constexpr std::array numbers = {SIGINT, SIGTERM, SIGHUP};
    const int signals = trial.signals / one_signal_in;
    int ended = 0;
    for (int starts = 0;; ++starts) {
        const bool resumable = fs::exists(out / "config.toml");
        Process process(
            trial.app,
            resumable ? Arguments{"--resume", out.string()} : joined(trial.options, {"--out", out.string()}),
            folder.path);
        const int number = numbers[static_cast<std::size_t>(starts) % numbers.size()];
        if (starts < signals) {
            std::this_thread::sleep_for(std::chrono::duration<double>(moment(random)));
            process.signal(number);
        }
        const int status = process.wait();
        CAPTURE(process.errors());
        // Before the run is read or begun there is nothing to save, and the signal ends the program.
        REQUIRE((status == 0 || (starts < signals && status == 128 + number)));
        const bool interrupted = contains(process.output(), "interrupted") || status != 0;
        ended += interrupted ? 1 : 0;
        if (!interrupted && starts >= signals) return ended;
    }
}

}  // namespace

TEST_CASE("apps: 200 signals at random moments, on one thread and on two") {
    const ScopedVariable cache("XDG_CACHE_HOME", fs::temp_directory_path().string());
    std::mt19937 random(12);
    int given = 0, ended = 0;
    for (const Trial& trial : trials()) {
        for (const char* const threads : numbers_of_threads) {
            CAPTURE(trial.app);
            CAPTURE(threads);
            const ScopedVariable variable("OMP_NUM_THREADS", std::string(threads));
            const TemporaryFolder folder;
            const fs::path whole = folder.path / "whole", out = folder.path / "signalled";
            Process uninterrupted(trial.app, joined(trial.options, {"--out", whole.string()}), folder.path);
            REQUIRE(uninterrupted.wait() == 0);
            given += trial.signals / one_signal_in;
            ended += signal_until_done(trial, out, random);
            for (const char* file : trial.files) {
                CAPTURE(file);
                const std::string bytes = text_of(out / file);
                CHECK(!bytes.empty());
                CHECK(bytes == text_of(whole / file));
            }
        }
    }
    constexpr int wanted = 100 * static_cast<int>(numbers_of_threads.size()) / one_signal_in;
    CHECK(given == wanted);
    CHECK(ended >= wanted / 4);  // the others came when all was done
    MESSAGE(given, " signals, ", ended, " of which ended a run before its end");
}

TEST_CASE("apps: a measurement ends within a second of a signal, and is made when the run goes on") {
    const TemporaryFolder folder;
    const fs::path out = folder.path / "run";
    // Of some seconds: 4000 rows, 20000 widths.
    Process app(
        "train_mlp_mnist",
        {"--device", "cpu", "--data", "synthetic", "--samples", "4000", "--hidden", "40", "--epochs", "0",
         "--probe-epochs", "0", "--inv-delta", "0:100:20000", "--no-figures", "--out", out.string()},
        folder.path);
    while (!fs::exists(out / "checkpoint")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const auto begin = std::chrono::steady_clock::now();
    app.signal(SIGINT);
    CHECK(app.wait() == 0);
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    MESSAGE("ended after ", waited.count(), " s");
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(waited.count() < 1.0);
#endif
    CHECK(contains(app.output(), "interrupted at epoch 0, step 0: saved\n"));
    CHECK(contains(app.output(), "\ngo on with --resume " + out.string() + "\n"));
    CHECK(text_of(out / "peaks.csv") == "network,layer,epoch,inv_delta,rdf,rise10,rise50,rise90\n");
    CHECK(read_checkpoint(out / "checkpoint").header.at("run").at("probe_due") == true);
}

TEST_CASE("apps: SIGHUP stays ignored where nohup has it so") {
    const TemporaryFolder folder;
    const auto before = ::signal(SIGHUP, SIG_IGN);  // which a child inherits
    Process app("train_mlp_mnist",
                {"--device", "cpu", "--data", small_data(), "--samples", "600", "--hidden", "20x3",
                 "--epochs", "20", "--no-figures", "--out", (folder.path / "run").string()},
                folder.path);
    ::signal(SIGHUP, before);
    while (!fs::exists(folder.path / "run" / "checkpoint"))
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    app.signal(SIGHUP);
    CHECK(app.wait() == 0);
    CHECK(!contains(app.output(), "interrupted"));
}

}  // namespace deepfreq
