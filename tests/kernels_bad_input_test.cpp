#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "common/error.h"
#include "kernels/cuda/cuda_kernels.h"
#include "tests/backends.h"
#include "tests/bad_calls.h"

namespace deepfreq::tests {
namespace {

std::vector<BadCall> bad_dense_calls() {
    // A good call is n = 3, in = 4, out = 5.
    const auto forward = [](Shape x, Shape w, Shape b, Shape y) {
        return [=](Kernels& k, Views& v) {
            float* const data = v.memory.data();
            k.dense_forward({data, x}, {data, w}, {data, b}, Activation::Tanh, {data, y});
        };
    };
    const auto backward = [](Shape x, Shape w, Shape y, Shape dy, Shape dx, Shape dw, Shape db) {
        return [=](Kernels& k, Views& v) {
            float* const data = v.memory.data();
            k.dense_backward({data, x}, {data, w}, {data, y}, Activation::Tanh, {data, dy}, {data, dx},
                             {data, dw}, {data, db}, GradMode::Overwrite);
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

std::vector<BadCall> bad_loss_calls() {
    std::vector<BadCall> calls;
    using Loss =
        void (Kernels::*)(ConstTensor, ConstTensor, Tensor, TensorView<double>, TensorView<const StepState>);
    struct Named {
        std::string operation, input, gradient;
        Loss loss;
    };
    for (const auto& [operation, input, gradient, loss] :
         {Named{"mean_squared_error", "p", "dp", &Kernels::mean_squared_error},
          Named{"softmax_cross_entropy", "z", "dz", &Kernels::softmax_cross_entropy}}) {
        const auto call = [loss = loss](Shape p, Shape t, Shape dp, Shape sums, Shape state) {
            return [=](Kernels& k, Views& v) {
                float* const data = v.memory.data();
                (k.*loss)({data, p}, {data, t}, {data, dp}, {v.doubles.data(), sums},
                          {v.states.data(), state});
            };
        };
        const Shape p{3, 4};
        calls.push_back({operation, input, "[12]", "2 extents", call({12}, {12}, {12}, {1}, {1})});
        calls.push_back({operation, "t", "[4, 3]", "[3, 4]", call(p, {4, 3}, p, {1}, {1})});
        calls.push_back({operation, gradient, "[3, 3]", "[3, 4]", call(p, p, {3, 3}, {1}, {1})});
        calls.push_back({operation, "sums", "[0]", "1 extents", call(p, p, p, {0}, {1})});
        calls.push_back({operation, "sums", "[2, 2]", "1 extents", call(p, p, p, {2, 2}, {1})});
        calls.push_back({operation, "state", "[2]", "[1]", call(p, p, p, {1}, {2})});
    }
    return calls;
}

ColumnScale three_columns() {
    static const std::vector<double> ones(3, 1.0);
    return {ones, ones};
}

std::vector<BadCall> bad_other_calls() {
    const AdamParams adam;
    return {
        {"copy", "", "48 bytes", "44", [](Kernels& k, Views& v) { k.copy(v.f({12}), v.f({11})); }},
        {"count_correct", "p", "[3]", "2 extents",
         [](Kernels& k, Views& v) { k.count_correct(v.f({3}), v.i({3}), v.count({1})); }},
        {"count_correct", "labels", "[4]", "[3]",
         [](Kernels& k, Views& v) {
             k.count_correct(v.f({3, 4}), v.i({4}), v.count({1}));
         }},
        {"count_correct", "correct", "[2]", "[1]",
         [](Kernels& k, Views& v) {
             k.count_correct(v.f({3, 4}), v.i({3}), v.count({2}));
         }},
        {"adam", "w", "[3, 4]", "1 extents",
         [=](Kernels& k, Views& v) {
             k.adam(v.f({3, 4}), v.f({12}), v.f({12}), v.f({12}), adam, v.s());
         }},
        {"adam", "dw", "[11]", "[12]",
         [=](Kernels& k, Views& v) { k.adam(v.f({12}), v.f({11}), v.f({12}), v.f({12}), adam, v.s()); }},
        {"adam", "m", "[11]", "[12]",
         [=](Kernels& k, Views& v) { k.adam(v.f({12}), v.f({12}), v.f({11}), v.f({12}), adam, v.s()); }},
        {"adam", "v", "[11]", "[12]",
         [=](Kernels& k, Views& v) { k.adam(v.f({12}), v.f({12}), v.f({12}), v.f({11}), adam, v.s()); }},
        {"adam", "state", "[2]", "[1]",
         [=](Kernels& k, Views& v) { k.adam(v.f({12}), v.f({12}), v.f({12}), v.f({12}), adam, v.s({2})); }},
        {"gather_rows", "source", "[0, 4]", "none of them 0",
         [](Kernels& k, Views& v) {
             k.gather_rows(v.f({0, 4}), v.i({0}), v.s(), v.f({2, 4}));
         }},
        {"gather_rows", "permutation", "[4]", "[5]",
         [](Kernels& k, Views& v) {
             k.gather_rows(v.f({5, 4}), v.i({4}), v.s(), v.f({2, 4}));
         }},
        {"gather_rows", "state", "[2]", "[1]",
         [](Kernels& k, Views& v) {
             k.gather_rows(v.f({5, 4}), v.i({5}), v.s({2}), v.f({2, 4}));
         }},
        {"gather_rows", "batch", "[6, 4]", "at most 5 rows of 4",
         [](Kernels& k, Views& v) {
             k.gather_rows(v.f({5, 4}), v.i({5}), v.s(), v.f({6, 4}));
         }},
        {"gather_rows", "batch", "[2, 3]", "at most 5 rows of 4",
         [](Kernels& k, Views& v) {
             k.gather_rows(v.f({5, 4}), v.i({5}), v.s(), v.f({2, 3}));
         }},
        {"gather_augmented_images", "source", "[5, 12]", "4 extents",
         [](Kernels& k, Views& v) {
             k.gather_augmented_images(v.f({5, 12}), v.i({5}), v.s(), {}, v.f({2, 3, 4, 1}));
         }},
        {"gather_augmented_images", "permutation", "[4]", "[5]",
         [](Kernels& k, Views& v) {
             k.gather_augmented_images(v.f({5, 3, 4, 1}), v.i({4}), v.s(), {}, v.f({2, 3, 4, 1}));
         }},
        {"gather_augmented_images", "state", "[2]", "[1]",
         [](Kernels& k, Views& v) {
             k.gather_augmented_images(v.f({5, 3, 4, 1}), v.i({5}), v.s({2}), {}, v.f({2, 3, 4, 1}));
         }},
        {"gather_augmented_images", "batch", "[6, 3, 4, 1]", "[5, 3, 4, 1]",
         [](Kernels& k, Views& v) {
             k.gather_augmented_images(v.f({5, 3, 4, 1}), v.i({5}), v.s(), {}, v.f({6, 3, 4, 1}));
         }},
        {"gather_augmented_images", "crop", "3", "3 x 4",
         [](Kernels& k, Views& v) {
             k.gather_augmented_images(v.f({5, 3, 4, 1}), v.i({5}), v.s(), {.crop = 3}, v.f({2, 3, 4, 1}));
         }},
        {"add_squared_norms", "bounds", "[3]", "[4]",
         [](Kernels& k, Views& v) { k.add_squared_norms(v.f({12}), v.count({3}), v.d({3})); }},
        {"add_squared_norms", "x", "[3, 4]", "1 extents",
         [](Kernels& k, Views& v) {
             k.add_squared_norms(v.f({3, 4}), v.count({4}), v.d({3}));
         }},
        {"random_permutation", "permutation", "[2, 2]", "1 extents",
         [](Kernels& k, Views& v) {
             k.random_permutation(v.i({2, 2}), 1, 0);
         }},
        {"random_permutation", "permutation", "[0]", "none of them 0",
         [](Kernels& k, Views& v) { k.random_permutation(v.i({0}), 1, 0); }},
        {"advance", "state", "[2]", "[1]", [](Kernels& k, Views& v) { k.advance(v.s({2}), 1); }},
        {"centre_columns", "x", "[12]", "2 extents",
         [](Kernels& k, Views& v) { k.centre_columns(v.f({12})); }},
        {"softmax", "p", "[3, 5]", "[3, 4]",
         [](Kernels& k, Views& v) {
             k.softmax(v.f({3, 4}), v.f({3, 5}));
         }},
        {"dropout", "y", "[3, 5]", "[3, 4]",
         [](Kernels& k, Views& v) {
             k.dropout(v.f({3, 4}), {}, v.s(), v.f({3, 5}));
         }},
        {"scale_columns_by_max_abs", "x", "[12]", "2 extents",
         [](Kernels& k, Views& v) { k.scale_columns_by_max_abs(v.f({12})); }},
        {"scale_columns_by_max_abs", "x", "[3, 0]", "none of them 0",
         [](Kernels& k, Views& v) {
             k.scale_columns_by_max_abs(v.f({3, 0}));
         }},
        {"gaussian_low_frequency_energy", "x", "[12]", "2 extents",
         [](Kernels& k, Views& v) {
             k.gaussian_low_frequency_energy(v.f({12}), v.f({3, 2}), {});
         }},
        {"gaussian_low_frequency_energy", "y", "[3]", "2 extents",
         [](Kernels& k, Views& v) {
             k.gaussian_low_frequency_energy(v.f({3, 4}), v.f({3}), {});
         }},
        {"gaussian_low_frequency_energy", "y", "[2, 2]", "[3, 2]",
         [](Kernels& k, Views& v) {
             k.gaussian_low_frequency_energy(v.f({3, 4}), v.f({2, 2}), {});
         }},
        {"gaussian_low_frequency_energy", "the scale", "3 offsets", "4 columns",
         [](Kernels& k, Views& v) {
             k.gaussian_low_frequency_energy(v.f({3, 4}), v.f({3, 2}), {}, {.scale = three_columns()});
         }},
        {"gaussian_low_frequency_row_energies", "row", "row 3 listed", "0 to 2",
         [](Kernels& k, Views& v) {
             k.gaussian_low_frequency_row_energies(v.f({3, 4}), v.f({3, 2}), {},
                                                   std::vector<std::int64_t>{0, 3});
         }},
        {"sum_of_squares", "the scale", "3 factors", "4 columns",
         [](Kernels& k, Views& v) {
             k.sum_of_squares(v.f({3, 4}), three_columns());
         }},
    };
}

TEST_CASE("kernels: a dense layer of wrong shapes is refused") {
    check_refused(bad_dense_calls());
}
TEST_CASE("kernels: a loss of wrong shapes is refused") {
    check_refused(bad_loss_calls());
}
TEST_CASE("kernels: other operations on wrong shapes are refused") {
    check_refused(bad_other_calls());
}

TEST_CASE("kernels: a copy of another size than the memory is refused") {
    for (const Backend& backend : backends_present()) {
        Buffer buffer = backend.kernels->allocate_zeros({12});
        std::vector<float> host(11);
        CHECK(refusal([&] {
                  backend.kernels->upload(std::span<const float>(host), buffer.view<float>({12}));
              }) == "upload: 44 bytes given, room for 48 expected");
        CHECK(refusal([&] {
                  backend.kernels->download(buffer.view<const float>({12}), std::span<float>(host));
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
    for (const Backend& backend : backends_present()) {
        INFO(backend.name);
        try {
            backend.kernels->allocate(std::size_t{1} << 60);
            FAIL_CHECK("no OutOfMemory");
        } catch (const OutOfMemory& error) {
            CHECK(contains(error.what(), "out of memory on " + backend.name));
            CHECK(contains(error.what(), ": 1099511627776.0 MiB asked for"));
            CHECK(contains(error.what(), " MiB free"));
        }
    }
}

TEST_CASE("kernels: filter widths that are negative, descending or not finite are refused") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::vector<std::vector<double>> grids = {
        {-1.0}, {2.0, 1.0}, {1.0, infinity}, {std::numeric_limits<double>::quiet_NaN()}};
    for (const Backend& backend : backends_present()) {
        Views views;
        for (const auto& grid : grids) {
            const std::string text = refusal([&] {
                backend.kernels->gaussian_low_frequency_energy(views.f({3, 4}), views.f({3, 2}), grid);
            });
            INFO(backend.name << ": " << text);
            CHECK(
                contains(text, "gaussian_low_frequency_energy: 1/delta = " + fmt::format("{}", grid.back())));
            CHECK(contains(text, "expected finite, not negative and ascending"));
        }
    }
}

TEST_CASE("kernels: a rate of dropout outside [0, 1) is refused") {
    for (const Backend& backend : backends_present())
        for (const double rate : {-0.1, 1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
            Views v;
            CHECK(refusal([&] { backend.kernels->dropout(v.f({4}), {.rate = rate}, v.s(), v.f({4})); }) ==
                  fmt::format("dropout: rate {} given, expected 0 to less than 1", rate));
        }
}

TEST_CASE("kernels: a device that does not exist is refused") {
    for (const char* device : {"nonsense", "", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:1x",
                               "cuda: 1", "cuda:99999999999"})
        CHECK(refusal([&] { open_kernels(device); }) ==
              fmt::format("--device is '{}', expected auto, cpu, cuda or cuda:N", device));
}

TEST_CASE("kernels: cuda that cannot be had is refused with the cure, and auto says why it chose the cpu") {
    const std::string missing = cuda_unavailable();
    if (missing.empty()) {
        CHECK(open_kernels("auto").reason == "auto chose cuda:0: the first GPU");
        return;
    }
    for (const char* device : {"cuda", "cuda:1"})
        CHECK(contains(refusal([&] { open_kernels(device); }), "--device cpu"));
    CHECK(open_kernels("auto").reason == "auto chose cpu: " + missing);
    CHECK(open_kernels("cpu").reason == "cpu: asked for");
    CHECK(open_kernels("cpu").kernels->description().starts_with("cpu"));
}

}  // namespace
}  // namespace deepfreq::tests
