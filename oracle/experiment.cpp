#include "oracle/experiment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/philox.h"
#include "oracle/experiment_convolution.h"
#include "oracle/experiment_training.h"

namespace deepfreq::oracle {
namespace {

Experiment copy(const Case& c) {
    const Floats x = normals(c.seed, 0, c.shape[0]);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor from = stage.input(c.shape, x);
                backend.copy(from, stage.overwritten("to", c.shape));
            },
            {{"to", reference::exactly(widened(x))}}};
}

struct DenseInputs {
    reference::DenseShape shape;
    Floats x, w, b;

    explicit DenseInputs(const Case& c) : shape{c.shape[0], c.shape[1], c.shape[2]} {
        x = normals(c.seed, 0, shape.n * shape.in, c.scale);
        w = normals(c.seed, 1, shape.out * shape.in, 1.0 / std::sqrt(static_cast<double>(shape.in)));
        b = normals(c.seed, 2, shape.out, 0.1 * c.scale);
    }
    reference::Estimate forward(Activation activation, Precision precision) const {
        return reference::dense_forward(widened(x), widened(w), widened(b), activation, shape, precision);
    }
};

Experiment dense_forward(const Case& c) {
    const DenseInputs d(c);
    return {
        [=](Backend& backend, Stage& stage) {
            const auto [n, in, out] = d.shape;
            const ConstTensor x = stage.input({n, in}, d.x);
            const ConstTensor w = stage.input({out, in}, d.w);
            const ConstTensor b = stage.input({out}, d.b);
            backend(DenseForward{
                .x = x, .w = w, .b = b, .activation = c.activation, .y = stage.overwritten("y", {n, out})});
        },
        {{"y", d.forward(c.activation, c.precision)}}};
}

/// Both modes in one call each; the first without dx.
Experiment dense_backward(const Case& c) {
    const DenseInputs d(c);
    const auto [n, in, out] = d.shape;
    const reference::Values y_exact = d.forward(c.activation, c.precision).value;
    const Floats y(y_exact.begin(), y_exact.end());
    const Floats dy = normals(c.seed, 3, n * out);
    const Floats dw_before = normals(c.seed, 4, out * in);
    const Floats db_before = normals(c.seed, 5, out);
    const auto g = reference::dense_backward(widened(d.x), widened(d.w), widened(y), c.activation,
                                             widened(dy), d.shape, c.precision);
    const auto call = [=, shape = d.shape](Backend& backend, Stage& stage) {
        const Shape x_shape{shape.n, shape.in};
        const Shape y_shape{shape.n, shape.out};
        const Shape w_shape{shape.out, shape.in};
        const ConstTensor x = stage.input(x_shape, d.x);
        const ConstTensor w = stage.input(w_shape, d.w);
        const ConstTensor y_view = stage.input(y_shape, y);
        const Tensor dz = stage.changed("dz", y_shape, dy);
        const Tensor dw = stage.overwritten("dw", w_shape);
        const Tensor db = stage.overwritten("db", {shape.out});
        backend(DenseBackward{
            .x = x, .w = w, .y = y_view, .activation = c.activation, .dy = dz, .dw = dw, .db = db});
        const Tensor dz_again = stage.changed("dz again", y_shape, dy);
        const Tensor dx = stage.overwritten("dx", x_shape);
        const Tensor dw_sum = stage.changed("dw added", w_shape, dw_before);
        const Tensor db_sum = stage.changed("db added", {shape.out}, db_before);
        backend(DenseBackward{.x = x,
                              .w = w,
                              .y = y_view,
                              .activation = c.activation,
                              .dy = dz_again,
                              .dx = dx,
                              .dw = dw_sum,
                              .db = db_sum,
                              .mode = GradMode::Accumulate});
    };
    return {call,
            {{"dz", g.dz},
             {"dw", g.dw},
             {"db", g.db},
             {"dz again", g.dz},
             {"dx", g.dx},
             {"dw added", reference::accumulated(g.dw, widened(dw_before))},
             {"db added", reference::accumulated(g.db, widened(db_before))}}};
}

