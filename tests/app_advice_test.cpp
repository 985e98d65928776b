// What programs add to the facts of the library.
#include <doctest/doctest.h>

#include <fstream>

#include "apps/cli/advice.h"
#include "data/image_folder.h"
#include "runs/memory_check.h"
#include "runs/run_folder.h"
#include "tests/backends.h"
#include "tests/files.h"

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

/// The sentence a user reads when `work` fails.
template <class Work>
std::string advised(const Work& work) {
    try {
        work();
    } catch (const Error& error) {
        return with_advice(error);
    }
    return "no error";
}

}  // namespace

TEST_CASE("apps/advice: an error without a remedy is told as it is") {
    CHECK(advised([] { throw InputError("the batch is {}, expected {}", 0, 1); }) ==
          "the batch is 0, expected 1");
    CHECK(advised([] { throw RunError("the disk is full"); }) == "the disk is full");
}

TEST_CASE("apps/advice: where an option helps, it is named behind the fact") {
    const TemporaryFolder folder;
    const auto path = folder.path / "run";
    { OwnedFolder made = new_run_folder(path); }
    std::ofstream(path / "config.toml") << "";
    CHECK(advised([&] { new_run_folder(path); }) ==
          path.string() + ": holds a run already: go on with it by --resume, or choose another --out");
    CHECK(contains(advised([&] { find_kept_checkpoints(path, "mlp", [](std::int64_t) { return true; }); }),
                   "network mlp; --keep-checkpoints keeps those probed"));
    const Backend& backend = *backends_present().front().backend;
    CHECK(contains(advised([&] { check_network_fits(backend, 1000, 1000000); }),
                   "are free: choose a network of fewer or narrower layers"));
    CHECK(contains(advised([&] { backends_present().front().backend->allocate(std::size_t{1} << 60); }),
                   "free; fewer --samples, a smaller --batch"));
}

TEST_CASE("apps/advice: every remedy names an option or a command") {
    const std::pair<Remedy, const char*> all[] = {{Remedy::UseCpu, "--device cpu"},
                                                  {Remedy::BuildWithCuda, "./run --backend cuda"},
                                                  {Remedy::BuildForDevice, "./run --compile-arch native"},
                                                  {Remedy::UseFloat32, "--precision fp32"},
                                                  {Remedy::UseTensorFloat32, "--precision tf32"},
                                                  {Remedy::WithoutGraph, "--no-graph"},
                                                  {Remedy::SmallerNetwork, "narrower layers"},
                                                  {Remedy::LessMemory, "--batch"},
                                                  {Remedy::FewerProbedSamples, "--probe-samples"},
                                                  {Remedy::OtherProbedLayers, "--probe-layers"},
                                                  {Remedy::SkipBadImages, "--skip-bad-images"},
                                                  {Remedy::ResumeOrOtherFolder, "--resume"},
                                                  {Remedy::KeepCheckpoints, "--keep-checkpoints"}};
    for (const auto& [remedy, option] : all)
        CHECK(contains(advised([r = remedy] { throw InputError(r, "fact"); }), option));
}
