#include <doctest/doctest.h>

#include <string>

#include "common/error.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/device_precision.h"
#include "kernels/cuda/open_cuda.h"
#include "tests/files.h"
#include "tests/process.h"

namespace deepfreq::tests {
namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("cuda/device: a driver that serves the toolkit and has a device is available") {
    CHECK(cuda::why_unavailable({.driver = 13000, .runtime = 13000, .devices = 1, .trouble = ""}).empty());
    // Any driver of the same major version serves the toolkit.
    CHECK(cuda::why_unavailable({.driver = 13000, .runtime = 13020, .devices = 8, .trouble = ""}).empty());
    CHECK(cuda::why_unavailable({.driver = 14010, .runtime = 13000, .devices = 1, .trouble = ""}).empty());
}

TEST_CASE("cuda/device: each way of having no device is told apart, with the cure") {
    CHECK(cuda::why_unavailable({.driver = 0, .runtime = 13000, .devices = 0, .trouble = "insufficient"}) ==
          "no NVIDIA driver was found (libcuda.so.1): install one");
    CHECK(
        cuda::why_unavailable({.driver = 12080, .runtime = 13000, .devices = 0, .trouble = "insufficient"}) ==
        "the NVIDIA driver serves CUDA up to 12.8, this build needs 13.0: install a newer driver");
    CHECK(contains(cuda::why_unavailable({.driver = 13000, .runtime = 13000, .devices = 0, .trouble = ""}),
                   "found no device"));
    CHECK(contains(
        cuda::why_unavailable({.driver = 13000, .runtime = 13000, .devices = 0, .trouble = "system"}),
        "cannot be asked for its devices: system"));
}

TEST_CASE("cuda/device: an index that is not there names those that are") {
    CHECK(cuda::why_no_such_device(0, 1).empty());
    CHECK(cuda::why_no_such_device(3, 4).empty());
    CHECK(cuda::why_no_such_device(1, 1) ==
          "the device is cuda:1, but there is 1 CUDA device, expected cuda:0");
    CHECK(cuda::why_no_such_device(4, 4) ==
          "the device is cuda:4, but there are 4 CUDA devices, expected cuda:0 to cuda:3");
}

TEST_CASE("cuda/device: machine code serves its major version, PTX all later ones") {
    const std::string built = "75-real 80-real 90";
    const auto fits = [&](int major, int minor) {
        return cuda::why_not_built_for("GPU", major, minor, built).empty();
    };
    CHECK(fits(7, 5));
    CHECK(fits(8, 0));
    CHECK(fits(8, 9));  // by the code for 8.0
    CHECK(fits(9, 0));
    CHECK(fits(10, 0));  // by the PTX for 9.0
    CHECK(fits(12, 1));
    CHECK_FALSE(fits(7, 0));
    CHECK_FALSE(fits(6, 1));
    CHECK(cuda::why_not_built_for("Tesla V100", 7, 0, "75-real") ==
          "Tesla V100 has compute capability 7.0, this binary was built for 75-real");
    CHECK_FALSE(cuda::why_not_built_for("GPU", 8, 0, "86-real").empty());
    CHECK_FALSE(cuda::why_not_built_for("GPU", 9, 0, "80-real").empty());
    CHECK(cuda::why_not_built_for("GPU", 9, 0, "80-virtual").empty());
    CHECK(cuda::why_not_built_for("GPU", 9, 0, "all-major").empty());
}

TEST_CASE("cuda/device: a GPU older than tf32 and bf16 is refused where they are asked for") {
    CHECK(cuda::why_no_such_precision("Tesla T4", 7, 5, Precision::Float32).empty());
    CHECK(cuda::why_no_such_precision("A100", 8, 0, Precision::BFloat16).empty());
    CHECK(cuda::why_no_such_precision("H100", 9, 0, Precision::TensorFloat32).empty());
    CHECK(cuda::why_no_such_precision("Tesla T4", 7, 5, Precision::Auto).empty());
    CHECK(cuda::chosen_precision(7, Precision::Auto) == Precision::Float32);
    CHECK(cuda::chosen_precision(8, Precision::Auto) == Precision::TensorFloat32);
    CHECK(cuda::chosen_precision(9, Precision::Float32) == Precision::Float32);
    CHECK(cuda::why_no_such_precision("Tesla T4", 7, 5, Precision::BFloat16) ==
          "the precision is bf16, but Tesla T4 has compute capability 7.5, expected 8.0 or more");
}

TEST_CASE("cuda/device: the CPU computes in fp32 and bf16, and says how") {
    CHECK_THROWS_WITH_AS(open_backend("cpu", Precision::TensorFloat32),
                         "the precision is tf32, which only GPUs have, expected fp32 or bf16 on a CPU",
                         InputError);
    const auto in_bf16 = open_backend("cpu", Precision::BFloat16).backend;
    CHECK(in_bf16->precision() == Precision::BFloat16);
    CHECK(in_bf16->description().starts_with(open_backend("cpu").backend->description() + ", bf16 "));
    for (const char* name : {"fp32", "tf32", "bf16", "auto"})
        CHECK(precision_name(parse_precision(name)) == name);
    CHECK(open_backend("cpu", Precision::Auto).backend->precision() == Precision::Float32);
    CHECK_THROWS_WITH_AS(parse_precision("fp16"), doctest::Contains("fp16"), InputError);
}

TEST_CASE(
    "cuda/device: an app asked for a device that cannot be had says why in one sentence, exit status 2") {
    const std::string why = cuda_unavailable();
    const CudaFacts facts = cuda_facts();
    CHECK(facts.unavailable == why);
    // Without a GPU any index is refused for the lack of one; with some, index 99 is.
    const TemporaryFolder folder;
    Process app("train_mlp_mnist", {"--data", "synthetic", "--device", "cuda:99"}, folder.path);
    CHECK(app.wait() == 2);
    const std::string errors = app.errors();
    CAPTURE(errors);
    CHECK(contains(errors, "the device is cuda:99, but "));
    CHECK(contains(errors, why.empty() ? "CUDA device" : why));
    CHECK(errors.find('\n') == errors.size() - 1);
}

}  // namespace
}  // namespace deepfreq::tests
