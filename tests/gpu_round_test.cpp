// tools/gpu_round with shell scripts in the programs' place.
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "tests/files.h"

using deepfreq::contains;
using deepfreq::text_of;

namespace {

namespace fs = std::filesystem;

constexpr const char* passes =
    "echo '[doctest] test cases: 2 | 2 passed | 0 failed | 0 skipped'\n"
    "echo '[doctest] assertions: 5 | 5 passed | 0 failed |'";

/// A build whose doctor is well and whose tests do as they are told.
class Stage {
  public:
    Stage() {
        put("doctor", "echo 'device: cpu: a trial'\necho 'copy OK'");
        put("deepfreq_tests", passes);
    }

    void put(const std::string& program, const std::string& script) const {
        const fs::path path = folder_.path / "build" / "bin" / program;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
        fs::permissions(path, fs::perms::owner_all);
    }

    /// Exit status of a round; what it said is in said().
    int run(const std::string& options) const {
        const int status = std::system(fmt::format("/usr/bin/python3 '{}/../tools/gpu_round' --build "
                                                   "'{}/build' --out '{}/out' {} >'{}/said' 2>&1",
                                                   DEEPFREQ_TEST_DIR, folder(), folder(), options, folder())
                                           .c_str());
        return WEXITSTATUS(status);
    }

    std::string folder() const { return folder_.path.string(); }
    std::string said() const { return text_of(folder_.path / "said"); }
    std::string summary() const { return text_of(folder_.path / "out" / "summary.md"); }
    std::string log() const { return text_of(folder_.path / "out" / "log.txt"); }

