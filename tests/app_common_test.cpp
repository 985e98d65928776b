#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/cli/probe_flags.h"
#include "apps/cli/program.h"
#include "apps/cli/run_flags.h"
#include "apps/cli/training_flags.h"
#include "common/error.h"
#include "models/mlp.h"
#include "runs/csv_file.h"
#include "runs/progress.h"
#include "runs/run_folder.h"
#include "tests/backends.h"
#include "tests/file_size_limit.h"
#include "tests/files.h"

using namespace deepfreq;
namespace fs = std::filesystem;

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

TEST_CASE("apps/csv_file: a new file begins with its header, an earlier one is gone on with") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "metrics.csv";
    {
        CsvFile csv(path, "epoch,loss");
        CHECK(csv.settle().bytes == 11);
        csv.row("1,0.5");
    }
    CHECK(text_of(path) == "epoch,loss\n1,0.5\n");
    CsvFile csv(path, "epoch,loss");
    csv.row("2,0.25");
    CHECK(text_of(path) == "epoch,loss\n1,0.5\n2,0.25\n");
}

TEST_CASE("apps/csv_file: rows after a checkpoint are cut off and written again") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "metrics.csv";
    CsvFile csv(path, "epoch,loss");
    csv.row("1,0.5");
    const CsvExtent extent = csv.settle();
    csv.row("2,0.25");
    csv.cut_back(extent);
    CHECK(text_of(path) == "epoch,loss\n1,0.5\n");
    csv.row("2,0.125");
    CHECK(text_of(path) == "epoch,loss\n1,0.5\n2,0.125\n");
    csv.clear();
    CHECK(text_of(path) == "epoch,loss\n");
    csv.row("1,0.5");
    CHECK(text_of(path) == "epoch,loss\n1,0.5\n");
}

TEST_CASE("apps/csv_file: a header that was cut short is written again") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "metrics.csv";
    write_file(path, {'e', 'p'});
    const CsvFile csv(path, "epoch,loss");
    CHECK(text_of(path) == "epoch,loss\n");
}

TEST_CASE("apps/csv_file: a file shorter than its checkpoint says, or that cannot be made, is refused") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "metrics.csv";
    CsvFile csv(path, "epoch,loss");
    CHECK_THROWS_WITH_AS(
        csv.cut_back({12, 0}),
        (path.string() + ": 11 bytes found, at least the 12 of the checkpoint expected").c_str(), InputError);
    CHECK(text_of(path) == "epoch,loss\n");
    const fs::path nowhere = folder.path / "missing" / "metrics.csv";
    CHECK_THROWS_WITH_AS(CsvFile(nowhere, "epoch"),
                         (nowhere.string() + ": cannot be written: No such file or directory").c_str(),
                         InputError);
}

TEST_CASE("apps/csv_file: a full disk fails the run") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "metrics.csv";
    std::string sentence;
    CsvFile csv(path, "epoch,loss");
    const CsvExtent extent = csv.settle();
    try {
        const FileSizeLimit full(16);
        csv.row("1,0.123456789");
    } catch (const RunError& error) {
        sentence = error.what();
    }
    CHECK(sentence == path.string() + ": writing failed: File too large");
    csv.cut_back(extent);  // what did fit is cut off when the run goes on
    CHECK(text_of(path) == "epoch,loss\n");
}

TEST_CASE("apps/run_folder: a run is made once, opened again, and its tables go back to a checkpoint") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "deep" / "run-001";
    nlohmann::json sizes;
    {
        RunFolder run(new_run_folder(path));
        CHECK(run.checkpoint() == path / "checkpoint");
        CHECK(run.kept_checkpoint("mlp", 20) == path / "checkpoints" / "mlp" / "epoch-000020.safetensors");
        run.write("config.toml", "epochs=3\n");
        run.metrics().row("mlp,0,1,0.1,0.1,");
        sizes = run.settle();
        run.metrics().row("mlp,1,1,0.1,0.1,");
        run.lfr().row("mlp,1,1,0.5,0.9");
        run.rdf().row("mlp,1,1,0.5,0.9");
        run.peaks().row("mlp,1,1,1,1,1,1,1");
    }
    CHECK_THROWS_WITH_AS(new_run_folder(path), (path.string() + ": holds a run already").c_str(), InputError);
    RunFolder run(earlier_run_folder(path));
    CHECK(text_of(path / "config.toml") == "epochs=3\n");
    run.cut_back(sizes);
    CHECK(text_of(path / "metrics.csv") ==
          "network,epoch,train_loss,train_accuracy,validation_accuracy,seconds\nmlp,0,1,0.1,0.1,\n");
    CHECK(text_of(path / "lfr.csv") == "network,layer,epoch,inv_delta,lfr\n");
    CHECK(text_of(path / "rdf.csv") == "network,layer,epoch,inv_delta,rdf\n");
    CHECK(text_of(path / "peaks.csv") == "network,layer,epoch,inv_delta,rdf,rise10,rise50,rise90\n");
    run.clear();
    CHECK(text_of(path / "metrics.csv") ==
          "network,epoch,train_loss,train_accuracy,validation_accuracy,seconds\n");
}