Experiment scale_columns_by_max_abs(const Case& c) {
    const Floats x = normals(c.seed, 0, c.shape.elements(), c.scale);
    return {[=](Backend& backend, Stage& stage) {
                backend(ScaleColumnsByMaxAbs{.x = stage.changed("x", c.shape, x)});
            },
            {{"x", reference::scale_columns_by_max_abs(widened(x), c.shape[0], c.shape[1])}}};
}

Experiment sum_of_squares(const Case& c) {
    const Floats x = normals(c.seed, 0, c.shape.elements(), c.scale);
    return {[=](Backend& backend, Stage& stage) {
                stage.returned("sum", {backend(SumOfSquares{.x = stage.input(c.shape, x)})});
            },
            {{"sum", reference::sum_of_squares(widened(x))}}};
}

/// Between bounds that exclude both ends, with segments that grow from empty.
Experiment add_squared_norms(const Case& c) {
    const std::int64_t size = c.shape[0], count = c.position;
    const Floats x = normals(c.seed, 0, size, c.scale);
    std::vector<std::int64_t> bounds;
    for (std::int64_t k = 0; k <= count; ++k) bounds.push_back(1 + (size - 2) * k * k / (count * count));
    if (size < 3)
        bounds = std::vector<std::int64_t>(static_cast<std::size_t>(count), 0), bounds.push_back(size);
    std::vector<double> before;
    reference::Estimate sums;
    for (std::int64_t k = 0; k < count; ++k) {
        before.push_back(static_cast<double>(k) * static_cast<double>(c.scale * c.scale));
        const auto found =
            reference::sum_of_squares({x.begin() + static_cast<std::ptrdiff_t>(bounds[k]),
                                       x.begin() + static_cast<std::ptrdiff_t>(bounds[k + 1])});
        sums.value.push_back(before.back() + found.value[0]);
        sums.error.push_back(found.error[0] + std::numeric_limits<double>::epsilon() * sums.value.back());
    }
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor values = stage.input(c.shape, x);
                const auto between = stage.input({count + 1}, bounds);
                backend(AddSquaredNorms{
                    .x = values, .bounds = between, .sums = stage.changed("sums", {count}, before)});
            },
            {{"sums", sums}}};
}

/// All finite, then NaN and both infinities at the first, last and a middle place, each alone; -1 is none.
Experiment first_non_finite(const Case& c) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    std::vector<Floats> inputs{normals(c.seed, 0, c.shape[0], 1e30)};
    inputs[0][0] = std::numeric_limits<float>::max();
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity})
        for (const std::int64_t at : {std::int64_t{0}, c.shape[0] - 1, c.shape[0] / 2}) {
            inputs.push_back(inputs[0]);
            inputs.back()[at] = bad;
        }
    inputs.push_back(inputs[1]);
    std::fill(inputs.back().begin() + c.shape[0] / 3, inputs.back().end(), infinity);
    reference::Values expected;
    expected.reserve(inputs.size());
    for (const Floats& input : inputs)
        expected.push_back(static_cast<double>(reference::first_non_finite(widened(input)).value_or(-1)));
    return {[=](Backend& backend, Stage& stage) {
                std::vector<double> found;
                found.reserve(inputs.size());
                for (const Floats& input : inputs)
                    found.push_back(static_cast<double>(
                        backend(FirstNonFinite{.x = stage.input(c.shape, input)}).value_or(-1)));
                stage.returned("indices", found);
            },
            {{"indices", reference::exactly(expected)}}};
}

