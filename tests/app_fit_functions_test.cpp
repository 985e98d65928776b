#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <sstream>
#include <thread>

#include "tests/app_checks.h"
#include "tests/files.h"
#include "tests/process.h"

using namespace deepfreq;

namespace {

using Arguments = std::vector<std::string>;

constexpr const char* epochs_header = "panel,setting,seed,epochs,converged,error\n";

// Twelve fits that take a fraction of a second together.
Arguments small_run(const std::filesystem::path& out, const Arguments& more = {}) {
    Arguments arguments = {"--depths", "1,2",  "--k",          "1,2.5", "--seeds",   "3",
                           "--width",  "16",   "--samples",    "40",    "--error",   "0.1",
                           "--lr",     "1e-2", "--no-figures", "--out", out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

Arguments small_parity(const std::filesystem::path& out, const Arguments& more = {}) {
    Arguments arguments = {"--function",   "parity",       "--bits",        "4",
                           "--width",      "16",           "--fixed-depth", "2",
                           "--lr",         "1e-2",         "--error",       "0.01",
                           "--no-figures", "--no-seconds", "--out",         out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

std::string run(const Arguments& arguments) {
    const TemporaryFolder folder;
    Process app("fit_functions", arguments, folder.path);
    CHECK(app.wait() == 0);
    CHECK(app.errors().empty());
    return app.output();
}

void check_refused(const Arguments& arguments, const Arguments& words) {
    check_refusal("fit_functions", arguments, words);
}

void check_same_tables(const std::filesystem::path& found, const std::filesystem::path& expected) {
    check_same_files(found, expected, {"epochs.csv", "summary.csv"});
}

struct Row {
    std::string setting;  // panel,setting
    std::int64_t epochs = 0;
    bool converged = false;
    double error = 0.0;
};

std::vector<Row> rows_of(const std::filesystem::path& run) {
    std::istringstream text(text_of(run / "epochs.csv"));
    std::vector<Row> rows;
    std::string line;
    std::getline(text, line);
    CHECK(line + '\n' == epochs_header);
    while (std::getline(text, line)) {
        std::istringstream cells(line);
        std::string panel, setting, seed, epochs, converged, error;
        for (std::string* cell : {&panel, &setting, &seed, &epochs, &converged, &error})
            std::getline(cells, *cell, ',');
        rows.push_back(
            {fmt::format("{},{}", panel, setting), std::stoll(epochs), converged == "1", std::stod(error)});
    }
    return rows;
}

// The line of summary.csv that these rows of one setting should give.
std::string expected_summary(const std::vector<Row>& rows, std::int64_t max_epochs) {
    double count = 0.0, sum = 0.0, squares = 0.0;
    for (const Row& row : rows)
        if (row.converged) {
            ++count;
            sum += static_cast<double>(row.epochs);
        }
    for (const Row& row : rows)
        if (row.converged) squares += std::pow(static_cast<double>(row.epochs) - sum / count, 2);
    const std::string mean = count > 0 ? fmt::format("{:.9g}", sum / count) : "nan";
    const std::string deviation = count > 1 ? fmt::format("{:.9g}", std::sqrt(squares / (count - 1))) : "nan";
    const bool all = count == static_cast<double>(rows.size());
    return fmt::format("{},{},{},{},{},{}\n", rows[0].setting, rows.size(), count, mean, deviation,
                       all ? 0 : max_epochs);
}

}  // namespace

TEST_CASE("app/fit_functions: --paired draws other weights, and is part of what a run is") {
    const TemporaryFolder folder;
    run(small_run(folder.path / "apart"));
    run(small_run(folder.path / "paired", {"--paired"}));
    CHECK(text_of(folder.path / "paired" / "epochs.csv") != text_of(folder.path / "apart" / "epochs.csv"));
    CHECK(contains(text_of(folder.path / "paired" / "config.toml"), "paired=true"));
    check_refused({"--resume", (folder.path / "apart").string(), "--paired"}, {"--paired", "false", "true"});
}

TEST_CASE("app/fit_functions: what comes out does not depend on how many runs go side by side") {
    const TemporaryFolder folder;
    run(small_run(folder.path / "one", {"--jobs", "1"}));
    run(small_run(folder.path / "three", {"--jobs", "3"}));
    check_same_tables(folder.path / "three", folder.path / "one");
    const std::vector<Row> rows = rows_of(folder.path / "one");
    REQUIRE(rows.size() == 12);
    for (const Row& row : rows) {
        CHECK(row.converged);
        CHECK(row.error < 0.1);
        CHECK(row.epochs > 1);
    }
    CHECK(rows[0].setting == "a,1");
    CHECK(rows[0].epochs != rows[1].epochs);  // of another seed
    CHECK(rows[3].setting == "a,2");
    CHECK(rows[9].setting == "b,2.5");
}

TEST_CASE(
    "app/fit_functions: a run that did not reach the error is told of as such and no part of the mean") {
    const TemporaryFolder folder;
    run(small_run(folder.path / "whole"));
    const std::vector<Row> whole = rows_of(folder.path / "whole");
    REQUIRE(whole.size() == 12);
    const auto longest = [&](std::size_t first) {
        return std::ranges::max(whole[first].epochs,
                                std::max(whole[first + 1].epochs, whole[first + 2].epochs));
    };
    // Just too few for the slowest seed of one hidden layer.
    const std::int64_t max_epochs = longest(0) - 1;
    const std::string output =
        run(small_run(folder.path / "cut", {"--max-epochs", std::to_string(max_epochs)}));
    const std::vector<Row> cut = rows_of(folder.path / "cut");
    REQUIRE(cut.size() == 12);
    std::string summary = "panel,setting,runs,converged,mean_epochs,deviation,given_up\n";
    for (std::size_t i = 0; i < 12; ++i) {
        CHECK(cut[i].converged == (whole[i].epochs <= max_epochs));
        CHECK(cut[i].epochs == std::min(whole[i].epochs, max_epochs));
        CHECK(cut[i].converged == (cut[i].error < 0.1));
        if (i % 3 == 2) summary += expected_summary({cut[i - 2], cut[i - 1], cut[i]}, max_epochs);
    }
    CHECK(text_of(folder.path / "cut" / "summary.csv") == summary);
    CHECK(contains(output, "2 of 3 runs got there"));

    const std::string none =
        run(small_run(folder.path / "none", {"--max-epochs", "1", "--function", "fig1b"}));
    CHECK(contains(text_of(folder.path / "none" / "summary.csv"), "b,1,3,0,nan,nan,1\n"));
    CHECK(contains(none, "not reached (0 of 3"));
}

TEST_CASE("app/fit_functions: options that have no effect are named") {
    const TemporaryFolder folder;
    CHECK(contains(run(small_parity(folder.path / "parity", {"--seeds", "2"})),
                   "warning: --seeds has no effect with --function parity\n"));
    CHECK(contains(run(small_run(folder.path / "fits", {"--function", "fig1a", "--bits", "3"})),
                   "warning: --bits has no effect with --function fig1a\n"));
    CHECK(!contains(run({"--resume", (folder.path / "parity").string()}), "warning"));
}

TEST_CASE("app/fit_functions: a training that diverges is a run that did not reach the error") {
    const TemporaryFolder folder;
    const std::string output =
        run(small_run(folder.path / "run", {"--lr", "1e30", "--activation", "identity"}));
    CHECK(contains(output, "not reached (0 of 3 runs got there, 3 diverged)"));
    for (const Row& row : rows_of(folder.path / "run")) {
        CHECK(!row.converged);
        CHECK(std::isnan(row.error));
        CHECK(row.epochs < 100);
    }
}

TEST_CASE(
    "app/fit_functions: killed at random moments and resumed, it leaves the tables of a run left alone") {
    const TemporaryFolder folder;
    const Arguments longer = {"--error", "0.01", "--seeds", "6"};
    run(small_run(folder.path / "whole", longer));
    const std::size_t all = text_of(folder.path / "whole" / "epochs.csv").size();
    const auto out = folder.path / "killed";
    std::mt19937 random(2026);
    std::uniform_int_distribution<int> milliseconds(0, 20);
    int kills = 0;
    for (int status = -1; status != 0;) {
        const bool resumable = std::filesystem::exists(out / "config.toml");
        Process app("fit_functions", resumable ? Arguments{"--resume", out.string()} : small_run(out, longer),
                    folder.path);
        // Some before it begins, the others after one more fit than before.
        const std::size_t before = text_of(out / "epochs.csv").size();
        while (kills >= 3 && kills < 9 && before < all && text_of(out / "epochs.csv").size() == before)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds(random)));
        if (kills < 9) app.signal(SIGKILL);
        status = app.wait();
        if (status == 0) break;
        REQUIRE(status == 128 + SIGKILL);
        ++kills;
    }
    MESSAGE("killed ", kills, " times");
    CHECK(kills >= 5);
    check_same_tables(out, folder.path / "whole");
}

TEST_CASE("app/fit_functions: Ctrl-C keeps what is done and says how to go on") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    Process app("fit_functions", small_run(out, {"--seeds", "1000"}), folder.path);
    while (!std::filesystem::exists(out / "epochs.csv"))
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    app.signal(SIGINT);
    CHECK(app.wait() == 0);
    CHECK(contains(app.output(), "--resume " + out.string()));
    const std::string kept = text_of(out / "epochs.csv");
    const std::int64_t rows = std::ranges::count(kept, '\n') - 1;
    CHECK(rows >= 1);
    CHECK(rows < 4000);

    // Those that are there are not done again: one that no fit would give stays.
    const std::string first = kept.substr(0, kept.find('\n', std::string(epochs_header).size()) + 1);
    const std::string other = std::string(epochs_header) + "a,1,0,7,0,0.5\n";
    CHECK(first != other);
    std::ofstream(out / "epochs.csv") << other;
    run({"--resume", out.string(), "--seeds", "2"});
    CHECK(text_of(out / "epochs.csv").starts_with(other));
    CHECK(rows_of(out).size() == 8);
}

TEST_CASE("app/fit_functions: a resumed run may have more settings, but no other fits") {
    const TemporaryFolder folder;
    const std::string out = (folder.path / "run").string();
    run(small_run(folder.path / "whole"));
    run(small_run(out, {"--seeds", "1", "--function", "fig1a"}));
    CHECK(rows_of(out).size() == 2);
    check_refused({"--resume", out, "--error", "0.2"}, {out, "--error 0.1", "0.2"});
    check_refused({"--resume", out, "--width", "8"}, {out, "--width 16", "8"});
    check_refused({"--resume", out, "--device", "auto"}, {out, "--device \"cpu\"", "auto"});
    check_refused({"--resume", out, "--function", "parity"}, {out, "Fig. 1", "parity"});
    run({"--resume", out, "--seeds", "3", "--function", "fig1"});
    check_same_tables(out, folder.path / "whole");
    check_refused(small_run(out), {out, "--resume"});
    std::ofstream(folder.path / "run" / "epochs.csv", std::ios::app) << "b,1,0,seven,1,0\n";
    check_refused({"--resume", out}, {"epochs.csv", "b,1,0,seven,1,0"});
}

TEST_CASE("app/fit_functions: parity is learnt, and its layers are measured at the start and at the end") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    const std::string output = run(small_parity(out));
    CHECK(contains(output, "· loss "));
    CHECK(!contains(output, "accuracy"));  // of a function there is none
    std::string last = text_of(out / "metrics.csv");
    last = last.substr(last.rfind('\n', last.size() - 2) + 1);
    CAPTURE(last);
    REQUIRE(last.starts_with("mlp,"));
    const std::int64_t epoch = std::stoll(last.substr(4));
    CHECK(epoch > 1);
    CHECK(std::stod(last.substr(last.find(',', 4) + 1)) < 0.01);
    for (const char* name : {"lfr.csv", "rdf.csv", "peaks.csv"})
        for (const int layer : {1, 2})
            for (const std::int64_t probed : {std::int64_t{0}, epoch})
                CHECK(contains(text_of(out / name), fmt::format("\nmlp,{},{},", layer, probed)));
    CHECK(!contains(text_of(out / "rdf.csv"), "\nmlp,3,"));
}

