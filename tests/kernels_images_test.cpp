// Operations on images, what the table cannot say: whole batches, NaN, wrong shapes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "common/philox.h"
#include "oracle/reference_convolution.h"
#include "tests/backends.h"
#include "tests/bad_calls.h"
#include "tests/checks.h"

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
        for (const TestedBackend& tested : backends_in_all_precisions()) {
            INFO(tested.name << ": " << image.text() << " " << filters.text());
            const Precision precision = tested.backend->precision();
            auto found = values_of(*tested.backend, [&](Backend& backend, Stage& stage) {
                const ConstTensor x_view = stage.input(shape.x, x);
                const ConstTensor w_view = stage.input(shape.w, w);
                const ConstTensor dy_view = stage.input(shape.y, dy);
                backend(Conv2dForward{
                    .x = x_view, .w = w_view, .params = shape.params, .y = stage.overwritten("y", shape.y)});
                backend(Conv2dBackward{.x = x_view,
                                       .w = w_view,
                                       .dy = dy_view,
                                       .params = shape.params,
                                       .dx = stage.overwritten("dx", shape.x),
                                       .dw = stage.overwritten("dw", shape.w)});
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
    in_all_precisions([](Backend& backend) {
        for (const std::int64_t channels : {1, 16, 17, 64}) {
            auto found = values_of(backend, [=](Backend& k, Stage& stage) {
                Floats x = normals(1, 0, 3 * size * size * channels);
                x[((size + 4) * size + 5) * channels + channels - 1] = nan;  // image 1, row 4, column 5
                const ConstTensor images = stage.input({3, size, size, channels}, x);
                const ConstTensor w = stage.input({64, 3, 3, channels}, normals(1, 1, 64 * 9 * channels));
                k(Conv2dForward{
                    .x = images, .w = w, .params = {1, 1}, .y = stage.overwritten("y", {3, size, size, 64})});
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
    for_each_backend([](Backend& backend) {
        auto found = values_of(backend, [](Backend& k, Stage& stage) {
            Floats x = normals(1, 0, 3 * 5 * 5 * 3);
            for (std::size_t i = 0; i < x.size(); i += 3) x[i] = 1e4F;
            x[3 * 40 + 2] = nan;
            const ConstTensor images = stage.input({3, 5, 5, 3}, x);
            const ConstTensor scale = stage.input<float>({3}, {2.0F, 1.0F, 1.0F});
            const ConstTensor shift = stage.input<float>({3}, {0.75F, -1.0F, 0.0F});
            k(BatchNormForwardTraining{.x = images,
                                       .scale = scale,
                                       .shift = shift,
                                       .running_mean = stage.changed<float>("mean", {3}, {0, 0, 0}),
                                       .running_variance = stage.changed<float>("variance", {3}, {1, 1, 1}),
                                       .saved_mean = stage.overwritten("m", {3}),
                                       .saved_inv_std = stage.overwritten("i", {3}),
                                       .activation = Activation::Relu,
                                       .y = stage.overwritten("y", {3, 5, 5, 3})});
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
    for_each_backend([](Backend& backend) {
        for (std::size_t place = 0; place < 4; ++place) {
            auto found = values_of(backend, [=](Backend& k, Stage& stage) {
                Floats x{3.0F, -1.0F, 7.0F, 2.0F};
                x[place] = nan;
                const ConstTensor image = stage.input({1, 2, 2, 1}, x);
                const Tensor y = stage.overwritten("y", {1, 1, 1, 1});
                k(MaxPoolForward{.x = image, .params = {2, 2}, .y = y});
                k(MaxPoolBackward{.x = image,
                                  .y = y,
                                  .dy = stage.input<float>({1, 1, 1, 1}, {5.0F}),
                                  .params = {2, 2},
                                  .dx = stage.overwritten("dx", {1, 2, 2, 1})});
            });
            CHECK(std::isnan(found["y"][0]));
            for (std::size_t i = 0; i < 4; ++i) CHECK(found["dx"][i] == (i == place ? 5.0 : 0.0));
        }
    });
}

std::vector<BadCall> bad_convolutions() {
    // A good call has images of 4 x 5 of 3 channels, 6 filters of 3 x 3, stride 1, padding 1.
    const auto forward = [](Shape x, Shape w, Conv2dParams params, Shape y) {
        return [=](Backend& k, Views& v) {
            float* const data = v.memory.data();
            k(Conv2dForward{.x = {data, x}, .w = {data, w}, .params = params, .y = {data, y}});
        };
    };
    const auto backward = [](Shape x, Shape w, Conv2dParams params, Shape dy, Shape dx, Shape dw) {
        return [=](Backend& k, Views& v) {
            float* const data = v.memory.data();
            k(Conv2dBackward{.x = {data, x},
                             .w = {data, w},
                             .dy = {data, dy},
                             .params = params,
                             .dx = {data, dx},
                             .dw = {data, dw}});
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
                      const std::function<void(Backend&, const std::vector<Tensor>&)>& call) {
    for (std::size_t wrong = 0; wrong < operands.size(); ++wrong) {
        const Shape bad = operands[wrong].good.rank() == 4 ? Shape{2, 4, 5, 9} : Shape{1, 3};
        // A wrong x makes all others wrong, except by its rank.
        const Shape found = operands[wrong].name == "x" ? Shape{8, 15} : bad;
        const std::string expected = operands[wrong].name == "x" ? "4 extents" : operands[wrong].good.text();
        calls.push_back({operation, operands[wrong].name, found.text(), expected, [=](Backend& k, Views& v) {
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
                      {"saved_inv_std", c},
                      {"residual", x},
                      {"y", x}},
                     [](Backend& k, const std::vector<Tensor>& t) {
                         k(BatchNormForwardTraining{.x = t[0],
                                                    .scale = t[1],
                                                    .shift = t[2],
                                                    .running_mean = t[3],
                                                    .running_variance = t[4],
                                                    .saved_mean = t[5],
                                                    .saved_inv_std = t[6],
                                                    .residual = t[7],
                                                    .activation = Activation::Relu,
                                                    .y = t[8]});
                     });
    add_wrong_shapes(calls, "batch_norm_forward_inference",
                     {{"x", x},
                      {"scale", c},
                      {"shift", c},
                      {"running_mean", c},
                      {"running_variance", c},
                      {"residual", x},
                      {"y", x}},
                     [](Backend& k, const std::vector<Tensor>& t) {
                         k(BatchNormForwardInference{.x = t[0],
                                                     .scale = t[1],
                                                     .shift = t[2],
                                                     .running_mean = t[3],
                                                     .running_variance = t[4],
                                                     .residual = t[5],
                                                     .activation = Activation::Relu,
                                                     .y = t[6]});
                     });
    add_wrong_shapes(calls, "batch_norm_backward",
                     {{"x", x},
                      {"y", x},
                      {"scale", c},
                      {"saved_mean", c},
                      {"saved_inv_std", c},
                      {"dy", x},
                      {"dx", x},
                      {"dscale", c},
                      {"dshift", c}},
                     [](Backend& k, const std::vector<Tensor>& t) {
                         k(BatchNormBackward{.x = t[0],
                                             .y = t[1],
                                             .scale = t[2],
                                             .saved_mean = t[3],
                                             .saved_inv_std = t[4],
                                             .activation = Activation::Relu,
                                             .dy = t[5],
                                             .dx = t[6],
                                             .dscale = t[7],
                                             .dshift = t[8]});
                     });
    for (const BatchNormParams& params :
         {BatchNormParams{0.0, 0.1}, {-1e-5, 0.1}, {1e-5, -0.1}, {1e-5, 1.5}, {std::nan(""), 0.1}})
        calls.push_back({"batch_norm_forward_training", "epsilon", fmt::format("{}", params.momentum),
                         "more than 0 and 0 to 1", [=](Backend& k, Views& v) {
                             const Tensor image(v.memory.data(), x);
                             const Tensor channels(v.memory.data(), c);
                             k(BatchNormForwardTraining{.x = image,
                                                        .scale = channels,
                                                        .shift = channels,
                                                        .params = params,
                                                        .running_mean = channels,
                                                        .running_variance = channels,
                                                        .saved_mean = channels,
                                                        .saved_inv_std = channels,
                                                        .activation = Activation::Relu,
                                                        .y = image});
                         }});
    return calls;
}

std::vector<BadCall> bad_pools() {
    const Shape x{2, 4, 6, 3};
    const Shape y{2, 2, 2, 3};
    const PoolParams p{2, 3};
    std::vector<BadCall> calls;
    const auto with = [](const auto& call) {
        return [=](Backend& k, Views& v) {
            call(k, [&](const Shape& shape) { return Tensor{v.memory.data(), shape}; });
        };
    };
    for (const PoolParams& bad : {PoolParams{0, 3}, {2, -3}, {3, 3}, {2, 4}, {8, 3}}) {
        const std::string tile = fmt::format("windows of {} x {} tile", bad.height, bad.width);
        const auto add = [&](const char* operation, const char* tensor, const auto& call) {
            calls.push_back({operation, tensor, "[2, 4, 6, 3]", tile, with(call)});
        };
        add("average_pool_forward", "x",
            [=](Backend& k, auto t) { k(AveragePoolForward{.x = t(x), .params = bad, .y = t(y)}); });
        add("average_pool_backward", "dx",
            [=](Backend& k, auto t) { k(AveragePoolBackward{.dy = t(y), .params = bad, .dx = t(x)}); });
        add("max_pool_forward", "x",
            [=](Backend& k, auto t) { k(MaxPoolForward{.x = t(x), .params = bad, .y = t(y)}); });
        add("max_pool_backward", "x", [=](Backend& k, auto t) {
            k(MaxPoolBackward{.x = t(x), .y = t(y), .dy = t(y), .params = bad, .dx = t(x)});
        });
    }
    const auto add = [&](const char* operation, const char* tensor, const Shape& expected, const auto& call) {
        calls.push_back({operation, tensor, "[2, 2, 2, 9]", expected.text(), with(call)});
    };
    const Shape bad{2, 2, 2, 9};
    add("average_pool_forward", "y", y,
        [=](Backend& k, auto t) { k(AveragePoolForward{.x = t(x), .params = p, .y = t(bad)}); });
    add("average_pool_backward", "dy", y,
        [=](Backend& k, auto t) { k(AveragePoolBackward{.dy = t(bad), .params = p, .dx = t(x)}); });
    add("max_pool_forward", "y", y,
        [=](Backend& k, auto t) { k(MaxPoolForward{.x = t(x), .params = p, .y = t(bad)}); });
    add("max_pool_backward", "y", y, [=](Backend& k, auto t) {
        k(MaxPoolBackward{.x = t(x), .y = t(bad), .dy = t(y), .params = p, .dx = t(x)});
    });
    add("max_pool_backward", "dy", y, [=](Backend& k, auto t) {
        k(MaxPoolBackward{.x = t(x), .y = t(y), .dy = t(bad), .params = p, .dx = t(x)});
    });
    add("max_pool_backward", "dx", x, [=](Backend& k, auto t) {
        k(MaxPoolBackward{.x = t(x), .y = t(y), .dy = t(y), .params = p, .dx = t(bad)});
    });
    add("add", "y", x, [=](Backend& k, auto t) { k(Add{.x = t(x), .y = t(bad)}); });
    calls.push_back({"add", "x", "[0, 3]", "none of them 0", with([](Backend& k, auto t) {
                         k(Add{.x = t(Shape{0, 3}), .y = t(Shape{0, 3})});
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
