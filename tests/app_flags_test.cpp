#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/cli/probe_flags.h"
#include "apps/cli/run_flags.h"
#include "apps/cli/training_flags.h"
#include "common/error.h"
#include "tests/files.h"

using namespace deepfreq;

namespace {

std::vector<std::int64_t> due_epochs(const std::string& epochs, std::int64_t last) {
    ProbeFlags flags;
    flags.epochs = epochs;
    std::vector<std::int64_t> due;
    for (std::int64_t epoch = 0; epoch <= last; ++epoch)
        if (flags.plan().epochs.is_due(epoch, epoch == last)) due.push_back(epoch);
    return due;
}

/// Parses a command line as an app would; what CLI11 says of it, empty when it is well.
template <class Flags>
std::string complaint(Flags& flags, std::vector<std::string> arguments) {
    CLI::App app;
    flags.add_to(app);
    std::ranges::reverse(arguments);
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("apps/flags: probes are due at 0, 1, 2, 5 times the powers of ten, never, or as listed") {
    using Epochs = std::vector<std::int64_t>;
    CHECK(due_epochs("auto", 2500) == Epochs{0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 2500});
    CHECK(due_epochs("none", 100).empty());
    CHECK(due_epochs("7,0,30", 100) == Epochs{0, 7, 30});
    CHECK(due_epochs("7,every:20,last", 50) == Epochs{0, 7, 20, 40, 50});
}

TEST_CASE("apps/flags: a schedule of learning rates takes the place of --lr, and must cover the epochs") {
    TrainingFlags flags;
    CHECK(complaint(flags, {"--lr-schedule=1e-3:40,1e-4:20,1e-5:20", "--epochs=80"}) == "");
    const LearningRateSchedule rate = flags.options().trainer.learning_rate;
    CHECK(rate.at(0) == 1e-3);
    CHECK(rate.at(39) == 1e-3);
    CHECK(rate.at(40) == 1e-4);
    CHECK(rate.at(79) == 1e-5);
    flags.epochs = 81;
    CHECK_THROWS_WITH_AS(flags.options(),
                         "the learning rate schedule ends after 80 epochs, expected a rate for epoch 81",
                         InputError);
    CHECK(contains(complaint(flags, {"--lr-schedule=1e-3:40,fast"}), "the learning rate is '1e-3:40,fast'"));
}

TEST_CASE("apps/flags: options of training are parsed and checked") {
    TrainingFlags flags;
    CHECK(complaint(flags, {"--loss=softmax-ce", "--init=normal:0.5", "--lr=1e-3", "--batch=32",
                            "--samples=100", "--epochs=0", "--until-loss=0", "--seed=9223372036854775807"}) ==
          "");
    CHECK(parse_loss(flags.loss) == Loss::SoftmaxCrossEntropy);
    CHECK(flags.options().trainer.learning_rate.at(0) == 1e-3);
    CHECK(flags.batch == 32);
    CHECK(flags.samples == 100);
    CHECK(flags.epochs == 0);
    CHECK(flags.until_loss == 0.0);
    CHECK(flags.options().seeds == std::vector<std::uint64_t>{9223372036854775807U});
    CHECK(contains(complaint(flags, {"--loss=hinge"}), "the loss is 'hinge', expected mse or softmax-ce"));
    CHECK(contains(complaint(flags, {"--batch=0"}), "'0' found, a whole number of at least 1 expected"));
    for (const std::string bad : {"--init=xavier", "--lr=0", "--lr=-1", "--lr=nan", "--lr=inf", "--lr=fast",
                                  "--batch=1.5", "--batch=", "--samples=0", "--epochs=-1", "--until-loss=-1",
                                  "--until-loss=nan", "--seed=-1", "--sed=1"}) {
        CAPTURE(bad);
        CHECK(complaint(flags, {bad}) != "");
    }
}

TEST_CASE("apps/flags: options of probes are parsed and checked") {
    ProbeFlags flags;
    CHECK(complaint(flags, {"--probe-epochs=0,10", "--probe-layers=1,-2", "--probe-samples=50",
                            "--inv-delta=log:0.1:10:20", "--scale=none", "--exclude-self"}) == "");
    CHECK(flags.plan().epochs.is_due(10, false));
    CHECK(flags.filter.scale == "none");
    CHECK(flags.filter.exclude_self);
    for (const std::string bad :
         {"--probe-epochs=-1", "--probe-epochs=1,", "--probe-epochs=1,x", "--probe-epochs=",
          "--probe-epochs=every:0", "--probe-epochs=every:2,every:3", "--probe-layers=input",
          "--probe-layers=1.5", "--probe-layers=1:2:3", "--probe-samples=-1", "--inv-delta=1:2"}) {
        CAPTURE(bad);
        CHECK(complaint(flags, {bad}) != "");
    }
}

TEST_CASE("apps/flags: probed layers are the hidden ones or those listed, in the paper's indices") {
    ProbeFlags flags;
    flags.filter.scale = "none";
    flags.filter.exclude_self = true;
    const auto layers = [](const ProbeOptions& options) {
        std::string text;
        for (const ProbedSet& set : options.sets)
            text += fmt::format("{}={}{} ", set.name, set.layer,
                                set.target ? fmt::format(":{}", *set.target) : "");
        return text;
    };
    ProbeOptions options = flags.plan().options(4, 80);
    CHECK(layers(options) == "1=1 2=2 3=3 ");
    CHECK(options.samples == 80);
    CHECK(options.scaling == ColumnScaling::None);
    CHECK(options.filter.exclude_self);
    flags.layers = "-1,0,-2,3,-3:-1,2:4";
    flags.samples = 80;
    options = flags.plan().options(4, 80);
    CHECK(layers(options) == "0=0 -2=3 -1=4 -3:-1=2:4 ");
    CHECK(options.samples == 80);
    flags.layers = "all";
    CHECK(layers(flags.plan().options(4, 80)) == "0=0 1=1 2=2 3=3 ");
    flags.layers = "-3:softmax,-3,-3:-1";
    options = flags.plan().options(4, 80);
    CHECK(layers(options) == "-3=2 -3:-1=2:4 -3:softmax=2:4 ");
    CHECK(!options.sets[1].softmax);
    CHECK(options.sets[2].softmax);
    flags.filter.inv_delta = "authors";
    CHECK(flags.plan().options(4, 80).grid.inv_deltas().size() == 43);
    flags.filter.authors_grid = "authors-cifar10";
    const std::vector<double> widths = flags.plan().options(4, 80).grid.inv_deltas();
    CHECK(widths.size() == 53);
    CHECK(std::ranges::is_sorted(widths));
    CHECK(widths.front() == doctest::Approx(1.0 / 50.0));
    CHECK(widths.back() == doctest::Approx(1.0 / 0.02));
    flags.samples = 81;
    CHECK_THROWS_WITH_AS(flags.plan().options(4, 80),
                         "81 samples are to be measured, expected at most the 80 training samples",
                         InputError);
    flags.samples = 0;
    for (const std::string bad : {"5", "-5", "1:5", "1:-5", "9223372036854775807", "-9223372036854775808"}) {
        CAPTURE(bad);
        flags.layers = bad;
        CHECK_THROWS_AS(flags.plan().options(4, 80), InputError);
    }
}

TEST_CASE("apps/flags: an earlier run's options hold unless the command line says otherwise") {
    const TemporaryFolder folder;
    const auto parse = [&](const std::string& second) {
        CLI::App app;
        TrainingFlags training;
        RunFlags run;
        training.add_to(app);
        run.add_to(app);
        std::string name = "app", resume = "--resume=" + folder.path.string(), option = second;
        char* arguments[] = {name.data(), resume.data(), option.data()};
        app.parse(3, arguments);
        take_options_of_files(app, run);
        return training;
    };
    CHECK_THROWS_WITH_AS(parse("--seed=1"),
                         (folder.path.string() + ": no run to go on with: config.toml is missing").c_str(),
                         InputError);
    const std::string config = "batch=32\nepochs=7\n";
    write_file(folder.path / "config.toml", Bytes(config.begin(), config.end()));
    const TrainingFlags flags = parse("--epochs=9");
    CHECK(flags.batch == 32);
    CHECK(flags.epochs == 9);
    CHECK(flags.samples == 30000);
}

TEST_CASE("apps/flags: a default can be changed, but not what the user said") {
    for (const bool said : {false, true}) {
        CLI::App app;
        TrainingFlags flags;
        flags.add_to(app);
        app.parse(said ? "--epochs=9" : "");
        default_to(app, "--epochs", "3");
        CHECK(flags.epochs == (said ? 9 : 3));
    }
}
