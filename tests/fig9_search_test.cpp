// tools/fig9_search.py with a shell script in the place of the app.
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/files.h"

using deepfreq::contains;
using deepfreq::text_of;

namespace {

namespace fs = std::filesystem;

/// Plain networks end with a loss and frequencies that rise with depth, as those with connections around one
/// layer; those with connections around two end alike.
constexpr const char* trains = R"sh(#!/bin/sh
kind=plain span=0
while [ $# -gt 0 ]; do
    case $1 in
        --out) out=$2 ;;
        --residual) [ $2 = yes ] && kind=residual ;;
        --residual-span) span=$2 ;;
        --init) weights=$2 ;;
    esac
    shift
done
echo "$kind $span $weights" >>"$0.calls"
if [ "$weights" = none ]; then
    echo "error: --init is 'none'" >&2
    exit 2
fi
mkdir -p $out
echo network,epoch,train_loss,train_accuracy,validation_accuracy,seconds >$out/metrics.csv
echo network,layer,epoch,inv_delta,rdf,rise10,rise50,rise90 >$out/peaks.csv
for depth in 20 60 80; do
    loss=$depth
    [ $span = 2 ] && loss=2
    echo $kind-$depth,60,0.$loss,0.5,0.5, >>$out/metrics.csv
    echo $kind-$depth,-3,60,7,1,1,$loss,1 >>$out/peaks.csv
done
)sh";

class Stage {
  public:
    Stage() {
        fs::create_directories(app().parent_path());
        std::ofstream(app()) << trains;
        fs::permissions(app(), fs::perms::owner_all);
    }

    /// Exit status of a search over one loss, activation and rate; what it said is in said().
    int run(const std::string& options) const {
        const std::string folder = folder_.path.string();
        const int status = std::system(
            fmt::format(
                "/usr/bin/python3 '{}/../tools/fig9_search.py' --build '{}/build' --out '{}/out' --quick "
                "--loss mse --activation tanh --rate 1e-3 {} >'{}/said' 2>&1",
                DEEPFREQ_TEST_DIR, folder, folder, options, folder)
                .c_str());
        return WEXITSTATUS(status);
    }

    std::string said() const { return text_of(folder_.path / "said"); }
    std::string table() const { return text_of(folder_.path / "out" / "search.csv"); }
    std::string calls() const { return text_of(app().string() + ".calls"); }

  private:
    fs::path app() const { return folder_.path / "build" / "bin" / "vanishing_gradient"; }

    deepfreq::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("tools/fig9_search.py: a row a combination, each set of networks trained once") {
    const Stage stage;
    REQUIRE_MESSAGE(stage.run("--weights he") == 0, stage.said());
    CHECK(contains(stage.said(), "4 of 4: mse, tanh, he, 1e-3, a connection around 2: (a) plain: yes"));
    CHECK(contains(stage.said(), "2 of 4: mse, tanh, he, 1e-3, a connection around 1: (a) plain: yes"));
    CHECK(contains(stage.table(), "mse,tanh,he,1e-3,2,0.2,0.5,20,7,0.6,0.5,60,7,0.8,0.5,80,7,0.2,"));
    const std::string calls = stage.calls();
    CHECK(std::ranges::count(calls, '\n') == 3);  // both spans are compared with the same plain networks

    REQUIRE_MESSAGE(stage.run("--weights he") == 0, stage.said());
    CHECK(stage.calls() == calls);
}

TEST_CASE("tools/fig9_search.py: normal weights are those of width 500, and shrink signals alike at others") {
    const Stage stage;
    REQUIRE_MESSAGE(stage.run("--weights normal:0.03 --span 2 -- --width 125") == 0, stage.said());
    CHECK(contains(stage.calls(), "plain 0 normal:0.06\n"));
}

TEST_CASE("tools/fig9_search.py: what the app refuses ends the search, in the app's words") {
    const Stage stage;
    CHECK(stage.run("--weights none --span 2") == 2);
    CHECK(contains(stage.said(), "fig9_search.py: mse-tanh-none-1e-3/plain: error: --init is 'none'"));
}
