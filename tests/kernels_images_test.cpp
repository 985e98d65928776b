// Operations on images, what the table cannot say: whole batches, NaN, wrong shapes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "common/philox.h"
#include "tests/backends.h"
#include "tests/bad_calls.h"
#include "tests/checks.h"
#include "tests/reference_convolution.h"

namespace deepfreq::tests {
namespace {

using reference::Values;

/// Checks 64 elements of `found`, the first and the last among them, against sums in double.
template <class Sum>
void check_sampled(const std::string& name, const std::vector<double>& found, std::uint64_t seed,
                   const Sum& sum) {
    const Philox random(seed, RandomUse::Functions, 9);
    std::vector<double> sample;
    reference::Estimate expected;
    for (std::uint64_t i = 0; i < 64; ++i) {
        const std::uint64_t any = random.word64(i) % found.size();
        const std::uint64_t at = i == 0 ? 0 : i == 1 ? found.size() - 1 : any;
        const reference::ConvolutionSum exact = sum(static_cast<std::int64_t>(at));
        sample.push_back(found[at]);
        expected.value.push_back(exact.value);
        expected.error.push_back(exact.error);
    }
    check_close(name, sample, expected);
}

TEST_CASE("kernels: the convolutions of ResNet-18 on a batch of 64 agree with the reference where sampled") {
    std::uint64_t seed = 800;
    for (const auto& convolution : resnet18_convolutions(64)) {
        const Shape& image = convolution.first;
        const Filters& filters = convolution.second;
        const reference::ConvolutionShape shape(image, {filters.out, filters.height, filters.width, image[3]},
                                                filters.params);
        const Floats x = normals(++seed, 0, shape.x.elements());
        const Floats w = normals(seed, 1, shape.w.elements(), 0.1);
        const Floats dy = normals(seed, 2, shape.y.elements());
        const Values x64 = widened(x);
        const Values w64 = widened(w);
        const Values dy64 = widened(dy);
        for (const Backend& backend : backends_in_all_precisions()) {
            INFO(backend.name << ": " << image.text() << " " << filters.text());
            const Precision precision = backend.kernels->precision();
            auto found = values_of(*backend.kernels, [&](Kernels& kernels, Stage& stage) {
                const ConstTensor x_view = stage.input(shape.x, x);
                const ConstTensor w_view = stage.input(shape.w, w);
                const ConstTensor dy_view = stage.input(shape.y, dy);
                kernels.conv2d_forward(x_view, w_view, shape.params, stage.overwritten("y", shape.y));
                kernels.conv2d_backward(x_view, w_view, dy_view, shape.params,
                                        stage.overwritten("dx", shape.x), stage.overwritten("dw", shape.w),
                                        GradMode::Overwrite);
            });
            check_sampled("y", found["y"], seed, [&](std::int64_t at) {
                return reference::conv2d_y(x64, w64, shape, at, precision);
            });
            check_sampled("dx", found["dx"], seed, [&](std::int64_t at) {
                return reference::conv2d_dx(w64, dy64, shape, at, precision);
            });
            check_sampled("dw", found["dw"], seed, [&](std::int64_t at) {
                return reference::conv2d_dw(x64, dy64, shape, at, precision);
            });
        }
    }
}

TEST_CASE("kernels: NaN goes through conv2d_forward, to all pixels that see it and to no other image") {
    constexpr std::int64_t size = 16;
    in_all_precisions([](Kernels& kernels) {
        for (const std::int64_t channels : {1, 16, 17, 64}) {
            auto found = values_of(kernels, [=](Kernels& k, Stage& stage) {
                Floats x = normals(1, 0, 3 * size * size * channels);
                x[((size + 4) * size + 5) * channels + channels - 1] = nan;  // image 1, row 4, column 5
                const ConstTensor images = stage.input({3, size, size, channels}, x);
                const ConstTensor w = stage.input({64, 3, 3, channels}, normals(1, 1, 64 * 9 * channels));
                k.conv2d_forward(images, w, {1, 1}, stage.overwritten("y", {3, size, size, 64}));
            });
            const auto& y = found["y"];
            int lost = 0;
            int strayed = 0;
            for (std::int64_t i = 0; i < 3 * size * size * 64; ++i) {
                const std::int64_t row = i / (64 * size) - size;
                const std::int64_t column = i / 64 % size;
                const bool sees = row >= 3 && row <= 5 && column >= 4 && column <= 6;
                if (sees && !std::isnan(y[i])) ++lost;
                if ((row < 0 || row >= size) && std::isnan(y[i])) ++strayed;
            }
            INFO(channels << " channels");
            CHECK(lost == 0);
            CHECK(strayed == 0);
        }
    });
}

TEST_CASE("kernels: batch norm of a channel without variance gives its shift, and NaN stays in its channel") {
    for_each_backend([](Kernels& kernels) {
        auto found = values_of(kernels, [](Kernels& k, Stage& stage) {
            Floats x = normals(1, 0, 3 * 5 * 5 * 3);
            for (std::size_t i = 0; i < x.size(); i += 3) x[i] = 1e4F;
            x[3 * 40 + 2] = nan;
            const ConstTensor images = stage.input({3, 5, 5, 3}, x);
            const ConstTensor scale = stage.input<float>({3}, {2.0F, 1.0F, 1.0F});
            const ConstTensor shift = stage.input<float>({3}, {0.75F, -1.0F, 0.0F});
            k.batch_norm_forward_training(
                images, scale, shift, {}, stage.changed<float>("mean", {3}, {0, 0, 0}),
                stage.changed<float>("variance", {3}, {1, 1, 1}), stage.overwritten("m", {3}),
                stage.overwritten("i", {3}), {}, Activation::Relu, stage.overwritten("y", {3, 5, 5, 3}));
        });
        const auto& y = found["y"];
        bool as_expected = true;
        for (std::size_t i = 0; i < y.size(); i += 3)
            as_expected = as_expected && y[i] == 0.75 && std::isfinite(y[i + 1]) && std::isnan(y[i + 2]);
        CHECK(as_expected);
        CHECK(found["mean"][0] == doctest::Approx(1e3));
        CHECK(found["variance"][0] == doctest::Approx(0.9));
        CHECK(std::isfinite(found["mean"][1]));
        CHECK(std::isnan(found["mean"][2]));
        CHECK(std::isnan(found["variance"][2]));
    });
}

TEST_CASE("kernels: max pooling gives NaN where the window has one, and it the gradient") {
    for_each_backend([](Kernels& kernels) {
        for (std::size_t place = 0; place < 4; ++place) {
            auto found = values_of(kernels, [=](Kernels& k, Stage& stage) {
                Floats x{3.0F, -1.0F, 7.0F, 2.0F};
                x[place] = nan;
                const ConstTensor image = stage.input({1, 2, 2, 1}, x);
                const Tensor y = stage.overwritten("y", {1, 1, 1, 1});
                k.max_pool_forward(image, {2, 2}, y);
                k.max_pool_backward(image, y, stage.input<float>({1, 1, 1, 1}, {5.0F}), {2, 2},
                                    stage.overwritten("dx", {1, 2, 2, 1}));
            });
            CHECK(std::isnan(found["y"][0]));
            for (std::size_t i = 0; i < 4; ++i) CHECK(found["dx"][i] == (i == place ? 5.0 : 0.0));
        }
    });
}

std::vector<BadCall> bad_convolutions() {
    // A good call has images of 4 x 5 of 3 channels, 6 filters of 3 x 3, stride 1, padding 1.
    const auto forward = [](Shape x, Shape w, Conv2dParams params, Shape y) {
        return [=](Kernels& k, Views& v) {
            float* const data = v.memory.data();
            k.conv2d_forward({data, x}, {data, w}, params, {data, y});
        };
    };
    const auto backward = [](Shape x, Shape w, Conv2dParams params, Shape dy, Shape dx, Shape dw) {
        return [=](Kernels& k, Views& v) {
            float* const data = v.memory.data();
            k.conv2d_backward({data, x}, {data, w}, {data, dy}, params, {data, dx}, {data, dw},
                              GradMode::Overwrite);
        };
    };
    const Shape x{2, 4, 5, 3};
    const Shape w{6, 3, 3, 3};
    const Shape y{2, 4, 5, 6};
    const Conv2dParams p{1, 1};
    const std::string f = "conv2d_forward";
    const std::string g = "conv2d_backward";
    return {{f, "x", "[40, 3]", "4 extents", forward({40, 3}, w, p, y)},
            {f, "x", "[0, 4, 5, 3]", "none of them 0", forward({0, 4, 5, 3}, w, p, y)},
            {f, "w", "[6, 27]", "4 extents", forward(x, {6, 27}, p, y)},
            {f, "w", "[6, 3, 3, 4]", "[6, 3, 3, 3]", forward(x, {6, 3, 3, 4}, p, y)},
            {f, "w", "[6, 7, 3, 3]", "6 x 7", forward(x, {6, 7, 3, 3}, p, y)},
            {f, "stride 0", "padding 1", "at least 1 and 0", forward(x, w, {0, 1}, y)},
            {f, "stride 1", "padding -1", "at least 1 and 0", forward(x, w, {1, -1}, y)},
            {f, "padding 3", "padding 3", "less than the filters' 3 x 3", forward(x, w, {1, 3}, y)},
            {f, "y", "[2, 4, 5, 6]", "[2, 2, 3, 6]", forward(x, w, {2, 1}, y)},
            {f, "y", "[2, 6, 4, 5]", "[2, 4, 5, 6]", forward(x, w, p, {2, 6, 4, 5})},
            {g, "x", "[40, 3]", "4 extents", backward({40, 3}, w, p, y, x, w)},
            {g, "w", "[6, 3, 3, 4]", "[6, 3, 3, 3]", backward(x, {6, 3, 3, 4}, p, y, x, w)},
            {g, "dy", "[2, 4, 5, 5]", "[2, 4, 5, 6]", backward(x, w, p, {2, 4, 5, 5}, x, w)},
            {g, "dx", "[2, 4, 5, 6]", "[2, 4, 5, 3]", backward(x, w, p, y, y, w)},
            {g, "dw", "[3, 3, 3, 6]", "[6, 3, 3, 3]", backward(x, w, p, y, x, {3, 3, 3, 6})},
            {g, "stride -2", "padding 1", "at least 1 and 0", backward(x, w, {-2, 1}, y, x, w)}};
}

/// Every tensor of one operation in turn with a wrong shape; `call` takes their shapes in that order.
struct Operand {
    std::string name;
    Shape good;
};
void add_wrong_shapes(std::vector<BadCall>& calls, const std::string& operation,
                      const std::vector<Operand>& operands,
                      const std::function<void(Kernels&, const std::vector<Tensor>&)>& call) {
    for (std::size_t wrong = 0; wrong < operands.size(); ++wrong) {
        const Shape bad = operands[wrong].good.rank() == 4 ? Shape{2, 4, 5, 9} : Shape{1, 3};
        // A wrong x makes all others wrong, except by its rank.
        const Shape found = operands[wrong].name == "x" ? Shape{8, 15} : bad;
        const std::string expected = operands[wrong].name == "x" ? "4 extents" : operands[wrong].good.text();
        calls.push_back({operation, operands[wrong].name, found.text(), expected, [=](Kernels& k, Views& v) {
                             std::vector<Tensor> tensors;
                             tensors.reserve(operands.size());
                             for (std::size_t i = 0; i < operands.size(); ++i)
                                 tensors.push_back({v.memory.data(), i == wrong ? found : operands[i].good});
                             call(k, tensors);
                         }});
    }
}

std::vector<BadCall> bad_batch_norms() {
    const Shape x{2, 4, 5, 3};
    const Shape c{3};
    std::vector<BadCall> calls;
    add_wrong_shapes(calls, "batch_norm_forward_training",
                     {{"x", x},
                      {"scale", c},
                      {"shift", c},
                      {"running_mean", c},
                      {"running_variance", c},
                      {"saved_mean", c},
                      {"saved_inverse_deviation", c},
                      {"residual", x},
                      {"y", x}},
                     [](Kernels& k, const std::vector<Tensor>& t) {
                         k.batch_norm_forward_training(t[0], t[1], t[2], {}, t[3], t[4], t[5], t[6], t[7],
                                                       Activation::Relu, t[8]);
                     });
    add_wrong_shapes(calls, "batch_norm_forward_inference",
                     {{"x", x},
                      {"scale", c},
                      {"shift", c},
                      {"running_mean", c},
                      {"running_variance", c},
                      {"residual", x},
                      {"y", x}},
                     [](Kernels& k, const std::vector<Tensor>& t) {
                         k.batch_norm_forward_inference(t[0], t[1], t[2], {}, t[3], t[4], t[5],
                                                        Activation::Relu, t[6]);
                     });
    add_wrong_shapes(calls, "batch_norm_backward",
                     {{"x", x},
                      {"y", x},
                      {"scale", c},
                      {"saved_mean", c},
                      {"saved_inverse_deviation", c},
                      {"dy", x},
                      {"dx", x},
                      {"dscale", c},
                      {"dshift", c}},
                     [](Kernels& k, const std::vector<Tensor>& t) {
                         k.batch_norm_backward(t[0], t[1], t[2], t[3], t[4], Activation::Relu, t[5], t[6],
                                               t[7], t[8], GradMode::Overwrite);
                     });
    for (const BatchNormParams& params :
         {BatchNormParams{0.0, 0.1}, {-1e-5, 0.1}, {1e-5, -0.1}, {1e-5, 1.5}, {std::nan(""), 0.1}})
        calls.push_back({"batch_norm_forward_training", "epsilon", fmt::format("{}", params.momentum),
                         "more than 0 and 0 to 1", [=](Kernels& k, Views& v) {
                             const Tensor image(v.memory.data(), x);
                             const Tensor channels(v.memory.data(), c);
                             k.batch_norm_forward_training(image, channels, channels, params, channels,
                                                           channels, channels, channels, {}, Activation::Relu,
                                                           image);
                         }});
    return calls;
}

std::vector<BadCall> bad_pools() {
    const Shape x{2, 4, 6, 3};
    const Shape y{2, 2, 2, 3};
    const PoolParams p{2, 3};
    std::vector<BadCall> calls;
    const auto with = [](const auto& call) {
        return [=](Kernels& k, Views& v) {
            call(k, [&](const Shape& shape) { return Tensor{v.memory.data(), shape}; });
        };
    };
    for (const PoolParams& bad : {PoolParams{0, 3}, {2, -3}, {3, 3}, {2, 4}, {8, 3}}) {
        const std::string tile = fmt::format("windows of {} x {} tile", bad.height, bad.width);
        const auto add = [&](const char* operation, const char* tensor, const auto& call) {
            calls.push_back({operation, tensor, "[2, 4, 6, 3]", tile, with(call)});
        };
        add("average_pool_forward", "x",
            [=](Kernels& k, auto t) { k.average_pool_forward(t(x), bad, t(y)); });
        add("average_pool_backward", "dx",
            [=](Kernels& k, auto t) { k.average_pool_backward(t(y), bad, t(x)); });
        add("max_pool_forward", "x", [=](Kernels& k, auto t) { k.max_pool_forward(t(x), bad, t(y)); });
        add("max_pool_backward", "x",
            [=](Kernels& k, auto t) { k.max_pool_backward(t(x), t(y), t(y), bad, t(x)); });
    }
    const auto add = [&](const char* operation, const char* tensor, const Shape& expected, const auto& call) {
        calls.push_back({operation, tensor, "[2, 2, 2, 9]", expected.text(), with(call)});
    };
    const Shape bad{2, 2, 2, 9};
    add("average_pool_forward", "y", y, [=](Kernels& k, auto t) { k.average_pool_forward(t(x), p, t(bad)); });
    add("average_pool_backward", "dy", y,
        [=](Kernels& k, auto t) { k.average_pool_backward(t(bad), p, t(x)); });
    add("max_pool_forward", "y", y, [=](Kernels& k, auto t) { k.max_pool_forward(t(x), p, t(bad)); });
    add("max_pool_backward", "y", y,
        [=](Kernels& k, auto t) { k.max_pool_backward(t(x), t(bad), t(y), p, t(x)); });
    add("max_pool_backward", "dy", y,
        [=](Kernels& k, auto t) { k.max_pool_backward(t(x), t(y), t(bad), p, t(x)); });
    add("max_pool_backward", "dx", x,
        [=](Kernels& k, auto t) { k.max_pool_backward(t(x), t(y), t(y), p, t(bad)); });
    add("add", "y", x, [=](Kernels& k, auto t) { k.add(t(x), t(bad)); });
    calls.push_back({"add", "x", "[0, 3]", "none of them 0", with([](Kernels& k, auto t) {
                         k.add(t(Shape{0, 3}), t(Shape{0, 3}));
                     })});
    return calls;
}

TEST_CASE("kernels: a convolution of wrong shapes is refused") {
    check_refused(bad_convolutions());
}
TEST_CASE("kernels: a batch norm of wrong shapes is refused") {
    check_refused(bad_batch_norms());
}
TEST_CASE("kernels: pools and sums of wrong shapes are refused") {
    check_refused(bad_pools());
}

}  // namespace
}  // namespace deepfreq::tests
