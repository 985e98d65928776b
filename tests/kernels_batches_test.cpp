// What holds of batches, graphs, dropout and the columns of features beyond the table of cases.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "tests/backends.h"
#include "tests/checks.h"

namespace deepfreq::tests {
namespace {

TEST_CASE("kernels: advance moves sample, step and update, and leaves the learning rate") {
    for_each_backend([](Backend& backend) {
        Buffer memory = backend.allocate(sizeof(StepState));
        StepState state{.sample = 256, .step = 1, .update = 118, .learning_rate = 0.5F};
        backend.upload(std::span<const StepState>(&state, 1), memory.view<StepState>({1}));
        backend(Advance{.state = memory.view<StepState>({1}), .samples = 48});
        backend(Advance{.state = memory.view<StepState>({1}), .samples = 1});
        backend.download(memory.view<const StepState>({1}), std::span<StepState>(&state, 1));
        CHECK(state.sample == 305);
        CHECK(state.step == 3);
        CHECK(state.update == 120);
        CHECK(state.learning_rate == 0.5F);
        CHECK(state.unused == 0.0F);
    });
}

TEST_CASE("kernels: a graph runs nothing when it is made, and everything at each replay") {
    for_each_backend([](Backend& backend) {
        Buffer memory = backend.allocate(sizeof(StepState));
        const auto view = memory.view<StepState>({1});
        StepState state{};
        backend.upload(std::span<const StepState>(&state, 1), view);
        const auto work = [&] {
            backend(Advance{.state = view, .samples = 10});
            backend(Advance{.state = view, .samples = 3});
        };
        work();
        const auto graph = backend.capture(work);
        const auto samples = [&] {
            backend.download(view, std::span<StepState>(&state, 1));
            return state.sample;
        };
        CHECK(samples() == 13);
        graph->replay();
        CHECK(samples() == 26);
        graph->replay();
        graph->replay();
        CHECK(samples() == 52);
        CHECK_THROWS_AS(backend.capture({}), InputError);
    });
}

TEST_CASE("kernels: random_permutation is one, and another for every epoch and seed") {
    constexpr std::int64_t n = 1000;
    const auto order = [](Backend& backend, std::uint64_t seed, std::uint32_t epoch) {
        return values_of(backend, [=](Backend& k, Stage& stage) {
            k(RandomPermutation{.permutation = stage.overwritten<std::int32_t>("permutation", {n}),
                                .seed = seed,
                                .epoch = epoch});
        })["permutation"];
    };
    for_each_backend([&](Backend& backend) {
        std::vector<std::vector<double>> orders;
        for (const std::uint64_t seed :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, ~std::uint64_t{0}})
            for (const std::uint32_t epoch : {0U, 1U, ~0U}) orders.push_back(order(backend, seed, epoch));
        std::vector<double> sorted(n);
        std::iota(sorted.begin(), sorted.end(), 0.0);
        for (auto permutation : orders) {
            std::sort(permutation.begin(), permutation.end());
            CHECK(permutation == sorted);
        }
        std::sort(orders.begin(), orders.end());
        CHECK(std::adjacent_find(orders.begin(), orders.end()) == orders.end());
    });
}

TEST_CASE("kernels: gather_rows takes rows of any rank, and a row more than once") {
    for_each_backend([](Backend& backend) {
        auto values = values_of(backend, [](Backend& k, Stage& stage) {
            const ConstTensor source =
                stage.input<float>({3, 2, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
            const auto rows = stage.input<std::int32_t>({3}, {1, 2, 2});
            const auto state = stage.input<StepState>({1}, {StepState{.sample = 1}});
            k(GatherRows{.source = source,
                         .permutation = rows,
                         .state = state,
                         .batch = stage.overwritten("batch", {2, 2, 1, 2})});
        });
        CHECK(values["batch"] == std::vector<double>{8, 9, 10, 11, 8, 9, 10, 11});
    });
}

TEST_CASE("kernels: dropout drops its share, anew at every update and in every stream") {
    constexpr std::int64_t n = 100'000;
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        const auto mask = [&](double rate, std::uint32_t stream, std::int64_t update) {
            const auto outputs =
                outputs_of({[&](Backend& k, Stage& stage) {
                                const auto state = stage.input<StepState>({1}, {StepState{.update = update}});
                                k(ApplyDropout{.x = stage.input<float>({n}, Floats(n, 1.0F)),
                                               .params = {.rate = rate, .seed = 1, .stream = stream},
                                               .state = state,
                                               .y = stage.overwritten("y", {n})});
                            },
                            {}},
                           *tested.backend);
            return outputs.front().values;
        };
        for (const double rate : {0.1, 0.5, 0.9}) {
            const auto y = mask(rate, 0, 0);
            const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0));
            // Four standard deviations of a binomial distribution.
            CHECK(std::abs(dropped - rate * n) < 4.0 * std::sqrt(n * rate * (1.0 - rate)));
            CHECK(*std::max_element(y.begin(), y.end()) == doctest::Approx(1.0 / (1.0 - rate)).epsilon(1e-4));
        }
        const auto share_alike = [](const std::vector<double>& a, const std::vector<double>& b) {
            double alike = 0.0;
            for (std::size_t i = 0; i < a.size(); ++i) alike += a[i] == b[i] ? 1.0 / n : 0.0;
            return alike;
        };
        const auto y = mask(0.5, 0, 0);
        CHECK(y == mask(0.5, 0, 0));
        CHECK(share_alike(y, mask(0.5, 1, 0)) == doctest::Approx(0.5).epsilon(0.02));
        CHECK(share_alike(y, mask(0.5, 0, 1)) == doctest::Approx(0.5).epsilon(0.02));
    }
}

