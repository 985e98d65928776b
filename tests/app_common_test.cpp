#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/error.h"
#include "runs/csv_file.h"
#include "runs/progress.h"
#include "runs/run_folder.h"
#include "tests/backends.h"
#include "tests/file_size_limit.h"
#include "tests/files.h"

using namespace deepfreq;
namespace fs = std::filesystem;

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

TEST_CASE("apps/progress: durations are told in the unit that suits them") {
    CHECK(duration_text(0.2) == "0 s");
    CHECK(duration_text(45.0) == "45 s");
    CHECK(duration_text(99.4) == "99 s");
    CHECK(duration_text(12.0 * 60.0) == "12 min");
    CHECK(duration_text(3.2 * 3600.0) == "3.2 h");
}
