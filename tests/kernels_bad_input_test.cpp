#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "common/error.h"
#include "kernels/cuda/open_cuda.h"
#include "tests/backends.h"
#include "tests/bad_calls.h"

namespace deepfreq::tests {
namespace {

std::vector<BadCall> bad_dense_calls() {
    // A good call is n = 3, in = 4, out = 5.
    const auto forward = [](Shape x, Shape w, Shape b, Shape y) {
        return [=](Backend& k, Views& v) {
            float* const data = v.memory.data();
            k(DenseForward{.x = {data, x},
                           .w = {data, w},
                           .b = {data, b},
                           .activation = Activation::Tanh,
                           .y = {data, y}});
        };
    };
    const auto backward = [](Shape x, Shape w, Shape y, Shape dy, Shape dx, Shape dw, Shape db) {
        return [=](Backend& k, Views& v) {
            float* const data = v.memory.data();
            k(DenseBackward{.x = {data, x},
                            .w = {data, w},
                            .y = {data, y},
                            .activation = Activation::Tanh,
                            .dy = {data, dy},
                            .dx = {data, dx},
                            .dw = {data, dw},
                            .db = {data, db}});
        };
    };
    const Shape x{3, 4};
    const Shape w{5, 4};
    const Shape b{5};
    const Shape y{3, 5};
    const std::string f = "dense_forward";
    const std::string g = "dense_backward";
    return {{f, "x", "[12]", "2 extents", forward({12}, w, b, y)},
            {f, "x", "[0, 4]", "none of them 0", forward({0, 4}, w, b, {0, 5})},
            {f, "x", "[-3, -4]", "2 extents", forward({-3, -4}, {5, -4}, b, {-3, 5})},
            {f, "w", "[20]", "2 extents", forward(x, {20}, b, y)},
            {f, "w", "[5, 3]", "[5, 4]", forward(x, {5, 3}, b, y)},
            {f, "b", "[4]", "[5]", forward(x, w, {4}, y)},
            {f, "b", "[1, 5]", "[5]", forward(x, w, {1, 5}, y)},
            {f, "y", "[5, 3]", "[3, 5]", forward(x, w, b, {5, 3})},
            {g, "x", "[12]", "2 extents", backward({12}, w, y, y, x, w, b)},
            {g, "w", "[20]", "2 extents", backward(x, {20}, y, y, x, w, b)},
            {g, "w", "[5, 3]", "[5, 4]", backward(x, {5, 3}, y, y, x, w, b)},
            {g, "y", "[3, 4]", "[3, 5]", backward(x, w, {3, 4}, y, x, w, b)},
            {g, "dy", "[3, 4]", "[3, 5]", backward(x, w, y, {3, 4}, x, w, b)},
            {g, "dx", "[4, 3]", "[3, 4]", backward(x, w, y, y, {4, 3}, w, b)},
            {g, "dw", "[4, 5]", "[5, 4]", backward(x, w, y, y, x, {4, 5}, b)},
            {g, "db", "[4]", "[5]", backward(x, w, y, y, x, w, {4})}};
}

/// Of MeanSquaredError or SoftmaxCrossEntropy, with the names of its tensors.
template <class Loss>
std::vector<BadCall> bad_loss_calls(const char* operation, const char* input, const char* gradient) {
    const auto call = [](Shape p, Shape t, Shape dp, Shape sums, Shape state) {
        return [=](Backend& k, Views& v) {
            float* const data = v.memory.data();
            k(Loss{{data, p}, {data, t}, {data, dp}, {v.doubles.data(), sums}, {v.states.data(), state}});
        };
    };
    const Shape p{3, 4};
    return {
        {operation, input, "[12]", "2 extents", call({12}, {12}, {12}, {1}, {1})},
        {operation, "t", "[4, 3]", "[3, 4]", call(p, {4, 3}, p, {1}, {1})},
        {operation, gradient, "[3, 3]", "[3, 4]", call(p, p, {3, 3}, {1}, {1})},
        {operation, "sums", "[0]", "1 extents", call(p, p, p, {0}, {1})},
        {operation, "sums", "[2, 2]", "1 extents", call(p, p, p, {2, 2}, {1})},
        {operation, "state", "[2]", "[1]", call(p, p, p, {1}, {2})},
    };
}

ColumnScale three_columns() {
    static const std::vector<double> ones(3, 1.0);
    return {ones, ones};
}

std::vector<BadCall> bad_other_calls() {
    const AdamParams adam;
    return {
        {"copy", "", "48 bytes", "44", [](Backend& k, Views& v) { k.copy(v.f({12}), v.f({11})); }},
        {"count_correct", "p", "[3]", "2 extents",
         [](Backend& k, Views& v) {
             k(CountCorrect{.p = v.f({3}), .labels = v.i({3}), .correct = v.count({1})});
         }},
        {"count_correct", "labels", "[4]", "[3]",
         [](Backend& k, Views& v) {
             k(CountCorrect{.p = v.f({3, 4}), .labels = v.i({4}), .correct = v.count({1})});
         }},
        {"count_correct", "correct", "[2]", "[1]",
         [](Backend& k, Views& v) {
             k(CountCorrect{.p = v.f({3, 4}), .labels = v.i({3}), .correct = v.count({2})});
         }},
        {"adam", "w", "[3, 4]", "1 extents",
         [=](Backend& k, Views& v) {
             k(Adam{.w = v.f({3, 4}),
                    .dw = v.f({12}),
                    .m = v.f({12}),
                    .v = v.f({12}),
                    .params = adam,
                    .state = v.s()});
         }},
        {"adam", "dw", "[11]", "[12]",
         [=](Backend& k, Views& v) {
             k(Adam{.w = v.f({12}),
                    .dw = v.f({11}),
                    .m = v.f({12}),
                    .v = v.f({12}),
                    .params = adam,
                    .state = v.s()});
         }},
        {"adam", "m", "[11]", "[12]",
         [=](Backend& k, Views& v) {
             k(Adam{.w = v.f({12}),
                    .dw = v.f({12}),
                    .m = v.f({11}),
                    .v = v.f({12}),
                    .params = adam,
                    .state = v.s()});
         }},
        {"adam", "v", "[11]", "[12]",
         [=](Backend& k, Views& v) {
             k(Adam{.w = v.f({12}),
                    .dw = v.f({12}),
                    .m = v.f({12}),
                    .v = v.f({11}),
                    .params = adam,
                    .state = v.s()});
         }},
        {"adam", "state", "[2]", "[1]",
         [=](Backend& k, Views& v) {
             k(Adam{.w = v.f({12}),
                    .dw = v.f({12}),
                    .m = v.f({12}),
                    .v = v.f({12}),
                    .params = adam,
                    .state = v.s({2})});
         }},
        {"gather_rows", "source", "[0, 4]", "none of them 0",
         [](Backend& k, Views& v) {
             k(GatherRows{
                 .source = v.f({0, 4}), .permutation = v.i({0}), .state = v.s(), .batch = v.f({2, 4})});
         }},
        {"gather_rows", "permutation", "[4]", "[5]",
         [](Backend& k, Views& v) {
             k(GatherRows{
                 .source = v.f({5, 4}), .permutation = v.i({4}), .state = v.s(), .batch = v.f({2, 4})});
         }},
        {"gather_rows", "state", "[2]", "[1]",
         [](Backend& k, Views& v) {
             k(GatherRows{
                 .source = v.f({5, 4}), .permutation = v.i({5}), .state = v.s({2}), .batch = v.f({2, 4})});
         }},
        {"gather_rows", "batch", "[6, 4]", "at most 5 rows of 4",
         [](Backend& k, Views& v) {
             k(GatherRows{
                 .source = v.f({5, 4}), .permutation = v.i({5}), .state = v.s(), .batch = v.f({6, 4})});
         }},
        {"gather_rows", "batch", "[2, 3]", "at most 5 rows of 4",
         [](Backend& k, Views& v) {
             k(GatherRows{
                 .source = v.f({5, 4}), .permutation = v.i({5}), .state = v.s(), .batch = v.f({2, 3})});
         }},
        {"gather_augmented_images", "source", "[5, 12]", "4 extents",
         [](Backend& k, Views& v) {
             k(GatherAugmentedImages{.source = v.f({5, 12}),
                                     .permutation = v.i({5}),
                                     .state = v.s(),
                                     .batch = v.f({2, 3, 4, 1})});
         }},
        {"gather_augmented_images", "permutation", "[4]", "[5]",
         [](Backend& k, Views& v) {
             k(GatherAugmentedImages{.source = v.f({5, 3, 4, 1}),
                                     .permutation = v.i({4}),
                                     .state = v.s(),
                                     .batch = v.f({2, 3, 4, 1})});
         }},
        {"gather_augmented_images", "state", "[2]", "[1]",
         [](Backend& k, Views& v) {
             k(GatherAugmentedImages{.source = v.f({5, 3, 4, 1}),
                                     .permutation = v.i({5}),
                                     .state = v.s({2}),
                                     .batch = v.f({2, 3, 4, 1})});
         }},
        {"gather_augmented_images", "batch", "[6, 3, 4, 1]", "[5, 3, 4, 1]",
         [](Backend& k, Views& v) {
             k(GatherAugmentedImages{.source = v.f({5, 3, 4, 1}),
                                     .permutation = v.i({5}),
                                     .state = v.s(),
                                     .batch = v.f({6, 3, 4, 1})});
         }},
        {"gather_augmented_images", "crop", "3", "3 x 4",
         [](Backend& k, Views& v) {
             k(GatherAugmentedImages{.source = v.f({5, 3, 4, 1}),
                                     .permutation = v.i({5}),
                                     .state = v.s(),
                                     .params = {.crop = 3},
                                     .batch = v.f({2, 3, 4, 1})});
         }},
        {"add_squared_norms", "bounds", "[3]", "[4]",
         [](Backend& k, Views& v) {
             k(AddSquaredNorms{.x = v.f({12}), .bounds = v.count({3}), .sums = v.d({3})});
         }},
        {"add_squared_norms", "x", "[3, 4]", "1 extents",
         [](Backend& k, Views& v) {
             k(AddSquaredNorms{.x = v.f({3, 4}), .bounds = v.count({4}), .sums = v.d({3})});
         }},
        {"random_permutation", "permutation", "[2, 2]", "1 extents",
         [](Backend& k, Views& v) {
             k(RandomPermutation{.permutation = v.i({2, 2}), .seed = 1, .epoch = 0});
         }},
        {"random_permutation", "permutation", "[0]", "none of them 0",
         [](Backend& k, Views& v) { k(RandomPermutation{.permutation = v.i({0}), .seed = 1, .epoch = 0}); }},
        {"advance", "state", "[2]", "[1]",
         [](Backend& k, Views& v) { k(Advance{.state = v.s({2}), .samples = 1}); }},
        {"centre_columns", "x", "[12]", "2 extents",
         [](Backend& k, Views& v) { k(CentreColumns{.x = v.f({12})}); }},
        {"softmax", "p", "[3, 5]", "[3, 4]",
         [](Backend& k, Views& v) {
             k(Softmax{.z = v.f({3, 4}), .p = v.f({3, 5})});
         }},
        {"dropout", "y", "[3, 5]", "[3, 4]",
         [](Backend& k, Views& v) {
             k(ApplyDropout{.x = v.f({3, 4}), .state = v.s(), .y = v.f({3, 5})});
         }},
        {"scale_columns_by_max_abs", "x", "[12]", "2 extents",
         [](Backend& k, Views& v) { k(ScaleColumnsByMaxAbs{.x = v.f({12})}); }},
        {"scale_columns_by_max_abs", "x", "[3, 0]", "none of them 0",
         [](Backend& k, Views& v) {
             k(ScaleColumnsByMaxAbs{.x = v.f({3, 0})});
         }},
        {"gaussian_low_frequency_energy", "x", "[12]", "2 extents",
         [](Backend& k, Views& v) {
             k(GaussianLowFrequencyEnergy{.samples = {.x = v.f({12}), .y = v.f({3, 2})}});
         }},
        {"gaussian_low_frequency_energy", "y", "[3]", "2 extents",
         [](Backend& k, Views& v) {
             k(GaussianLowFrequencyEnergy{.samples = {.x = v.f({3, 4}), .y = v.f({3})}});
         }},
        {"gaussian_low_frequency_energy", "y", "[2, 2]", "[3, 2]",
         [](Backend& k, Views& v) {
             k(GaussianLowFrequencyEnergy{.samples = {.x = v.f({3, 4}), .y = v.f({2, 2})}});
         }},
        {"gaussian_low_frequency_energy", "the scale", "3 offsets", "4 columns",
         [](Backend& k, Views& v) {
             k(GaussianLowFrequencyEnergy{.samples = {.x = v.f({3, 4}), .y = v.f({3, 2})},
                                          .params = {.scale = three_columns()}});
         }},
        {"gaussian_low_frequency_row_energies", "row", "row 3 listed", "0 to 2",
         [](Backend& k, Views& v) {
             k(GaussianLowFrequencyRowEnergies{.samples = {.x = v.f({3, 4}), .y = v.f({3, 2})},
                                               .rows = std::vector<std::int64_t>{0, 3}});
         }},
        {"sum_of_squares", "the scale", "3 factors", "4 columns",
         [](Backend& k, Views& v) {
             k(SumOfSquares{.x = v.f({3, 4}), .scale = three_columns()});
         }},
    };
}

TEST_CASE("kernels: a dense layer of wrong shapes is refused") {
    check_refused(bad_dense_calls());
}
TEST_CASE("kernels: a loss of wrong shapes is refused") {
    check_refused(bad_loss_calls<MeanSquaredError>("mean_squared_error", "p", "dp"));
    check_refused(bad_loss_calls<SoftmaxCrossEntropy>("softmax_cross_entropy", "z", "dz"));
}
TEST_CASE("kernels: other operations on wrong shapes are refused") {
    check_refused(bad_other_calls());
}

TEST_CASE("kernels: a copy of another size than the memory is refused") {
    for (const TestedBackend& tested : backends_present()) {
        Buffer buffer = tested.backend->allocate_zeros({12});
        std::vector<float> host(11);
        CHECK(refusal([&] {
                  tested.backend->upload(std::span<const float>(host), buffer.view<float>({12}));
              }) == "upload: 44 bytes given, room for 48 expected");
        CHECK(refusal([&] {
                  tested.backend->download(buffer.view<const float>({12}), std::span<float>(host));
              }) == "download: 48 bytes given, room for 44 expected");
        CHECK(refusal([&] {
                  buffer.view<float>({4, 4});
              }) == "a view of [4, 4] needs 64 bytes, the buffer has 48");
        CHECK(refusal([&] { buffer.view<float>({12}, 4); }) ==
              "a view of [12] needs 52 bytes, the buffer has 48");
    }
}

TEST_CASE("kernels: a shape of more than four extents is refused") {
    CHECK(refusal([] { Shape{1, 2, 3, 4, 5}; }) == "a shape has 5 extents, at most 4 expected");
}

TEST_CASE("kernels: more memory than there is gives an error that names both sizes") {
    for (const TestedBackend& tested : backends_present()) {
        INFO(tested.name);
        try {
            tested.backend->allocate(std::size_t{1} << 60);
            FAIL_CHECK("no OutOfMemory");
        } catch (const OutOfMemory& error) {
            CHECK(contains(error.what(), "out of memory on " + tested.name));
            CHECK(contains(error.what(), ": 1099511627776.0 MiB asked for"));
            CHECK(contains(error.what(), " MiB free"));
        }
    }
}

TEST_CASE("kernels: filter widths that are negative, descending or not finite are refused") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::vector<std::vector<double>> grids = {
        {-1.0}, {2.0, 1.0}, {1.0, infinity}, {std::numeric_limits<double>::quiet_NaN()}};
    for (const TestedBackend& tested : backends_present()) {
        Views views;
        for (const auto& grid : grids) {
            const std::string text = refusal([&] {
                (*tested.backend)(GaussianLowFrequencyEnergy{
                    .samples = {.x = views.f({3, 4}), .y = views.f({3, 2}), .inv_deltas = grid}});
            });
            INFO(tested.name << ": " << text);
            CHECK(
                contains(text, "gaussian_low_frequency_energy: 1/delta = " + fmt::format("{}", grid.back())));
            CHECK(contains(text, "expected finite, not negative and ascending"));
        }
    }
}

TEST_CASE("kernels: a rate of dropout below 0, or of 1 and more, is refused") {
    for (const TestedBackend& tested : backends_present())
        for (const double rate : {-0.1, 1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
            Views v;
            CHECK(refusal([&] {
                      (*tested.backend)(ApplyDropout{
                          .x = v.f({4}), .params = {.rate = rate}, .state = v.s(), .y = v.f({4})});
                  }) == fmt::format("dropout: rate {} given, expected 0 to less than 1", rate));
        }
}

TEST_CASE("kernels: a device that does not exist is refused") {
    for (const char* device : {"nonsense", "", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:1x",
                               "cuda: 1", "cuda:99999999999"})
        CHECK(refusal([&] { open_backend(device); }) ==
              fmt::format("the device is '{}', expected auto, cpu, cuda or cuda:N", device));
}

TEST_CASE("kernels: cuda that cannot be had is refused with its remedy, and auto says why it chose the cpu") {
    const std::string missing = cuda_unavailable();
    if (missing.empty()) {
        CHECK(open_backend("auto").reason == "auto chose cuda:0: the first GPU");
        return;
    }
    for (const std::string device : {"cuda", "cuda:1"}) {
        const std::string name = device == "cuda" ? "cuda:0" : device;
        try {
            open_backend(device);
            FAIL_CHECK("no InputError");
        } catch (const InputError& error) {
            CHECK(contains(error.what(), "the device is " + name + ", but "));
            CHECK(contains(error.what(), missing));
            const bool cpu_helps =
                error.remedy() == Remedy::UseCpu || error.remedy() == Remedy::BuildWithCuda;
            CHECK(cpu_helps);
        }
    }
    CHECK(open_backend("auto").reason == "auto chose cpu: " + missing);
    CHECK(open_backend("cpu").reason == "cpu: asked for");
    CHECK(open_backend("cpu").backend->description().starts_with("cpu"));
}

}  // namespace
}  // namespace deepfreq::tests