/// Columns around means of various magnitudes.
Experiment centre_columns(const Case& c) {
    Floats x = normals(c.seed, 0, c.shape.elements(), c.scale);
    const Floats means = normals(c.seed, 1, c.shape[1], 30.0 * c.scale);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += means[i % means.size()];
    return {
        [=](Backend& backend, Stage& stage) { backend(CentreColumns{.x = stage.changed("x", c.shape, x)}); },
        {{"x", reference::centre_columns(widened(x), c.shape[0], c.shape[1])}}};
}

}  // namespace

Floats normals(std::uint64_t seed, std::uint32_t stream, std::int64_t count, double scale) {
    const Philox random(seed, RandomUse::Functions, stream);
    Floats values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(scale * random.normal(i));
    return values;
}

reference::Values widened(const Floats& values) {
    return {values.begin(), values.end()};
}

Floats targets(std::uint64_t seed, std::int64_t n, std::int64_t c) {
    const Philox random(seed, RandomUse::Functions, 100);
    Floats t(static_cast<std::size_t>(n * c), 0.0F);
    for (std::int64_t i = 0; i < n; ++i) {
        const auto any = random.words(static_cast<std::uint64_t>(i))[0] % static_cast<std::uint64_t>(c);
        const bool soft = i % 2 == 1;
        for (std::int64_t j = 0; j < c && soft; ++j) t[i * c + j] = 0.5F / static_cast<float>(c);
        t[i * c + static_cast<std::int64_t>(any)] += soft ? 0.5F : 1.0F;
    }
    return t;
}

Experiment experiment_of(const Case& c) {
    constexpr Experiment (*makers[operation_count])(const Case&) = {copy,
                                                                    dense_forward,
                                                                    dense_backward,
                                                                    mean_squared_error,
                                                                    softmax_cross_entropy,
                                                                    count_correct,
                                                                    adam,
                                                                    gather_rows,
                                                                    gather_augmented_images,
                                                                    random_permutation,
                                                                    scale_columns_by_max_abs,
                                                                    sum_of_squares,
                                                                    add_squared_norms,
                                                                    first_non_finite,
                                                                    conv2d_forward,
                                                                    conv2d_backward,
                                                                    batch_norm_forward_training,
                                                                    batch_norm_forward_inference,
                                                                    batch_norm_backward,
                                                                    average_pool_forward,
                                                                    average_pool_backward,
                                                                    max_pool_forward,
                                                                    max_pool_backward,
                                                                    add,
                                                                    dropout,
                                                                    softmax,
                                                                    centre_columns};
    return makers[static_cast<int>(c.operation)](c);
}

Outcome outcome_of(const Experiment& experiment, Backend& backend, bool misaligned) {
    Stage stage(backend, misaligned);
    experiment.call(backend, stage);
    return stage.finish();
}

Deviation deviation(const std::string& name, const std::vector<double>& found,
                    const reference::Estimate& expected) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (found.size() != expected.value.size())
        return {infinity,
                fmt::format("{} has {} values, expected {}", name, found.size(), expected.value.size())};
    std::size_t worst = 0;
    double largest = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double distance = std::abs(found[i] - expected.value[i]);
        double share = distance == 0.0 ? 0.0 : distance / expected.error[i];
        if (std::isnan(share)) share = infinity;
        if (share > largest) {
            worst = i;
            largest = share;
        }
    }
    if (found.empty()) return {};
    return {largest, fmt::format("{}[{}] is {:.9g}, expected {:.9g} within {:.2g}", name, worst, found[worst],
                                 expected.value[worst], expected.error[worst])};
}

std::vector<Deviation> deviations(const std::vector<Output>& found, const Experiment& experiment) {
    std::vector<Deviation> all;
    all.reserve(experiment.expected.size());
    for (const Experiment::Expected& expected : experiment.expected) {
        const auto same_name = [&](const Output& output) { return output.name == expected.output; };
        const auto at = std::find_if(found.begin(), found.end(), same_name);
        all.push_back(deviation(expected.output, at == found.end() ? std::vector<double>{} : at->values,
                                expected.estimate));
    }
    return all;
}

}  // namespace deepfreq::oracle
