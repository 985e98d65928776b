#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/app_checks.h"
#include "tests/files.h"
#include "tests/process.h"
#include "tests/small_mnist.h"

using namespace deepfreq;

namespace {

using Arguments = std::vector<std::string>;

// A run that takes about a second, figures and the seconds column aside.
Arguments small_run(const std::filesystem::path& out, const Arguments& more = {}) {
    Arguments arguments = {"--data", small_data(),   "--device", "cpu",          "--hidden",
                           "20x3",   "--samples",    "600",      "--batch",      "64",
                           "--lr",   "1e-3",         "--epochs", "50",           "--until-loss",
                           "0",      "--save-every", "0",        "--no-figures", "--no-seconds",
                           "--out",  out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

// Status and one sentence on stderr that holds every one of the words.
void check_refused(const Arguments& arguments, int status, const Arguments& words) {
    check_refusal("train_mlp_mnist", arguments, words, status);
}

}  // namespace

TEST_CASE("app/train_mlp_mnist: the same seed gives identical files, another seed others") {
    const TemporaryFolder folder;
    const auto run = [&](const std::string& name, const Arguments& more) {
        Process app("train_mlp_mnist", small_run(folder.path / name, more), folder.path);
        CHECK(app.wait() == 0);
        return folder.path / name;
    };
    const auto first = run("a", {});
    check_same_files(run("b", {}), first);
    CHECK(text_of(run("c", {"--seed", "1"}) / "metrics.csv") != text_of(first / "metrics.csv"));
}

TEST_CASE(
    "app/train_mlp_mnist: killed at random moments and resumed, it leaves the files of a run left alone") {
    const TemporaryFolder folder;
    const auto begin = std::chrono::steady_clock::now();
    {
        Process whole("train_mlp_mnist", small_run(folder.path / "whole"), folder.path);
        REQUIRE(whole.wait() == 0);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

    const auto out = folder.path / "killed";
    kill_until_done("train_mlp_mnist", small_run(out), out, 0.3 * seconds, {5, 20});
    check_same_files(out, folder.path / "whole");
}

TEST_CASE(
    "app/train_mlp_mnist: with several seeds, killed and resumed, each leaves the files of its own run") {
    const TemporaryFolder folder;
    const Arguments few = {"--epochs", "12", "--probe-epochs", "0,last"};
    const auto with = [&](const std::string& name, const Arguments& more) {
        Arguments all = small_run(folder.path / name, few);
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    const auto begin = std::chrono::steady_clock::now();
    Process whole("train_mlp_mnist", with("whole", {"--seeds", "1,0,7"}), folder.path);
    REQUIRE(whole.wait() == 0);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    Process alone("train_mlp_mnist", with("alone", {"--seed", "7"}), folder.path);
    REQUIRE(alone.wait() == 0);
    check_same_files(folder.path / "whole" / "seed-7", folder.path / "alone");

    const auto out = folder.path / "killed";
    kill_until_done("train_mlp_mnist", with("killed", {"--seeds", "1,0,7"}), out, 0.25 * seconds, {3, 15});
    for (const char* seed : {"seed-0", "seed-1", "seed-7"})
        check_same_files(out / seed, folder.path / "whole" / seed);
}

TEST_CASE("app/train_mlp_mnist: a setting gives the options left open, and the manifest says what differs") {
    const TemporaryFolder folder;
    Process app("train_mlp_mnist",
                {"--data", small_data(), "--device", "cpu", "--setting", "authors", "--hidden", "5x2",
                 "--samples", "50", "--epochs", "2", "--probe-epochs", "last", "--no-figures", "--out",
                 (folder.path / "run").string()},
                folder.path);
    CHECK(app.wait() == 0);
    CHECK(contains(app.output(), "setting: authors: what the authors' programs do; but --"));
    const std::string config = text_of(folder.path / "run" / "config.toml");
    for (const char* line : {"lr=\"5e-5\"\n", "lr-decay=\"2e-5\"\n", "batch=30000\n", "scale=\"centred\"\n",
                             "inv-delta=\"authors\"\n", "until-loss=\"1e-2\"\n", "setting=\"authors\"\n"}) {
        CAPTURE(std::string(line));
        CHECK(contains(config, line));
    }
    const auto manifest = nlohmann::json::parse(text_of(folder.path / "run" / "manifest.json"));
    CHECK(
        manifest["setting"] ==
        nlohmann::json{
            {"name", "authors"},
            {"differs", {{"epochs", "2"}, {"hidden", "5x2"}, {"probe-epochs", "last"}, {"samples", "50"}}}});
    // 43 widths of the programs, of the input and both hidden layers, after the last epoch.
    const std::string lfr = text_of(folder.path / "run" / "lfr.csv");
    CHECK(std::ranges::count(lfr, '\n') == 1 + 3 * 43);
    CHECK(contains(lfr, "mlp,0,2,0.0333333333,"));
    CHECK(contains(lfr, "mlp,2,2,10,"));
}

TEST_CASE("app/train_mlp_mnist: a run resumed before its first step, or for more epochs, is the longer run") {
    const TemporaryFolder folder;
    const auto run = [&](const Arguments& arguments) {
        Process app("train_mlp_mnist", arguments, folder.path);
        CHECK(app.wait() == 0);
    };
    const std::string short_run = (folder.path / "short").string();
    run(small_run(folder.path / "whole", {"--epochs", "3", "--probe-epochs", "0,2"}));
    run(small_run(short_run, {"--epochs", "0", "--probe-epochs", "0,2"}));
    run({"--resume", short_run, "--epochs", "1"});
    run({"--resume", short_run, "--epochs", "3"});
    check_same_files(short_run, folder.path / "whole");
}

TEST_CASE(
    "app/train_mlp_mnist: Ctrl-C finishes the step, saves, says how to go on, and the rest is the same") {
    const TemporaryFolder folder;
    Process whole("train_mlp_mnist", small_run(folder.path / "whole"), folder.path);
    REQUIRE(whole.wait() == 0);

    const auto out = folder.path / "interrupted";
    Process app("train_mlp_mnist", small_run(out), folder.path);
    while (!std::filesystem::exists(out / "checkpoint"))
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    app.signal(SIGINT);
    CHECK(app.wait() == 0);
    CHECK(app.output().find("--resume " + out.string()) != std::string::npos);

    // At whatever moment a signal comes; one that comes before the run is read again ends the program.
    for (int i = 0; i < 10; ++i) {
        const int number = i % 2 ? SIGINT : SIGTERM;
        Process resumed("train_mlp_mnist", {"--resume", out.string()}, folder.path);
        std::this_thread::sleep_for(std::chrono::milliseconds(40 + 17 * i));
        resumed.signal(number);
        const int status = resumed.wait();
        CHECK((status == 0 || status == 128 + number));
    }
    Process rest("train_mlp_mnist", {"--resume", out.string()}, folder.path);
    CHECK(rest.wait() == 0);
    check_same_files(out, folder.path / "whole");
}

TEST_CASE("app/train_mlp_mnist: kept checkpoints can be measured again, with the same result") {
    const TemporaryFolder folder;
    Process train("train_mlp_mnist", small_run(folder.path / "train", {"--keep-checkpoints"}), folder.path);
    REQUIRE(train.wait() == 0);
    const Arguments again = {"--probe-run", (folder.path / "train").string(), "--out",
                             (folder.path / "again").string()};
    Process probe("train_mlp_mnist", again, folder.path);
    CHECK(probe.wait() == 0);
    for (const char* name : {"lfr.csv", "rdf.csv", "peaks.csv"})
        CHECK(text_of(folder.path / "again" / name) == text_of(folder.path / "train" / name));
    // A measurement is no training: it is not gone on with, and it is not of another training's networks.
    check_refused({"--resume", (folder.path / "again").string()}, 2, {"again", "config.toml"});
    const auto probe_run = [&](const Arguments& more) {
        Arguments arguments = {"--probe-run", (folder.path / "train").string(), "--out",
                               (folder.path / "other").string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    };
    check_refused(probe_run({"--probe-epochs", "7"}), 2, {"no kept checkpoints of the epochs"});
    CHECK(!std::filesystem::exists(folder.path / "other"));
    check_refused(probe_run({"--seed", "5"}), 2, {"epoch-000000", "seed 0", "5"});
}

TEST_CASE("app/train_mlp_mnist: wrong usage is one sentence and status 2") {
    check_refused({"--batch", "0"}, 2, {"--batch", "'0'", "at least 1"});
    check_refused({"--lr", "nan"}, 2, {"--lr", "'nan'", "finite"});
    check_refused({"--lr", "-1"}, 2, {"--lr", "'-1'", "above 0"});
    check_refused({"--until-loss", "inf"}, 2, {"--until-loss", "'inf'", "finite"});
    check_refused({"--hidden", "500y5"}, 2, {"500y5", "500x5"});
    check_refused({"--hidden", "0"}, 2, {"--hidden", "'0'"});
    check_refused({"--activation", "cosine"}, 2, {"cosine", "tanh"});
    check_refused({"--loss", "hinge"}, 2, {"hinge", "softmax-ce"});
    check_refused({"--init", "normal:-1"}, 2, {"normal:-1", "SIGMA"});
    check_refused({"--setting", "best"}, 2, {"--setting", "'best'", "paper or authors"});
    check_refused({"--setting", "authors", "--batch", "0"}, 2, {"--batch", "'0'", "at least 1"});
    check_refused({"--reset-adam"}, 2, {"--reset-adam", "--lr-schedule"});
    check_refused({"--lr-decay", "1"}, 2, {"--lr-decay", "less than 1"});
    check_refused({"--adam-epsilon", "0"}, 2, {"--adam-epsilon"});
    check_refused({"--scale", "unit"}, 2, {"--scale", "'unit'", "max-abs, centred or none"});
    check_refused({"--seeds", "1,2,1"}, 2, {"--seeds", "seed 1 found twice"});
    check_refused({"--seeds", "0,-1"}, 2, {"--seeds", "seed -1", "at least 0"});
    check_refused({"--seeds", "0"}, 2, {"--seeds", "0 seeds", "1 to 1000"});
    check_refused({"--seeds", "1,x"}, 2, {"--seeds", "1,x"});
    check_refused({"--seed", "4", "--seeds", "1,2"}, 2, {"--seed is 4", "1,2", "one of the two"});
    check_refused({"--data", small_data(), "--samples", "1", "--scale", "centred"}, 2,
                  {"one sample", "centred", "at least 2"});
    check_refused({"--probe-epochs", "0,x"}, 2, {"'x'", "every:N"});
    check_refused({"--inv-delta", "2:1:10"}, 2, {"2:1:10"});
    check_refused({"--device", "cuda:x"}, 2, {"cuda:x", "cpu"});
    check_refused({"--unknown"}, 2, {"--unknown"});
    check_refused({"--resume", ""}, 2, {"--resume", "a name expected"});
}

TEST_CASE("app/train_mlp_mnist: input that does not fit is one sentence and status 2") {
    const TemporaryFolder folder;
    const std::string out = (folder.path / "run").string();
    const auto with = [&](Arguments more) {
        more.insert(more.end(), {"--out", out, "--data", small_data()});
        return more;
    };
    check_refused(with({"--samples", "1000000"}), 2, {"1000000", "600"});
    check_refused(with({"--samples", "100", "--probe-samples", "200"}), 2, {"--probe-samples", "200", "100"});
    check_refused(with({"--samples", "100", "--probe-layers", "9"}), 2, {"layer 9", "-6 to 6"});
    check_refused({"--data", folder.path.string(), "--out", out}, 2,
                  {folder.path.string(), "train-images-idx3-ubyte"});
    check_refused({"--resume", out + "-none"}, 2, {out + "-none", "config.toml"});
    check_refused({"--data", small_data(), "--samples", "100", "--out", "/proc/deepfreq"}, 2,
                  {"/proc/deepfreq"});
    CHECK(!std::filesystem::exists(out));
}

TEST_CASE("app/train_mlp_mnist: networks that cannot be are refused before the data are looked for") {
    const auto refused = [](Arguments more, const Arguments& words) {
        more.insert(more.end(), {"--data", "/no/such/data"});
        check_refused(more, 2, words);
    };
    refused({}, {"/no/such/data"});
    refused({"--hidden", "1000000x3"}, {"network mlp", "GiB", "free"});
    refused({"--probe-layers", "9"}, {"layer 9", "-6 to 6"});
    refused({"--samples", "100", "--probe-samples", "200"}, {"--probe-samples", "200", "100"});
}

TEST_CASE("app/train_mlp_mnist: dead layers are said to be so, and the run goes on") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    // Weights so small that every ReLU layer is 0 in float32 from the second on.
    const Arguments dead = {"--activation", "relu", "--init",         "normal:1e-44",
                            "--epochs",     "1",    "--probe-layers", "2,3"};
    Process app("train_mlp_mnist", small_run(out, dead), folder.path);
    CHECK(app.wait() == 0);
    CHECK(contains(app.output(), "nothing measured"));
    CHECK(text_of(out / "peaks.csv") == "network,layer,epoch,inv_delta,rdf,rise10,rise50,rise90\n");
}

TEST_CASE("app/train_mlp_mnist: a folder that holds a run is not written over") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    Process first("train_mlp_mnist", small_run(out, {"--epochs", "0"}), folder.path);
    REQUIRE(first.wait() == 0);
    check_refused(small_run(out), 2, {out.string(), "--resume"});

    const auto own = folder.path / "own";
    write_file(own / "metrics.csv", {'a', ',', 'b', '\n'});
    check_refused(small_run(own), 2, {"metrics.csv", "'a,b'", "network,epoch"});
    CHECK(text_of(own / "metrics.csv") == "a,b\n");
}

TEST_CASE("app/train_mlp_mnist: a checkpoint that does not fit the resumed run is refused") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    Process first("train_mlp_mnist", small_run(out, {"--epochs", "1"}), folder.path);
    REQUIRE(first.wait() == 0);
    check_refused({"--resume", out.string(), "--hidden", "30x3"}, 2, {"checkpoint", "784-20", "784-30"});
    check_refused({"--resume", out.string(), "--batch", "32"}, 2, {"checkpoint", "batch 64", "32"});
    Process unchanged("train_mlp_mnist", {"--resume", out.string(), "--epochs", "2"}, folder.path);
    CHECK(unchanged.wait() == 0);
    CHECK(unchanged.errors() == "");
    check_refused({"--probe-run", out.string(), "--out", (folder.path / "again").string()}, 2,
                  {"--keep-checkpoints"});
    CHECK(!std::filesystem::exists(folder.path / "again"));
    std::filesystem::resize_file(out / "checkpoint", 1000);
    check_refused({"--resume", out.string()}, 2, {"checkpoint", "cut short"});
}

TEST_CASE(
    "app/train_mlp_mnist: a loss that diverges stops the run with status 1 and leaves the last good "
    "checkpoint") {
    const TemporaryFolder folder;
    const auto out = folder.path / "run";
    check_refused(small_run(out, {"--lr", "1e30"}), 1, {"epoch 1", "step", "last good"});
    CHECK(std::filesystem::exists(out / "checkpoint"));
}