TEST_CASE("apps/run_folder: folders that hold no run, or cannot be made, are refused") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(earlier_run_folder(folder.path),
                         (folder.path.string() + ": no run to resume: config.toml is missing").c_str(),
                         InputError);
    CHECK(fs::is_empty(folder.path));
    write_file(folder.path / "file", {1});
    CHECK_THROWS_AS(new_run_folder(folder.path / "file" / "run"), InputError);
}

TEST_CASE("apps/csv_file: a file that another program changed is refused, and not touched") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "metrics.csv";
    const auto refused = [&](const std::string& changed, const char* word) {
        CAPTURE(changed);
        fs::remove(path);
        CsvExtent extent;
        {
            CsvFile csv(path, "epoch,loss");
            csv.row("1,0.5");
            extent = csv.settle();
        }
        write_file(path, Bytes(changed.begin(), changed.end()));
        CsvFile csv(path, "epoch,loss");
        std::string said;
        try {
            csv.cut_back(extent);
        } catch (const InputError& error) {
            said = error.what();
        }
        CHECK(contains(said, path.string()));
        CHECK(contains(said, word));
        CHECK(text_of(path) == changed);
    };
    refused("epoch,loss\r\n1,0.5\r\n", "changed since");  // by a spreadsheet
    refused("epoch,loss\n1,0.6\n", "changed since");
    refused("epoch,loss\n1,.5\n", "16 bytes found");

    // While the run goes on: appended to, and saved by an editor, which puts a new file in its place.
    fs::remove(path);
    CsvFile csv(path, "epoch,loss");
    csv.row("1,0.5");
    csv.settle();
    std::ofstream(path, std::ios::app) << "2,0.25\n";
    CHECK_THROWS_AS(csv.settle(), RunError);
    fs::resize_file(path, 17);
    csv.settle();
    std::ofstream(folder.path / "new") << text_of(path);
    fs::rename(folder.path / "new", path);
    CHECK_THROWS_AS(csv.settle(), RunError);
}

TEST_CASE("apps/owned_folder: the next free name counts on") {
    const TemporaryFolder folder;
    const fs::path stem = folder.path / "runs" / "mlp";
    CHECK(OwnedFolder::next(stem).path() == folder.path / "runs" / "mlp-001");
    fs::create_directories(folder.path / "runs" / "mlp-003");
    write_file(folder.path / "runs" / "mlp-004", {1});
    CHECK(OwnedFolder::next(stem).path() == folder.path / "runs" / "mlp-002");
    CHECK(OwnedFolder::next(stem).path() == folder.path / "runs" / "mlp-005");
    CHECK(fs::is_empty(folder.path / "runs" / "mlp-005"));
    CHECK_THROWS_AS(OwnedFolder::next(folder.path / "runs" / "mlp-004" / "mlp"), InputError);
}

TEST_CASE("apps/owned_folder: a folder has one owner, and a dead one has none") {
    const TemporaryFolder folder;
    // Another process, for locks are between processes: it owns the folder until it is told to end.
    const auto owner = [&](int& to_child) {
        int begun[2], ends[2];
        REQUIRE(pipe(begun) == 0);
        REQUIRE(pipe(ends) == 0);
        const pid_t child = fork();
        if (child == 0) {
            const OwnedFolder owned(folder.path);
            char byte = 'x';
            if (write(begun[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) _exit(1);
            _exit(0);  // without giving anything back
        }
        char byte = 0;
        REQUIRE(read(begun[0], &byte, 1) == 1);
        to_child = ends[1];
        return child;
    };
    int to_child = 0;
    const pid_t child = owner(to_child);
    CHECK_THROWS_WITH_AS(OwnedFolder{folder.path},
                         (folder.path.string() + ": process " + std::to_string(child) +
                          " is working on it: wait for its end, or stop it first")
                             .c_str(),
                         InputError);
    REQUIRE(write(to_child, "x", 1) == 1);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(fs::exists(folder.path / OwnedFolder::lock_name));
    { const OwnedFolder mine(folder.path); }
    CHECK(fs::is_empty(folder.path));
}

TEST_CASE("apps/progress: a line is cut to the columns of the terminal") {
    CHECK(cut_to_columns("epoch 1", 7) == "epoch 1");
    CHECK(cut_to_columns("epoch 10", 7) == "epoch …");
    CHECK(cut_to_columns("a · b", 5) == "a · b");
    CHECK(cut_to_columns("a · b", 4) == "a ·…");
    CHECK(cut_to_columns("\xE6\xBC\xA2\xE5\xAD\x97", 4) == "\xE6\xBC\xA2\xE5\xAD\x97");  // two of two columns
    CHECK(cut_to_columns("\xE6\xBC\xA2\xE5\xAD\x97", 3) == "\xE6\xBC\xA2…");
    CHECK(cut_to_columns("caf\xE9", 10) == "caf\xE9");
    CHECK(cut_to_columns("", 10).empty());
}

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

TEST_CASE("apps/progress: durations are told in the unit that suits them") {
    CHECK(duration_text(0.2) == "0 s");
    CHECK(duration_text(45.0) == "45 s");
    CHECK(duration_text(99.4) == "99 s");
    CHECK(duration_text(12.0 * 60.0) == "12 min");
    CHECK(duration_text(3.2 * 3600.0) == "3.2 h");
}
