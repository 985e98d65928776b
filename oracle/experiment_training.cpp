#include "oracle/experiment_training.h"

#include <algorithm>
#include <cmath>

#include "common/philox.h"

namespace deepfreq::oracle {
namespace {

StepState state_at(std::int64_t position) {
    return {.sample = position, .step = position, .update = position, .learning_rate = 1e-3F};
}

/// MeanSquaredError or SoftmaxCrossEntropy, called twice, the second time without the gradient: its loss is
/// added to sums[step] twice.
template <class Loss>
Experiment loss(const Case& c, const Floats& p, const Floats& t, const reference::Loss& expected) {
    const std::vector<double> before(c.position + 2, 0.25);
    std::vector<double> sums = before;
    std::vector<double> errors(before.size(), 0.0);
    sums[c.position] += 2.0 * expected.sum.value[0];
    errors[c.position] = 2.0 * expected.sum.error[0] + 1e-15 * std::abs(sums[c.position]);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor prediction = stage.input(c.shape, p);
                const ConstTensor target = stage.input(c.shape, t);
                const auto state = stage.input<StepState>({1}, {state_at(c.position)});
                const auto sum = stage.changed("sums", {c.position + 2}, before);
                backend(Loss{prediction, target, stage.overwritten("gradient", c.shape), sum, state});
                backend(Loss{prediction, target, {}, sum, state});
            },
            {{"sums", {sums, errors}}, {"gradient", expected.gradient}}};
}

DropoutParams dropout_params(const Case& c) {
    return {.rate = c.scale, .seed = c.seed << 32 | 5, .stream = 3};
}

}  // namespace

Experiment mean_squared_error(const Case& c) {
    const Floats p = normals(c.seed, 0, c.shape.elements(), c.scale);
    const Floats t = targets(c.seed, c.shape[0], c.shape[1]);
    return loss<MeanSquaredError>(
        c, p, t, reference::mean_squared_error(widened(p), widened(t), c.shape[0], c.shape[1]));
}

Experiment softmax_cross_entropy(const Case& c) {
    const Floats z = normals(c.seed, 0, c.shape.elements(), c.scale);
    const Floats t = targets(c.seed, c.shape[0], c.shape[1]);
    return loss<SoftmaxCrossEntropy>(
        c, z, t, reference::softmax_cross_entropy(widened(z), widened(t), c.shape[0], c.shape[1]));
}

/// Rounded to few distinct values, so that many rows have two largest elements.
Experiment count_correct(const Case& c) {
    Floats p = normals(c.seed, 0, c.shape.elements());
    for (float& value : p) value = std::round(2.0F * value) * c.scale;
    const Philox random(c.seed, RandomUse::Functions, 1);
    std::vector<std::int32_t> labels;
    for (std::int64_t i = 0; i < c.shape[0]; ++i) {
        // Half of the labels are those of the largest elements, otherwise almost none would be correct.
        const auto row = p.begin() + i * c.shape[1];
        const auto word = random.words(static_cast<std::uint64_t>(i));
        const auto largest = std::max_element(row, row + c.shape[1]) - row;
        const auto any = static_cast<std::int64_t>(word[0] % static_cast<std::uint64_t>(c.shape[1]));
        labels.push_back(static_cast<std::int32_t>(word[1] % 2 == 0 ? largest : any));
    }
    const auto correct = 1000 + reference::count_correct(widened(p), labels, c.shape[1]);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor prediction = stage.input(c.shape, p);
                const auto label = stage.input({c.shape[0]}, labels);
                backend(CountCorrect{.p = prediction,
                                     .labels = label,
                                     .correct = stage.changed<std::int64_t>("correct", {1}, {1000})});
            },
            {{"correct", reference::exactly({static_cast<double>(correct)})}}};
}

Experiment adam(const Case& c) {
    const std::int64_t size = c.shape[0];
    const Floats w = normals(c.seed, 0, size, 0.1);
    Floats dw = normals(c.seed, 1, size, c.scale);
    Floats m = normals(c.seed, 2, size, c.position == 0 ? 0.0 : c.scale);
    Floats v = normals(c.seed, 3, size, c.position == 0 ? 0.0 : c.scale);
    for (float& value : v) value *= value;
    // A parameter that never had a gradient: 0 / (0 + epsilon).
    dw[0] = m[0] = v[0] = 0.0F;
    const StepState state = state_at(c.position);
    const AdamParams params;
    const auto r = reference::adam(widened(w), widened(dw), widened(m), widened(v), params, state);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor gradient = stage.input(c.shape, dw);
                const auto at = stage.input<StepState>({1}, {state});
                const Tensor weights = stage.changed("w", c.shape, w);
                const Tensor first = stage.changed("m", c.shape, m);
                const Tensor second = stage.changed("v", c.shape, v);
                backend(Adam{
                    .w = weights, .dw = gradient, .m = first, .v = second, .params = params, .state = at});
            },
            {{"w", r.w}, {"m", r.m}, {"v", r.v}}};
}

