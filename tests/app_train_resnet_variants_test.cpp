#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "tests/app_checks.h"
#include "tests/image_files.h"
#include "tests/process.h"

using namespace deepfreq;

namespace {

using Arguments = std::vector<std::string>;

// Coloured noise of 8×8 pixels in two class folders, 20 a class.
void write_images(const std::filesystem::path& folder) {
    std::mt19937 random(1);
    for (const char* name : {"cat", "dog"})
        for (int i = 0; i < 20; ++i) {
            Bytes pixels(8 * 8 * 3);
            for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() & 255);
            write_file(folder / "train" / name / fmt::format("{:04}.png", i), png(8, 8, 3, pixels));
        }
}

/// A folder of images, a cache of its own, and runs of the app on them.
struct Stage {
    Stage() : cache("XDG_CACHE_HOME", (folder.path / "cache").string()) { write_images(images); }

    Arguments small_run(const std::string& name, const Arguments& more = {}) const {
        Arguments arguments = {"--data",
                               images.string(),
                               "--device",
                               "cpu",
                               "--variants",
                               "1,2",
                               "--parts",
                               "4,8",
                               "--head",
                               "8",
                               "--samples",
                               "24",
                               "--validation-samples",
                               "8",
                               "--batch",
                               "5",
                               "--epochs",
                               "6",
                               "--lr-schedule",
                               "1e-3:4,1e-4:2",
                               "--probe-epochs",
                               "0,2,6",
                               "--probe-layers",
                               "-3,-3:-1",
                               "--inv-delta",
                               "auto",
                               "--save-every",
                               "0",
                               "--no-figures",
                               "--no-seconds",
                               "--out",
                               (folder.path / name).string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    std::filesystem::path run(const std::string& name, const Arguments& more = {}) const {
        Process app("train_resnet_variants", small_run(name, more), folder.path);
        CHECK(app.wait() == 0);
        CAPTURE(app.errors());
        CHECK(app.errors().empty());
        return folder.path / name;
    }

    void check_refused(const Arguments& more, const Arguments& words) const {
        check_refusal("train_resnet_variants", small_run("refused", more), words);
        CHECK(!std::filesystem::exists(folder.path / "refused"));
    }

    TemporaryFolder folder;
    std::filesystem::path images = folder.path / "images";
    ScopedVariable cache;
};

/// The first columns of a CSV file, as many as asked for, each combination once.
std::set<std::string> combinations(const std::filesystem::path& csv, int columns) {
    std::ifstream file(csv);
    std::set<std::string> found;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::size_t end = 0;
        for (int i = 0; i < columns; ++i) end = line.find(',', end) + 1;
        found.insert(line.substr(0, end - 1));
    }
    return found;
}

/// The column inv_delta of the rows that begin so.
std::vector<std::string> widths_of(const std::filesystem::path& csv, const std::string& begin) {
    std::ifstream file(csv);
    std::vector<std::string> widths;
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(begin))
            widths.push_back(line.substr(begin.size(), line.find(',', begin.size()) - begin.size()));
    CHECK(!widths.empty());
    return widths;
}

}  // namespace

TEST_CASE("app/train_resnet_variants: every variant has its rows, measured against labels and outputs") {
    const Stage stage;
    const auto run = stage.run("run");
    std::set<std::string> epochs, probes;
    for (const char* network : {"resnet18-1", "resnet18-2"}) {
        for (int epoch = 0; epoch <= 6; ++epoch) epochs.insert(fmt::format("{},{}", network, epoch));
        for (const char* layer : {"-3", "-3:-1"})
            for (const int epoch : {0, 2, 6}) probes.insert(fmt::format("{},{},{}", network, layer, epoch));
    }
    CHECK(combinations(run / "metrics.csv", 2) == epochs);
    CHECK(combinations(run / "rdf.csv", 3) == probes);
    CHECK(combinations(run / "peaks.csv", 3) == probes);
    CHECK(contains(text_of(run / "manifest.json"), "\"networks\""));
    // Labels and outputs have grids of their own: their curves lie far apart and are not compared.
    CHECK(widths_of(run / "rdf.csv", "resnet18-1,-3,6,") !=
          widths_of(run / "rdf.csv", "resnet18-1,-3:-1,6,"));
}

