// ./run paper with programs in the apps' place that leave CSV files written here.
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/files.h"

using deepfreq::contains;
using deepfreq::text_of;

namespace {

namespace fs = std::filesystem;

const char* const apps[] = {"lfr", "fit_functions", "train_mlp_mnist", "vanishing_gradient",
                            "train_resnet_variants"};

int occurrences(const std::string& text, const std::string& part) {
    int count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

/// Programs that note how they were started and copy what lies in results/APP. Only trials are without
/// figures.
class Stage {
  public:
    Stage() {
        for (const char* app : apps) {
            const fs::path program = folder_.path / "bin" / app;
            fs::create_directories(program.parent_path());
            fs::create_directories(folder_.path / "results" / app);
            std::ofstream(program) << fmt::format(
                "#!/bin/sh\n"
                "case \"$*\" in *--no-figures*) echo \"{0} $*\" >>'{1}/tried'; exit 0 ;; esac\n"
                "echo \"{0} $*\" >>'{1}/started'\n"
                "test -e '{1}/{0}-fails' && exit 1\n"
                "test -e '{1}/{0}-waits' && sleep 3 && touch '{1}/waited'\n"
                "for argument in \"$@\"; do\n"
                "    case $before in --out|--resume) out=$argument ;; esac\n"
                "    before=$argument\n"
                "done\n"
                "mkdir -p \"$out/figures\" && cp -r '{1}/results/{0}/.' \"$out\"\n"
                "test -e '{1}/{0}-interrupts' && touch \"$out/config.toml\" && kill -INT $PPID\n"
                "exit 0\n",
                app, folder_.path.string());
            fs::permissions(program, fs::perms::owner_all);
        }
        put("lfr", "peaks.csv", peaks("f,k = 1,0,1,1\nf,k = 2,0,2,2\n"));
        put("fit_functions", "summary.csv",
            "panel,setting,runs,converged,mean_epochs,deviation,given_up\n"
            "a,1,5,5,300,1,0\na,2,5,5,200,1,0\nb,1,5,5,10,1,0\nb,2,5,5,20,1,0\n");
        put("train_mlp_mnist", "peaks.csv", peaks("mlp,1,0,1,1\nmlp,2,0,2,1\nmlp,1,9,2,1\nmlp,2,9,1,1\n"));
        put("vanishing_gradient", "metrics.csv",
            metrics(
                "plain-20,9,0.1,1,1\nplain-60,9,0.2,1,1\nresidual-20,9,0.1,1,1\nresidual-60,9,0.11,1,1\n"));
        put("vanishing_gradient", "peaks.csv",
            peaks("plain-20,-3,9,1,1\nplain-60,-3,9,2,1\nresidual-20,-3,9,1,1\nresidual-60,-3,9,1.1,1\n",
                  "rise50"));
        put("train_resnet_variants", "metrics.csv",
            metrics("resnet18-1,0,1,0.1,0.1\nresnet18-1,1,1,0.9,0.6\nresnet18-2,0,1,0.1,0.1\nresnet18-2,1,1,"
                    "0.5,0.5\n"));
        put("train_resnet_variants", "peaks.csv",
            peaks("resnet18-1,-3,0,2,1\nresnet18-2,-3,0,1,1\nresnet18-1,-3,1,1,1\nresnet18-2,-3,1,2,1\n"
                  "resnet18-1,-3:-1,0,2,1\nresnet18-2,-3:-1,0,1,1\nresnet18-1,-3:-1,1,1,1\nresnet18-2,-3:-1,"
                  "1,2,1\n"));
    }

    static std::string peaks(const std::string& lines, const std::string& judged = "inv_delta") {
        return "network,layer,epoch," + judged + ",rise90\n" + lines;
    }
    static std::string metrics(const std::string& lines) {
        return "network,epoch,train_loss,train_accuracy,validation_accuracy\n" + lines;
    }
    void put(const std::string& app, const std::string& name, const std::string& text) const {
        std::ofstream(folder_.path / "results" / app / name) << text;
    }

    /// Exit status of the script, some lines of which may be others here; what it printed is in said().
    int run(const std::string& options = "--quick", const std::string& others = "") const {
        const std::string place = folder_.path.string();
        std::ofstream(folder_.path / "start.py")
            << "import os, signal, sys\n"
            << fmt::format("sys.path.insert(0, '{}/../apps/paper')\n", DEEPFREQ_TEST_DIR) << "import paper\n"
            << others << "sys.exit(paper.main())\n";
        const int status =
            std::system(fmt::format("/usr/bin/python3 '{}/start.py' --build '{}' --out '{}/out' {} "
                                    ">'{}/said' 2>&1",
                                    place, place, place, options, place)
                            .c_str());
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::string said() const { return text_of(folder_.path / "said"); }
    std::string page() const { return text_of(folder_.path / "out" / "index.html"); }
    /// One line a program started, since the last call.
    std::string started() const { return taken("started"); }
    /// … and one a trial.
    std::string tried() const { return taken("tried"); }
    const fs::path& path() const { return folder_.path; }

  private:
    std::string taken(const char* name) const {
        std::string lines = text_of(folder_.path / name);
        fs::remove(folder_.path / name);
        return lines;
    }
    deepfreq::TemporaryFolder folder_;
};

/// Refused with one sentence that holds the words, before anything was begun.
void check_refused(const Stage& stage, const std::string& options, const std::string& words) {
    CAPTURE(options);
    CHECK(stage.run(options) == 2);
    const std::string said = stage.said();
    CAPTURE(said);
    CHECK(contains(said, words));
    const auto sentence = said.find("./run paper: ");
    REQUIRE(sentence != std::string::npos);
    CHECK(said.find('\n', sentence) == said.size() - 1);
    CHECK_FALSE(contains(said, "--help"));
    CHECK_FALSE(contains(said, "{"));  // nothing as Python writes it
    CHECK_FALSE(fs::exists(stage.path() / "started"));
}

}  // namespace

TEST_CASE("paper: one page with every figure, and every claim that the numbers bear out is a yes") {
    const Stage stage;
    REQUIRE_MESSAGE(stage.run("--quick --mnist /m --cifar10 /c --device cpu") == 0, stage.said());
    const std::string page = stage.page(), started = stage.started();
    for (const char* figure :
         {"Figure 1", "Figure 3", "Figure 5", "Figure 6", "Figure 7", "Figure 8", "Figure 9"})
        CHECK(contains(page, std::string("<h2>") + figure));
    CHECK(occurrences(page, "<td class=yes>") == 16 + 8);  // Figures 5 to 8 in the comparison, too
    CHECK(occurrences(page, "<td class=no>") == 0);
    CHECK(occurrences(page, "<td class=not>not run</td>") == 8);  // under the programs' setting
    CHECK(contains(started, "train_mlp_mnist --setting paper --out"));
    CHECK(contains(started, "vanishing_gradient --residual both --out"));
    CHECK(contains(started, "--quick --data /m --device cpu"));
    CHECK(contains(started, "--quick --data /c --device cpu"));
    CHECK(occurrences(started, "\n") == 5);
    const std::string tried = stage.tried();
    CHECK(occurrences(tried, "--quick") == 3);
    CHECK(contains(tried, " --data /m --device cpu --no-figures "));
    CHECK(contains(tried, " --data /c --device cpu --no-figures "));
}

TEST_CASE("paper: under both settings, Figures 5 to 8 stand twice, and a table compares what came out") {
    const Stage stage;
    REQUIRE_MESSAGE(stage.run("--quick --setting both --seeds 0,7") == 0, stage.said());
    const std::string page = stage.page(), started = stage.started();
    for (const char* app : {"train_mlp_mnist", "train_resnet_variants"})
        for (const char* setting : {"paper", "authors"})
            CHECK(contains(started, fmt::format("{} --setting {} --out", app, setting)));
    CHECK(occurrences(started, "--seeds 0,7") == 5);
    CHECK(!contains(started, "lfr --quick"));
    CHECK(occurrences(page, "<td class=yes>") == 16 + 8 + 16);
    CHECK(contains(page,
                   "<h2>Figure 8: RDF of the hidden layers of one network, the text&#x27;s setting</h2>"));
    CHECK(contains(page, "the programs&#x27; setting</h2>"));
    CHECK(contains(stage.said(), "yes  Figure 8 (authors): "));
    CHECK(fs::exists(stage.path() / "out" / "fig5-7-authors" / "metrics.csv"));
}

TEST_CASE("paper: several seeds are judged one by one and in the mean, and what changes places is a tie") {
    const Stage stage;
    const auto end = [&](const char* seed, double second, double third) {
        fs::create_directories(stage.path() / "results" / "train_mlp_mnist" / seed);
        stage.put("train_mlp_mnist", fmt::format("{}/peaks.csv", seed),
                  Stage::peaks(fmt::format("mlp,0,0,9,1\nmlp,1,0,1,1\nmlp,2,0,2,1\nmlp,3,0,3,1\n"
                                           "mlp,1,9,3,1\nmlp,2,9,{},1\nmlp,3,9,{},1\n",
                                           second, third)));
    };
    fs::remove(stage.path() / "results" / "train_mlp_mnist" / "peaks.csv");
    end("seed-0", 2.0, 1.9);
    end("seed-1", 2.0, 2.05);
    REQUIRE_MESSAGE(stage.run() == 0, stage.said());
    CHECK(contains(stage.page(),
                   "layer 1: 3 ± 0, layer 2: 2 ± 0, layer 3: 1.975 ± 0.075; per seed: yes, no; "
                   "ties within the spread: layer 2 and layer 3"));
    CHECK(contains(stage.page(), "<td class=tie>tie</td>"));
    CHECK(contains(stage.said(), "tie  Figure 8: "));
    fs::remove_all(stage.path() / "out");
    end("seed-1", 2.0, 1.8);
    REQUIRE(stage.run() == 0);
    CHECK(contains(stage.page(), "per seed: yes, yes"));
    CHECK(!contains(stage.page(), ">tie<"));
    fs::remove_all(stage.path() / "out");
    end("seed-0", 3.5, 1.9);
    end("seed-1", 3.5, 1.9);
    REQUIRE(stage.run() == 0);
    CHECK(contains(stage.page(), "per seed: no, no"));
}

TEST_CASE("paper: a claim that the numbers contradict is a no, and one they do not decide is neither") {
    const Stage stage;
    stage.put("lfr", "peaks.csv", Stage::peaks("f,k = 1,0,2,1\nf,k = 2,0,1,2\n"));
    stage.put("fit_functions", "summary.csv",
              "panel,setting,runs,converged,mean_epochs,deviation,given_up\n"
              "a,1,5,4,300,1,1\na,2,5,5,200,1,0\nb,1,5,5,20,1,0\nb,2,5,5,20,1,0\n");
    stage.put("vanishing_gradient", "metrics.csv",
              Stage::metrics(
                  "plain-20,9,0.1,1,1\nplain-60,9,0.2,1,1\nresidual-20,9,0.1,1,1\nresidual-60,9,0.2,1,1\n"));
    stage.put("vanishing_gradient", "peaks.csv", "");
    REQUIRE(stage.run() == 0);
    const std::string page = stage.page(), said = stage.said();
    CHECK(contains(said, "no   Figure 3: (b)"));
    CHECK(contains(said, "yes  Figure 3: (a)"));
    CHECK(contains(said, "?    Figure 1: (a)"));
    CHECK(contains(said, "no   Figure 1: (b)"));  // no difference is no order
    CHECK(contains(said, "?    Figure 9: (its numbers)"));
    CHECK(contains(page, "1 runs did not reach the error"));
    CHECK(contains(page, "cannot be read: peaks.csv has no row below its header"));
}

TEST_CASE("paper: an accuracy that a network had from the start decides nothing about epochs") {
    const Stage stage;
    stage.put("train_resnet_variants", "metrics.csv",
              Stage::metrics("resnet18-1,0,1,0.12,0.1\nresnet18-1,1,1,0.9,0.6\n"
                             "resnet18-2,0,1,0.05,0.1\nresnet18-2,1,1,0.13,0.5\n"));
    REQUIRE(stage.run() == 0);
    CHECK(contains(stage.said(), "?    Figure 5: (a)"));
    CHECK(contains(stage.said(), "yes  Figure 5: (b)"));
    CHECK(contains(stage.page(), "(10%)"));
    CHECK(contains(stage.page(), "resnet18-1 had it from the start"));
}

TEST_CASE("paper: nothing said of training is decided by the initial state, and nothing said of that later") {
    const Stage stage;
    stage.put("train_resnet_variants", "metrics.csv",
              Stage::metrics("resnet18-1,0,1,0.2,0.2\nresnet18-2,0,1,0.1,0.1\n"));
    stage.put("train_resnet_variants", "peaks.csv",
              Stage::peaks("resnet18-1,-3,0,2,1\nresnet18-2,-3,0,1,1\n"
                           "resnet18-1,-3:-1,0,1,1\nresnet18-2,-3:-1,0,2,1\n"));
    stage.put("train_mlp_mnist", "peaks.csv", Stage::peaks("mlp,1,3,1,1\nmlp,2,3,2,1\n"));
    stage.put("vanishing_gradient", "metrics.csv",
              Stage::metrics(
                  "plain-20,0,0.1,1,1\nplain-60,0,0.2,1,1\nresidual-20,0,0.1,1,1\nresidual-60,0,0.11,1,1\n"));
    stage.put(
        "vanishing_gradient", "peaks.csv",
        Stage::peaks("plain-20,-3,0,1,1\nplain-60,-3,0,2,1\nresidual-20,-3,0,1,1\nresidual-60,-3,0,1,1\n",
                     "rise50"));
    REQUIRE(stage.run() == 0);
    const std::string said = stage.said();
    CAPTURE(said);
    for (const char* figure : {"5: (a)", "5: (b)", "6: After", "7: After", "8: At init", "9: (a) Plain",
                               "9: (a) With", "9: (b) Plain", "9: (b) With"})
        CHECK_MESSAGE(contains(said, std::string("?    Figure ") + figure), figure);
    CHECK(contains(said, "yes  Figure 6: At initialisation"));
    CHECK(contains(said, "no   Figure 7: At initialisation"));
    CHECK(contains(said, "no   Figure 8: At the end"));
    CHECK(occurrences(stage.page(), "but nothing was trained yet") == 7);
    CHECK(contains(stage.page(), "the first epoch is 3, after training began"));
}

TEST_CASE("paper: a network that lacks a number leaves its claim undecided, and is named") {
    const Stage stage;
    stage.put("vanishing_gradient", "metrics.csv",
              Stage::metrics(
                  "plain-20,9,0.1,1,1\nplain-60,5,0.2,1,1\nresidual-20,9,0.1,1,1\nresidual-60,9,nan,1,1\n"));
    stage.put("train_resnet_variants", "metrics.csv",
              Stage::metrics("resnet18-1,0,1,nan,0.1\nresnet18-1,1,1,nan,0.6\nresnet18-2,0,1,0.1,0.1\n"
                             "resnet18-2,1,1,0.5,\nresnet18-3,1,1,0.5,0.1\n"));
    REQUIRE(stage.run() == 0);
    const std::string said = stage.said(), page = stage.page();
    CAPTURE(said);
    for (const char* figure : {"9: (a) Plain", "9: (a) With", "5: (a)", "5: (b)", "6: At", "6: After"})
        CHECK_MESSAGE(contains(said, std::string("?    Figure ") + figure), figure);
    for (const char* network : {"plain-60", "residual-60", "resnet18-1", "resnet18-2", "resnet18-3"})
        CHECK_MESSAGE(contains(page, std::string("there is no number for ") + network), network);
    CHECK(contains(said, "yes  Figure 9: (b)"));
}

TEST_CASE("paper: interrupted, it goes on with the run at hand and leaves what is done") {
    const Stage stage;
    std::ofstream(stage.path() / "train_mlp_mnist-interrupts") << "";
    REQUIRE(stage.run() == 0);
    CHECK(contains(stage.said(), "goes on from here"));
    CHECK(occurrences(stage.started(), "\n") == 3);
    CHECK(contains(stage.page(), "Not yet."));
    fs::remove(stage.path() / "train_mlp_mnist-interrupts");
    REQUIRE(stage.run() == 0);
    const std::string started = stage.started();
    CHECK(occurrences(started, "\n") == 3);
    CHECK(started.starts_with("train_mlp_mnist --resume "));
    CHECK_FALSE(contains(stage.page(), "Not yet."));
    stage.tried();
    REQUIRE(stage.run() == 0);
    CHECK(stage.started().empty());
    CHECK(stage.tried().empty());
}

TEST_CASE("paper: interrupted between two apps, it starts no other") {
    for (const char* signal : {"SIGINT", "SIGTERM"}) {
        CAPTURE(signal);
        const Stage stage;
        REQUIRE(stage.run("--quick", fmt::format("save = paper.Paper.save\n"
                                                 "def save_and_stop(self):\n"
                                                 "    save(self)\n"
                                                 "    if self.done: os.kill(os.getpid(), signal.{})\n"
                                                 "paper.Paper.save = save_and_stop\n",
                                                 signal)) == 0);
        CHECK(contains(stage.said(), "goes on from here"));
        CHECK_FALSE(contains(stage.said(), "[2 of 5]"));
        CHECK(occurrences(stage.started(), "\n") == 1);
    }
}

TEST_CASE("paper: interrupted while an app starts, it ends that app") {
    const Stage stage;
    std::ofstream(stage.path() / "train_mlp_mnist-waits") << "";
    REQUIRE(
        stage.run("--quick",
                  "start = paper.subprocess.Popen\n"
                  "def start_and_stop(command, **streams):\n"
                  "    app = start(command, **streams)\n"
                  "    if str(command[0]).endswith('train_mlp_mnist'): os.kill(os.getpid(), signal.SIGINT)\n"
                  "    return app\n"
                  "paper.subprocess.Popen = start_and_stop\n") == 0);
    CHECK(contains(stage.said(), "goes on from here"));
    CHECK_FALSE(fs::exists(stage.path() / "waited"));
    CHECK_FALSE(contains(stage.started(), "vanishing_gradient"));
}

TEST_CASE("paper: an app that fails is named on the page, the others still run, and it is tried again") {
    const Stage stage;
    std::ofstream(stage.path() / "vanishing_gradient-fails") << "";
    CHECK(stage.run() == 1);
    CHECK(contains(stage.page(), "vanishing_gradient ended with status 1"));
    CHECK(occurrences(stage.started(), "\n") == 5);
    fs::remove(stage.path() / "vanishing_gradient-fails");
    CHECK(stage.run() == 0);
    CHECK(stage.started().starts_with("vanishing_gradient --residual both"));
}

TEST_CASE("paper: a folder of another setting, or of something else, is refused in one sentence") {
    const Stage stage;
    REQUIRE(stage.run() == 0);
    stage.started();
    check_refused(stage, "",
                  "out/progress.json: begun with --quick, but found no --quick: choose another --out");
    check_refused(stage, "--quick --mnist /m --device cpu",
                  "begun with no --mnist and --device auto, but found --mnist /m and --device cpu");
    std::ofstream(stage.path() / "out" / "progress.json") << "{";
    check_refused(stage, "--quick", "progress.json: cannot be read");
    fs::remove(stage.path() / "out" / "progress.json");
    check_refused(stage, "--quick", "holds other files");
    check_refused(stage, "--out /proc/nothing", "--out: /proc/nothing: ");
    check_refused(stage, fmt::format("--out '{}/said'", stage.path().string()), "said: Not a directory");
}

TEST_CASE("paper: an option that an app would refuse is refused before any of them starts") {
    const Stage stage;
    const fs::path build = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
    const auto check = [&](const std::string& options, const std::string& words) {
        check_refused(stage, fmt::format("--quick --build '{}' {}", build.string(), options), words);
        CHECK_FALSE(fs::exists(stage.path() / "out"));
    };
    check("--precision fp9", "--precision: the precision is 'fp9', expected fp32, tf32, bf16 or auto\n");
    check("--device cpu --precision tf32", "the precision is tf32, which only GPUs have, expected fp32");
    check("--device gpu", "the device is 'gpu', expected auto, cpu, cuda or cuda:N\n");
    check("--device cuda:99", "the device is cuda:99, but ");
    check("--mnist /nowhere", "--mnist: /nowhere: no MNIST found there");
    check("--cifar10 /nowhere", "--cifar10: /nowhere: no CIFAR-10 found there");
    check("--build /nowhere",
          "--build is '/nowhere', expected a folder whose bin/ has every app: there is no lfr,");
}