TEST_CASE("app/fit_functions: parity resumed for more epochs is the longer run") {
    const TemporaryFolder folder;
    const std::string out = (folder.path / "short").string();
    const Arguments listed = {"--probe-epochs", "0,2"};
    const auto with = [&](Arguments more) {
        more.insert(more.end(), listed.begin(), listed.end());
        return more;
    };
    run(small_parity(folder.path / "whole", with({"--max-epochs", "6"})));
    run(small_parity(out, with({"--max-epochs", "3"})));
    run({"--resume", out, "--max-epochs", "6"});
    for (const char* name : {"metrics.csv", "lfr.csv", "rdf.csv", "peaks.csv", "checkpoint"})
        CHECK(text_of(folder.path / "short" / name) == text_of(folder.path / "whole" / name));
    check_refused({"--resume", out, "--bits", "5"}, {"checkpoint", "parity of 4 bits", "parity of 5 bits"});
    check_refused({"--resume", out, "--function", "fig1"}, {out, "Fig. 1"});
}

TEST_CASE("app/fit_functions: wrong input is one sentence and status 2") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    const auto refused = [&](const Arguments& more, const Arguments& words) {
        check_refused(small_run(out, more), words);
        CHECK(!std::filesystem::exists(out));
    };
    refused({"--function", "sine"}, {"--function", "'sine'", "parity"});
    refused({"--k", "1,many"}, {"--k", "'1,many'", "numbers"});
    refused({"--k", ""}, {"--k"});
    refused({"--k", "-1"}, {"--k", "'-1'", "above 0"});
    refused({"--k", "inf"}, {"--k", "'inf'", "finite"});
    refused({"--k", "1,2,1"}, {"--k", "1 found twice", "'1,2,1'"});
    refused({"--depths", "3,3"}, {"--depths", "3 found twice"});
    refused({"--seed", "18446744073709551615"}, {"--seed is 18446744073709551615", "3 more"});
    refused({"--depths", "0"}, {"--depths", "'0'", "above 0"});
    refused({"--depths", "1.5"}, {"--depths", "'1.5'", "whole"});
    refused({"--depths", "1e10"}, {"--depths", "'1e10'"});
    refused({"--depths", "3,1000000000"}, {"1000000000 layers", "GiB", "free"});
    refused({"--fixed-depth", "0"}, {"--fixed-depth", "'0'"});
    refused({"--fixed-depth", "1000000000000"}, {"1000000000000 layers", "GiB"});
    refused({"--width", "0"}, {"--width", "'0'"});
    refused({"--width", "1000000"}, {"1 layers of width 1000000", "GiB"});
    refused({"--error", "0"}, {"--error", "'0'", "above 0"});
    refused({"--error", "-0.1"}, {"--error", "'-0.1'"});
    refused({"--error", "nan"}, {"--error", "'nan'"});
    refused({"--max-epochs", "0"}, {"--max-epochs", "'0'"});
    refused({"--learning-rate", "0"}, {"--learning-rate", "'0'"});
    refused({"--seeds", "0"}, {"--seeds", "0", "1"});
    refused({"--seeds", "many"}, {"--seeds", "many"});
    refused({"--samples", "1"}, {"--samples", "1", "2"});
    refused({"--range", "0"}, {"--range", "'0'"});
    refused({"--jobs", "-1"}, {"--jobs", "-1"});
    refused({"--activation", "cosine"}, {"cosine", "tanh"});
    refused({"--init", "normal:-1"}, {"normal:-1", "SIGMA"});
    refused({"--function", "parity", "--bits", "0"}, {"--bits", "0", "20"});
    refused({"--function", "parity", "--bits", "21"}, {"--bits", "21", "20"});
    refused({"--function", "parity", "--width", "1000000"}, {"3 layers", "GiB"});
    refused({"--keep-checkpoints"}, {"--keep-checkpoints", "parity"});
    refused({"--data", "."}, {"--data"});
    refused({"--device", "gpu"}, {"gpu", "cpu"});
    check_refused({"--resume", out.string()}, {out.string(), "config.toml"});
    check_refused({"--out", "/proc/deepfreq"}, {"/proc/deepfreq"});
}

TEST_CASE("app/fit_functions: --quick draws both panels") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    run({"--quick", "--seeds", "1", "--depths", "2,3", "--k", "1,2", "--out", out.string()});
    CHECK(rows_of(out).size() == 4);
    for (const char* name : {"fig1a.png", "fig1a.svg", "fig1b.png", "fig1b.svg"})
        CHECK(std::filesystem::exists(out / "figures" / name));
}
