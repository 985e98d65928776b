#include "tests/spectrum_samples.h"

// What is hard for matrix units: wide features, features of few effective dimensions, distances themselves.

namespace deepfreq::tests {
namespace {

/// How far a squared distance is off, in units of itself, as the weight between two samples shows. Of the
/// targets 1 and 0 the filter leaves 1 / (1 + w) and w / (1 + w), whose energy tells w = exp(-distance half).
double distance_error(Backend& backend, std::int64_t d, std::uint64_t seed) {
    const Philox random(seed, RandomUse::Functions);
    Samples s{2, d, 1, Floats(static_cast<std::size_t>(2 * d)), {1.0F, 0.0F}};
    for (std::size_t i = 0; i < s.x.size(); ++i) s.x[i] = static_cast<float>(random.normal(i));
    double distance = 0.0;
    for (std::int64_t k = 0; k < d; ++k) distance += std::pow(static_cast<double>(s.x[k]) - s.x[d + k], 2.0);
    const double half =
        1.6 / distance;  // where an error of the distance shows most beside those of the weight
    const double e = energy(backend, s, {2.0 * half}).front();
    const double weight = (e - std::sqrt(2.0 * e - 1.0)) / (1.0 - e);
    return std::fabs(-std::log(weight) / half - distance) / distance;
}

}  // namespace

TEST_CASE("kernels/spectrum: a distance errs by at most 2.5e-6 of itself") {
    for (const TestedBackend& tested : backends_present()) {
        double largest = 0.0;
        for (const std::int64_t d : {16, 100, 512, 784, 3072})
            for (std::uint64_t seed = 0; seed < 40; ++seed)
                largest = std::max(largest, distance_error(*tested.backend, d, seed));
        CHECK(largest <= 2.5e-6);
        MESSAGE(tested.name << ": a distance errs by " << largest << " of itself at most");
    }
}

TEST_CASE("kernels/spectrum: columns by the thousand that differ alike lose no digits") {
    for (const std::int64_t d : {784, 3072})
        for (const bool two_values : {true, false}) {
            const Samples s = with_features(clusters(150, d, 3, true), [&](double, std::int64_t i, auto) {
                const auto row = static_cast<double>(i);
                return 0.1 * (two_values ? std::fmod(row, 2.0) : std::sqrt(row));
            });
            check_on_all_grids("alike", s);
        }
}

TEST_CASE("kernels/spectrum: features of few effective dimensions") {
    for (const std::int64_t dimension : {5, 10, 15, 20}) {
        const Samples s = spread(clusters(300, dimension, 5, true), 512);
        check_against_reference("few dimensions", s, even_grid(s, 0.0, 40.0, 35));
        check_against_reference("few dimensions", s, log_grid(s, 1e-2, 1e6, 17), true);
    }
}

}  // namespace deepfreq::tests