TEST_CASE(
    "app/train_resnet_variants: killed at random moments and resumed, its files are those of a whole run") {
    const Stage stage;
    const auto begin = std::chrono::steady_clock::now();
    const auto whole = stage.run("whole");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const auto out = stage.folder.path / "killed";
    kill_until_done("train_resnet_variants", stage.small_run("killed"), out, 0.25 * seconds, {1, 15});
    check_same_files(out, whole);
}

TEST_CASE("app/train_resnet_variants: plain networks and global pooling are other networks") {
    const Stage stage;
    const auto run = stage.run("plain", {"--plain", "--pool", "global", "--variants", "1", "--epochs", "0"});
    CHECK(combinations(run / "metrics.csv", 2) == std::set<std::string>{"plain18-1,0"});
    CHECK(contains(text_of(run / "manifest.json"), "plain block"));
    CHECK(contains(text_of(run / "manifest.json"), "to 1x1"));
}

TEST_CASE("app/train_resnet_variants: with --augment it learns other images, and resumes the same ones") {
    const Stage stage;
    const Arguments augmented = {"--augment", "flip,crop:2", "--variants", "2"};
    const auto plain = stage.run("plain", {"--variants", "2"});
    const auto whole = stage.run("whole", augmented);
    CHECK(text_of(whole / "metrics.csv") != text_of(plain / "metrics.csv"));
    Arguments half = augmented;
    half.insert(half.end(), {"--epochs", "3"});
    const auto resumed = stage.run("resumed", half);
    Process more("train_resnet_variants", {"--resume", resumed.string(), "--epochs", "6"}, stage.folder.path);
    CHECK(more.wait() == 0);
    check_same_files(resumed, whole);
    Process other("train_resnet_variants", {"--resume", resumed.string(), "--augment", "flip"},
                  stage.folder.path);
    CHECK(other.wait() == 2);
    CHECK(contains(other.errors(), "augment"));
}

TEST_CASE(
    "app/train_resnet_variants: the programs' networks are the default, and single flags override them") {
    const Stage stage;
    Arguments small = stage.small_run("unused");
    small.resize(6);  // data, device and variants
    small.insert(small.end(), {"--parts", "2,4,8", "--samples", "20", "--validation-samples", "8", "--epochs",
                               "0", "--probe-epochs", "none", "--no-figures", "--out"});
    const auto manifest_of = [&](const std::string& name, const Arguments& more) {
        Arguments arguments = small;
        arguments.push_back((stage.folder.path / name).string());
        arguments.insert(arguments.end(), more.begin(), more.end());
        Process app("train_resnet_variants", arguments, stage.folder.path);
        CHECK(app.wait() == 0);
        CAPTURE(app.errors());
        return nlohmann::json::parse(text_of(stage.folder.path / name / "manifest.json"));
    };
    const nlohmann::json authors = manifest_of("authors", {"--variants", "4", "--split", "balanced"});
    CHECK(authors["setting"]["name"] == "authors");
    CHECK(authors["setting"]["differs"]["split"] == "balanced");
    CHECK(!authors["setting"]["differs"].contains("dropout"));
    CHECK(authors["network"] ==
          "conv3x3 3-2 stride 1 relu | dropout 0.1 | average 8x8 to 2x2 | dropout 0.1 | dense 8-1024 relu | "
          "dense 1024-1024 relu | dense 1024-2 identity");
    const nlohmann::json paper = manifest_of("paper", {"--setting", "paper", "--variants", "3", "--block",
                                                       "after-sum", "--dropout", "0", "--pool", "global"});
    CHECK(paper["setting"]["name"] == "paper");
    CHECK(paper["setting"]["differs"]["pool"] == "global");
    CHECK(contains(paper["network"], "| residual block 2-2 stride 1 relu | average 8x8 to 1x1 |"));
}

