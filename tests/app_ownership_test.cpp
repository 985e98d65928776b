#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <set>
#include <thread>

#include "tests/app_checks.h"
#include "tests/process.h"
#include "tests/small_mnist.h"

// Several programs that work side by side, and a run's files in the hands of others.

namespace deepfreq {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

/// A command line of the shell in a folder; its exit status.
int shell(const fs::path& folder, const std::string& line) {
    const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
    const int status = std::system(
        fmt::format("cd '{}' && PATH='{}':$PATH && {}", folder.string(), bin.string(), line).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Arguments small_run(const fs::path& out, const char* epochs) {
    return {"--device",       "cpu",       "--data",       small_data(), "--hidden",     "8",
            "--samples",      "200",       "--batch",      "50",         "--epochs",     epochs,
            "--probe-epochs", "none",      "--until-loss", "0",          "--no-figures", "--no-seconds",
            "--out",          out.string()};
}

void wait_for(const fs::path& file) {
    while (!fs::exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace

TEST_CASE("apps: runs started at once have a folder each") {
    const TemporaryFolder folder;
    CHECK(shell(folder.path,
                "for i in 1 2 3 4 5 6 7 8; do lfr --device cpu --function \"sin($i*x)\" --samples 64 "
                "--no-figures "
                ">out$i 2>&1 & pids=\"$pids $!\"; done; for p in $pids; do wait $p || exit 1; done") == 0);
    std::set<std::string> told, made;
    for (int i = 1; i <= 8; ++i) {
        const std::string output = text_of(folder.path / fmt::format("out{}", i));
        const std::size_t at = output.find("written: ");
        REQUIRE(at != std::string::npos);
        told.insert(output.substr(at + 9, output.size() - at - 10));
    }
    for (const auto& entry : fs::directory_iterator(folder.path / "runs")) {
        made.insert("runs/" + entry.path().filename().string());
        CHECK(fs::exists(entry.path() / "peaks.csv"));
        CHECK(!fs::exists(entry.path() / ".lock"));
    }
    CHECK(told.size() == 8);
    CHECK(told == made);
}

TEST_CASE("apps: a run that is running has one owner, which is named, and a dead one has none") {
    const TemporaryFolder folder, second;
    const fs::path out = folder.path / "run";
    Process first("train_mlp_mnist", small_run(out, "1000000"), folder.path);
    wait_for(out / "checkpoint");
    for (const Arguments& arguments : {Arguments{"--resume", out.string()}, small_run(out, "3")})
        check_refusal("train_mlp_mnist", arguments, {out.string() + ": process ", " is working on it"});
    first.signal(SIGKILL);
    CHECK(first.wait() == 128 + SIGKILL);
    CHECK(fs::exists(out / ".lock"));  // left behind, and nobody's
    Process resumed("train_mlp_mnist", {"--resume", out.string(), "--epochs", "3"}, second.path);
    resumed.wait();
    CHECK(!contains(resumed.errors(), "is working on it"));
    CHECK(!fs::exists(out / ".lock"));
}

TEST_CASE("apps: tables that a spreadsheet saved are refused, and not touched") {
    const TemporaryFolder folder;
    const fs::path out = folder.path / "run";
    {
        Process run("train_mlp_mnist", small_run(out, "3"), folder.path);
        REQUIRE(run.wait() == 0);
    }
    std::string changed;
    for (const char c : text_of(out / "metrics.csv"))
        changed += c == '\n' ? std::string("\r\n") : std::string(1, c);
    write_file(out / "metrics.csv", Bytes(changed.begin(), changed.end()));
    const std::string checkpoint = text_of(out / "checkpoint");
    check_refusal("train_mlp_mnist", {"--resume", out.string(), "--epochs", "5"},
                  {(out / "metrics.csv").string(), "changed since the checkpoint was written"});
    CHECK(text_of(out / "metrics.csv") == changed);
    CHECK(text_of(out / "checkpoint") == checkpoint);
}

TEST_CASE("apps: standard descriptors that are closed harm nothing") {
    const TemporaryFolder folder;
    const std::string run = fmt::format("train_mlp_mnist '{}'", fmt::join(small_run("open", "3"), "' '"));
    REQUIRE(shell(folder.path, run + " >out 2>&1") == 0);
    for (const char* closed : {">&-", "<&-", "2>&-", ">&- <&- 2>&-"}) {
        CAPTURE(closed);
        fs::remove_all(folder.path / "closed");
        const std::string same =
            fmt::format("train_mlp_mnist '{}'", fmt::join(small_run("closed", "3"), "' '"));
        CHECK(shell(folder.path, same + (std::string(closed).find('>') == 0 ? "" : " >out") + " " + closed) ==
              0);
        check_same_files(folder.path / "closed", folder.path / "open", {"metrics.csv", "checkpoint"});
    }
}

TEST_CASE("apps: any bytes of a path but 0 survive, and the run goes on") {
    const TemporaryFolder folder;
    const std::string data = (folder.path / "MNIST (copy) #2 'caf\xE9' \"\n").string();
    fs::create_directory_symlink(small_data(), data);
    Arguments arguments = small_run(folder.path / "run \xE9", "2");
    arguments[3] = data;
    Process run("train_mlp_mnist", arguments, folder.path);
    REQUIRE(run.wait() == 0);
    Process resumed("train_mlp_mnist", {"--resume", arguments.back(), "--epochs", "3"}, folder.path);
    CHECK(resumed.wait() == 0);
    CHECK(contains(text_of(fs::path(arguments.back()) / "metrics.csv"), "\nmlp,3,"));
    CHECK(contains(text_of(fs::path(arguments.back()) / "manifest.json"), "percent-encoded"));
}

}  // namespace deepfreq