  private:
    deepfreq::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("tools/gpu_round: each part has a row, in the order of the table, and its output in the log") {
    const Stage stage;
    REQUIRE(stage.run("--device cpu --only 'engine,doctor,dense layers'") == 0);
    const std::string summary = stage.summary();
    CAPTURE(summary);
    CHECK(contains(summary, "| engine | ok |"));
    CHECK(contains(summary, "| doctor | ok |"));
    CHECK(contains(summary, "1 checks; cpu: a trial"));
    CHECK(
        contains(summary, "test cases: 2, 2 passed, 0 failed, 0 skipped; assertions: 5, 5 passed, 0 failed"));
    CHECK(contains(stage.log(), "deepfreq_tests '-tc=engine/*"));
}

TEST_CASE(
    "tools/gpu_round: what crashes, hangs, is killed or finds nothing is named, and stops no other part") {
    const Stage stage;
    stage.put("deepfreq_tests",
              fmt::format("case $1 in\n"
                          "*crash*) echo 'running: it crashes'; kill -SEGV $$ ;;\n"
                          "*hang*) echo 'running: it hangs'; sleep 60 & wait ;;\n"
                          "*killed*) echo 'running: it is killed'; kill -KILL $$ ;;\n"
                          "*wrong*) printf '===\\nTEST CASE:  it is wrong\\n\\nERROR: CHECK\\n'; exit 1 ;;\n"
                          "*dense*) echo '[doctest] test cases: 0 | 0 passed' ;;\n"
                          "*) {} ;; esac",
                          passes));
    CHECK(stage.run("--device cpu --jobs 2 --only 'fault: a crash,fault: a hang,fault: killed from outside,"
                    "fault: a wrong result,dense layers,engine'") == 1);
    const std::string summary = stage.summary();
    CAPTURE(summary);
    CHECK(contains(summary, "ended by SIGSEGV in 'it crashes'"));
    CHECK(contains(summary, "did not end within 5 s in 'it hangs'"));
    CHECK(contains(summary, "ended by SIGKILL in 'it is killed'"));
    // They end at once, but not in 0.0 s on a busy machine.
    const auto failed_at_once = [&](const std::string& part, const std::string& why) {
        const std::regex row("\\| " + part + " \\| failed \\| [01]\\.\\d \\| " + why + " \\|");
        return std::regex_search(summary, row);
    };
    CHECK(failed_at_once("fault: a wrong result", "it is wrong"));
    CHECK(failed_at_once("dense layers", "no test case ran"));
    CHECK(contains(summary, "| engine | ok |"));
}

TEST_CASE(
    "tools/gpu_round: what there is no time for is listed, and killed in the middle it keeps what came "
    "before") {
    const Stage stage;
    stage.put("doctor", "sleep 2; echo 'copy OK'");
    CHECK(stage.run("--device cpu --jobs 1 --budget 11 --only 'doctor,dense layers'") == 0);
    CHECK(contains(stage.summary(), "| dense layers | left out | 0.0 | takes about 10 s, and "));

    stage.put("deepfreq_tests", "test $(pgrep -c -P $PPID) -gt 0 && kill -KILL $PPID");
    stage.run("--device cpu --jobs 1 --only 'doctor,engine,dense layers'");
    CHECK(contains(stage.summary(), "| doctor | ok |"));
    CHECK(contains(stage.summary(), "| engine | not yet | | |"));
}

TEST_CASE("tools/gpu_round: wrong usage is one sentence and status 2") {
    const Stage stage;
    const auto refused = [&](const std::string& options, const std::string& sentence) {
        CAPTURE(options);
        CHECK(stage.run(options) == 2);
        const std::string said = stage.said();
        CAPTURE(said);
        CHECK(contains(said, sentence));
        CHECK(said.find('\n') == said.size() - 1);
    };
    refused("--device cpu --only none",
            "gpu_round: --only names 'none', expected some of: doctor, dense layers");
    refused("--device cpu --paper", "gpu_round: fig8-paper needs mnist/ in the folder of --data (none), and");
    refused("--device cpu --budget 0", "gpu_round: --budget is 0, expected a number of seconds above 0");
    refused("--device cpu --budget 1 --only engine", "gpu_round: --budget is 1, expected at least 10");
    refused("--device cpu --data /nowhere", "gpu_round: --data is /nowhere, expected a folder");
    refused("--pack p --cifar10 /nowhere", "gpu_round: --cifar10 is /nowhere, expected a folder");
    refused("--device cpu --build /nowhere", "gpu_round: /nowhere/bin has no programs, expected those of");
    refused("--pack /nowhere/pack --build /nowhere",
            "gpu_round: /nowhere/bin has no programs, expected those of");
    stage.put("doctor", "echo '  cuda cannot be used: the driver serves CUDA 12.2, expected 13.0'; exit 2");
    refused("--smoke", "gpu_round: the driver serves CUDA 12.2, expected 13.0");
    stage.put("doctor", "echo 'error: --device is cuda, but this build has no CUDA' >&2; exit 2");
    refused("--smoke", "gpu_round: --device is cuda, but this build has no CUDA");
}

TEST_CASE("tools/gpu_round: a pack runs by itself, and holds the data under their names") {
    const Stage stage;
    std::ofstream(fs::path(stage.folder()) / "build" / "images") << "digits";
    REQUIRE(stage.run(fmt::format("--pack '{0}/pack' --mnist '{0}/build'", stage.folder())) == 0);
    CHECK(contains(stage.said(), "2 programs, "));
    const int status = std::system(
        fmt::format("cd /; '{0}/pack/gpu_round' --device cpu --only doctor >'{0}/said' 2>&1", stage.folder())
            .c_str());
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(contains(text_of(fs::path(stage.folder()) / "pack/results/a-trial-on-the-cpu/summary.md"),
                   "| doctor | ok |"));
    CHECK(text_of(fs::path(stage.folder()) / "pack/data/mnist/images") == "digits");

    std::ofstream(fs::path(stage.folder()) / "other") << "of value";
    CHECK(stage.run(fmt::format("--pack '{}'", stage.folder())) == 2);
    CHECK(contains(stage.said(), "holds other things, expected an empty folder or an earlier pack"));
    CHECK(fs::exists(fs::path(stage.folder()) / "other"));
}