TEST_CASE("app/train_resnet_variants: several seeds are the runs of each, in one folder, resumed or not") {
    const Stage stage;
    const Arguments few = {"--variants", "2", "--dropout", "0.3", "--reset-adam"};
    const auto with = [&](const Arguments& more) {
        Arguments all = few;
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    const auto both = stage.run("both", with({"--seeds", "0,5"}));
    for (const char* seed : {"0", "5"})
        check_same_files(both / fmt::format("seed-{}", seed), stage.run(seed, with({"--seed", seed})));
    const auto half = stage.run("half", with({"--seeds", "0,5", "--epochs", "3"}));
    Process more("train_resnet_variants", {"--resume", half.string(), "--epochs", "6"}, stage.folder.path);
    CHECK(more.wait() == 0);
    for (const char* seed : {"seed-0", "seed-5"}) check_same_files(half / seed, both / seed);
}

TEST_CASE("app/train_resnet_variants: what does not fit is one sentence and status 2") {
    const Stage stage;
    stage.check_refused({"--variants", "1,4"}, {"variant 4", "1 to 3"});
    stage.check_refused({"--variants", "1,1"}, {"--variants", "1,1", "once"});
    stage.check_refused({"--variants", "x"}, {"--variants", "'x'"});
    stage.check_refused({"--pool", "best"}, {"best", "512, global or 4x4"});
    stage.check_refused({"--epochs", "7"}, {"schedule", "6", "7"});
    stage.check_refused({"--setting", "ours"}, {"--setting", "'ours'", "authors or paper"});
    stage.check_refused({"--setting", "authors", "--batch", "0"}, {"--batch", "'0'", "at least 1"});
    for (const char* rate : {"1", "-0.1", "nan", "x"})
        stage.check_refused({"--dropout", rate}, {"--dropout", rate, "less than 1"});
    stage.check_refused({"--block", "twice"}, {"--block", "'twice'", "before-sum"});
    stage.check_refused({"--samples", "1", "--probe-samples", "1", "--scale", "centred"},
                        {"one sample", "centred", "at least 2"});
    stage.check_refused({"--lr-schedule", "1e-3:0"}, {"1e-3:0"});
    stage.check_refused({"--augment", "turn"}, {"--augment", "'turn'", "flip"});
    stage.check_refused({"--augment", "flip,none"}, {"--augment", "'none'", "none alone"});
    for (const char* crop : {"crop:0", "crop:x", "crop:", "crop:2.5", "crop:99999999999999999999"})
        stage.check_refused({"--augment", crop}, {"--augment", fmt::format("'{}'", crop), "at least 1"});
    for (const char* twice : {"flip,flip", "crop,flip,crop:2", "crop:2,crop:2"})
        stage.check_refused({"--augment", twice}, {"--augment", fmt::format("'{}'", twice), "once"});
    stage.check_refused({"--augment", "crop:8"}, {"--augment", "'crop:8'", "8 x 8"});
    stage.check_refused({"--samples", "39"}, {"39"});
    stage.check_refused({"--probe-layers", "-30"}, {"-30"});
    write_file(stage.images / "train" / "dog" / "0000.png", {});
    stage.check_refused({}, {"0000.png"});
    const auto run = stage.run("skipped", {"--skip-bad-images", "--epochs", "0"});
    CHECK(combinations(run / "metrics.csv", 2).size() == 2);
    std::filesystem::create_directories(stage.images / "train" / "eel");
    stage.check_refused({}, {"eel"});
}

TEST_CASE("app/train_resnet_variants: what images of CIFAR-10 rule out is said before they are looked for") {
    const Stage stage;
    const auto refused = [&](Arguments more, const Arguments& words) {
        more.insert(more.end(), {"--data", "/no/such/data"});
        stage.check_refused(more, words);
    };
    refused({"--augment", "flip,crop:31"}, {"/no/such/data"});
    refused({"--augment", "flip,crop:32"}, {"--augment", "'flip,crop:32'", "32 x 32"});
    refused({"--variants", "1,4"}, {"variant 4", "1 to 3"});
    refused({"--variants", "1,1"}, {"--variants", "1,1", "once"});
    refused({"--probe-layers", "99"}, {"layer 99"});
    refused({"--parts", "1000000,1000000"}, {"network resnet18-1", "GiB", "free"});
}