TEST_CASE("kernels: centre_columns makes constant columns exactly 0") {
    for (const TestedBackend& tested : backends_present()) {
        const auto outputs =
            outputs_of({[](Backend& k, Stage& stage) {
                            k(CentreColumns{.x = stage.changed<float>("x", {3, 2},
                                                                      {0.1F, 1.0F, 0.1F, 2.0F, 0.1F, 6.0F})});
                        },
                        {}},
                       *tested.backend);
        CHECK(outputs.front().values == std::vector<double>{0.0, -2.0, 0.0, -1.0, 0.0, 3.0});
    }
}

TEST_CASE("kernels: scale_columns_by_max_abs keeps zero columns and stays within [-1, 1]") {
    // Columns: zeros, the largest magnitude negative, a NaN, nearly the largest float, below the smallest
    // normal.
    const Floats x = {0, 1, 1, 3e38F, 1e-39F, 0, -4, nan, -1e38F, -1e-39F, 0, 2, -2, 0, 0};
    for_each_backend([&](Backend& backend) {
        const auto y = values_of(backend, [&](Backend& k, Stage& stage) {
            k(ScaleColumnsByMaxAbs{.x = stage.changed("x", {3, 5}, x)});
        })["x"];
        for (const int row : {0, 1, 2}) CHECK(y[row * 5] == 0.0);
        CHECK(y[1] == 0.25);
        CHECK(y[6] == -1.0);
        CHECK(y[11] == 0.5);
        CHECK(std::isnan(y[7]));
        CHECK(y[3] == 1.0);
        CHECK(y[8] == doctest::Approx(-1.0 / 3.0).epsilon(1e-6));
        for (const int row : {0, 1, 2})
            CHECK(std::abs(y[row * 5 + 4]) <= 1.0);  // or flushed to 0, but not NaN
    });
    const Experiment large = experiment_of(
        {.operation = Operation::ScaleColumnsByMaxAbs, .shape = {2000, 17}, .scale = 37.0F, .seed = 5});
    for_each_backend([&](Backend& backend) {
        const auto y = outputs_of(large, backend)[0].values;
        CHECK(std::all_of(y.begin(), y.end(), [](double value) { return std::abs(value) <= 1.0; }));
        CHECK(std::count_if(y.begin(), y.end(), [](double value) { return std::abs(value) == 1.0; }) == 17);
    });
}

}  // namespace
}  // namespace deepfreq::tests
