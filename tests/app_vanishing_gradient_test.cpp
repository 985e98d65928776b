#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/app_checks.h"
#include "tests/process.h"
#include "tests/small_mnist.h"

using namespace deepfreq;

namespace {

using Arguments = std::vector<std::string>;

Arguments small_run(const std::filesystem::path& out, const Arguments& more = {}) {
    Arguments arguments = {"--data",
                           small_data(),
                           "--device",
                           "cpu",
                           "--depth",
                           "3,4",
                           "--residual-span",
                           "1",
                           "--width",
                           "8",
                           "--lr",
                           "1e-3",
                           "--samples",
                           "100",
                           "--batch",
                           "32",
                           "--epochs",
                           "2",
                           "--probe-epochs",
                           "2",
                           "--no-figures",
                           "--no-seconds",
                           "--out",
                           out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

void check_refused(const Arguments& more, const Arguments& words) {
    const TemporaryFolder folder;
    check_refusal("vanishing_gradient", small_run(folder.path / "run", more), words);
    CHECK(!std::filesystem::exists(folder.path / "run"));
}

}  // namespace

TEST_CASE("app/vanishing_gradient: plain networks, residual ones or both are trained and measured") {
    const TemporaryFolder folder;
    const auto networks = [&](const Arguments& more) {
        const auto out = folder.path / "run";
        std::filesystem::remove_all(out);
        Process app("vanishing_gradient", small_run(out, more), folder.path);
        CHECK(app.wait() == 0);
        const std::string metrics = text_of(out / "metrics.csv"), peaks = text_of(out / "peaks.csv");
        std::string found;
        for (const char* name : {"plain-3", "plain-4", "residual-3", "residual-4"}) {
            const bool trained = contains(metrics, fmt::format("\n{},2,", name));
            CHECK(trained == contains(peaks, fmt::format("\n{},-3,2,", name)));
            if (trained) found += std::string(" ") + name;
        }
        return found;
    };
    CHECK(networks({}) == " plain-3 plain-4");
    CHECK(networks({"--residual", "no"}) == " plain-3 plain-4");
    CHECK(networks({"--residual"}) == " residual-3 residual-4");
    CHECK(networks({"--residual", "yes"}) == " residual-3 residual-4");
    CHECK(networks({"--residual", "--seed", "1"}) == " residual-3 residual-4");
    CHECK(networks({"--residual", "both"}) == " plain-3 plain-4 residual-3 residual-4");
    CHECK(networks({"--residual=both", "--depth", "4"}) == " plain-4 residual-4");
}

TEST_CASE("app/vanishing_gradient: config.toml keeps which networks --residual asked for") {
    const TemporaryFolder folder;
    const auto run = [&](const Arguments& arguments) {
        Process app("vanishing_gradient", arguments, folder.path);
        CHECK(app.wait() == 0);
    };
    for (const Arguments& residual :
         {Arguments{}, {"--residual"}, {"--residual=yes"}, {"--residual", "both"}}) {
        CAPTURE(fmt::format("{}", fmt::join(residual, " ")));
        const auto first = folder.path / "first", again = folder.path / "again";
        for (const auto& out : {first, again}) std::filesystem::remove_all(out);
        run(small_run(first, residual));
        run({"--config", (first / "config.toml").string(), "--out", again.string()});
        check_same_files(again, first, {"metrics.csv", "config.toml"});
        run({"--resume", first.string()});
        check_same_files(again, first, {"metrics.csv", "config.toml"});
    }
}

TEST_CASE("app/vanishing_gradient: gradients.csv has every layer's norm at every epoch, resumed or not") {
    const TemporaryFolder folder;
    const auto run = [&](const Arguments& arguments) {
        Process app("vanishing_gradient", arguments, folder.path);
        CHECK(app.wait() == 0);
    };
    run(small_run(folder.path / "whole", {"--save-every", "0"}));
    const std::string whole = text_of(folder.path / "whole" / "gradients.csv");
    CHECK(std::ranges::count(whole, '\n') == 1 + 2 * (3 + 4));
    for (int layer = 1; layer <= 4; ++layer)
        for (int epoch = 1; epoch <= 2; ++epoch)
            CHECK(contains(whole, fmt::format("\nplain-4,{},{},", epoch, layer)));
    run(small_run(folder.path / "part",
                  {"--save-every", "0", "--depth", "4", "--epochs", "1", "--probe-epochs", "1"}));
    run({"--resume", (folder.path / "part").string(), "--epochs", "2", "--probe-epochs", "2"});
    run(small_run(folder.path / "four", {"--depth", "4"}));
    CHECK(text_of(folder.path / "part" / "gradients.csv") == text_of(folder.path / "four" / "gradients.csv"));
    run(small_run(folder.path / "none", {"--no-gradient-norms"}));
    CHECK(text_of(folder.path / "none" / "gradients.csv") == "network,epoch,layer,gradient_norm\n");
    CHECK(text_of(folder.path / "none" / "metrics.csv") == text_of(folder.path / "whole" / "metrics.csv"));
}

TEST_CASE("app/vanishing_gradient: --residual-every leaves the layers between as they are") {
    const TemporaryFolder folder;
    Process app("vanishing_gradient",
                small_run(folder.path / "run", {"--residual", "--residual-every", "2", "--depth", "4",
                                                "--epochs", "0", "--probe-epochs", "none"}),
                folder.path);
    CHECK(app.wait() == 0);
    CHECK(contains(text_of(folder.path / "run" / "manifest.json"),
                   "dense 784-8 tanh | dense 8-8 tanh | residual dense 8-8 tanh | dense 8-10 identity"));
}

TEST_CASE("app/vanishing_gradient: what does not fit is one sentence and status 2") {
    check_refused({"--depth", "0"}, {"--depth", "'0'"});
    check_refused({"--depth", "1"}, {"--depth is 1", "at least 2"});
    check_refused({"--depth", "60000", "--width", "10000"}, {"60000 layers of width 10000", "GiB", "free"});
    check_refused({"--depth", "100000", "--width", "500"}, {"100000 layers", "GiB"});
    check_refused({"--depth", "3,3"}, {"3,3", "once"});
    check_refused({"--residual-every", "0"}, {"--residual-every"});
    check_refused({"--residual-span", "0"}, {"--residual-span"});
    check_refused({"--residual", "--residual-span", "2", "--depth", "3"}, {"--depth is 3", "at least 4"});
    check_refused({"--residual", "maybe"}, {"maybe", "both"});
    check_refused({"--residual", ""}, {"''", "both"});
    check_refused({"--init", "--residual"}, {"--init", "'--residual'"});
    check_refused({"--probe-epochs", "3"}, {"--probe-epochs", "3", "2"});
}

TEST_CASE("app/vanishing_gradient: networks that cannot be are refused before the data are looked for") {
    const auto refused = [](Arguments more, const Arguments& words) {
        more.insert(more.end(), {"--data", "/no/such/data"});
        check_refused(more, words);
    };
    refused({}, {"/no/such/data"});
    refused({"--depth", "1"}, {"--depth is 1", "at least 2"});
    refused({"--depth", "100000", "--width", "500"}, {"100000 layers", "GiB"});
    refused({"--probe-layers", "9"}, {"layer 9", "-3 to 3"});
}