Experiment gather_rows(const Case& c) {
    const std::int64_t rows = c.shape[0];
    const std::int64_t columns = c.shape[1];
    const std::int64_t batch = c.shape[2];
    const Floats source = normals(c.seed, 0, rows * columns);
    const auto order = reference::random_permutation(rows, c.seed, 0);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor from = stage.input({rows, columns}, source);
                const auto permutation = stage.input({rows}, order);
                const auto state = stage.input<StepState>({1}, {state_at(c.position)});
                backend(GatherRows{.source = from,
                                   .permutation = permutation,
                                   .state = state,
                                   .batch = stage.overwritten("batch", {batch, columns})});
            },
            {{"batch", reference::exactly(
                           reference::gather_rows(widened(source), columns, order, c.position, batch))}}};
}

Experiment gather_augmented_images(const Case& c) {
    const std::int64_t rows = c.shape[0];
    const Shape image{c.shape[1], c.shape[2], c.shape[3]};
    const Shape batch{rows - c.position, image[0], image[1], image[2]};
    const AugmentParams params{
        .flip = c.activation == Activation::Identity, .crop = c.filters.params.padding, .seed = c.seed};
    const Floats source = normals(c.seed, 0, c.shape.elements());
    const auto order = reference::random_permutation(rows, c.seed, 0);
    const StepState state = state_at(c.position);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor from = stage.input(c.shape, source);
                const auto permutation = stage.input({rows}, order);
                const auto at = stage.input<StepState>({1}, {state});
                backend(GatherAugmentedImages{.source = from,
                                              .permutation = permutation,
                                              .state = at,
                                              .params = params,
                                              .batch = stage.overwritten("batch", batch)});
            },
            {{"batch", reference::exactly(reference::gather_augmented_images(widened(source), image, order,
                                                                             state, batch[0], params))}}};
}

Experiment random_permutation(const Case& c) {
    const std::uint64_t seed = c.seed << 32 | 7;  // both halves of the seed matter
    const auto order = reference::random_permutation(c.shape[0], seed, 3);
    return {
        [=](Backend& backend, Stage& stage) {
            backend(RandomPermutation{.permutation = stage.overwritten<std::int32_t>("permutation", c.shape),
                                      .seed = seed,
                                      .epoch = 3});
        },
        {{"permutation", reference::exactly({order.begin(), order.end()})}}};
}

/// Out of place, then in place.
Experiment dropout(const Case& c) {
    const Floats x = normals(c.seed, 0, c.shape.elements());
    const auto expected = reference::dropout(widened(x), dropout_params(c), c.position);
    return {
        [=](Backend& backend, Stage& stage) {
            const ConstTensor from = stage.input(c.shape, x);
            const auto state = stage.input<StepState>({1}, {state_at(c.position)});
            backend(ApplyDropout{.x = from,
                                 .params = dropout_params(c),
                                 .state = state,
                                 .y = stage.overwritten("y", c.shape)});
            const Tensor in_place = stage.changed("in place", c.shape, x);
            backend(ApplyDropout{.x = in_place, .params = dropout_params(c), .state = state, .y = in_place});
        },
        {{"y", expected}, {"in place", expected}}};
}

/// Out of place, then in place.
Experiment softmax(const Case& c) {
    const Floats z = normals(c.seed, 0, c.shape.elements(), c.scale);
    const auto expected = reference::softmax(widened(z), c.shape[0], c.shape[1]);
    return {[=](Backend& backend, Stage& stage) {
                backend(Softmax{.z = stage.input(c.shape, z), .p = stage.overwritten("p", c.shape)});
                const Tensor in_place = stage.changed("in place", c.shape, z);
                backend(Softmax{.z = in_place, .p = in_place});
            },
            {{"p", expected}, {"in place", expected}}};
}

}  // namespace deepfreq::oracle
