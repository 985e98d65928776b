#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/files.h"

// The script `run` in a checkout of its own, with programs that say that they were started.

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

/// A checkout that its owner has built; readable for all, writable for nobody else.
struct BuiltCheckout {
    BuiltCheckout() {
        const fs::path source = fs::path(DEEPFREQ_TEST_DIR) / "..";
        fs::copy(source / "run", folder.path / "run");
        fs::create_directories(folder.path / "apps");
        fs::create_directories(folder.path / "build" / "cpu" / "bin");
        std::ofstream(folder.path / "apps" / "lfr.cpp") << "// an app\n";
        std::ofstream(folder.path / "apps" / "doctor.cpp") << "// not built\n";
        const fs::path program = folder.path / "build" / "cpu" / "bin" / "lfr";
        std::ofstream(program) << "#!/bin/sh\necho started with $1\n";
        using enum fs::perms;
        const fs::perms for_all =
            owner_read | owner_exec | group_read | group_exec | others_read | others_exec;
        fs::permissions(program, for_all);
        fs::permissions(folder.path, for_all);
        fs::permissions(folder.path / "build", for_all);
    }
    ~BuiltCheckout() {
        fs::permissions(folder.path, fs::perms::owner_all);
        fs::permissions(folder.path / "build", fs::perms::owner_all);
    }

    /// As another user than the one who built it; the exit status, and what it wrote.
    std::pair<int, std::string> run(const std::string& arguments) const {
        const TemporaryFolder own;
        fs::permissions(own.path, fs::perms::all);
        const char* const other = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
        const int status =
            std::system(fmt::format("cd '{0}' && {1}'{2}/run' --backend cpu {3} >'{0}/out' 2>&1",
                                    own.path.string(), other, folder.path.string(), arguments)
                            .c_str());
        return {WEXITSTATUS(status), text_of(own.path / "out")};
    }

    TemporaryFolder folder;
};

}  // namespace

TEST_CASE("run: who may not build starts what is built, or is told so in one sentence") {
    const BuiltCheckout checkout;
    const std::string build = (checkout.folder.path / "build").string();
    const auto [started, said] = checkout.run("lfr --help");
    CHECK(started == 0);
    CHECK(contains(said, build + " is not writable for "));
    CHECK(said.ends_with("starting build/cpu as it was built\nstarted with --help\n"));
    const auto [refused, reason] = checkout.run("doctor");
    CHECK(refused == 2);
    CHECK(contains(reason, build + " is not writable for "));
    CHECK(contains(reason, "bin/doctor is not built there"));
    CHECK(std::ranges::count(reason, '\n') == 1);
}

}  // namespace deepfreq
