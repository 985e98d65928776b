#include "tests/spectrum_samples.h"

// What is hard for matrix units: wide features, features of few effective dimensions, distances themselves.

namespace deepfreq::tests {
namespace {

/// How far squared distances are off, in units of themselves, as one weight in two samples shows: the first
/// of three samples is smoothed over the other two, so its value is 1 / (1 + exp((D01 - D02) / (2 delta))).
double distance_error(Kernels& kernels, std::int64_t d, std::uint64_t seed) {
    const Philox random(seed, RandomUse::Functions);
    Samples s{3, d, 1, Floats(static_cast<std::size_t>(3 * d)), {0.0F, 1.0F, 0.0F}};
    double squared[3] = {};  // distances from the first: of the second and the third
    for (std::int64_t k = 0; k < d; ++k) {
        // The third lies across from the second, as far from the first and far from the second.
        const double step = random.normal(static_cast<std::uint64_t>(k));
        s.x[0 * d + k] = static_cast<float>(random.normal(static_cast<std::uint64_t>(d + k)));
        s.x[1 * d + k] = static_cast<float>(s.x[k] + step);
        s.x[2 * d + k] = static_cast<float>(s.x[k] - step);
        for (const int other : {1, 2})
            squared[other] += std::pow(static_cast<double>(s.x[other * d + k]) - s.x[k], 2.0);
    }
    // So large that the weights at four times the distance are nothing beside these.
    const double exponent = 60.0;
    const double half = exponent / squared[1];
    const double value = std::sqrt(energy(kernels, s, {2.0 * half}, true).front());
    const double difference = std::log(1.0 / value - 1.0) / half;
    return std::fabs(difference - (squared[1] - squared[2])) / (squared[1] + squared[2]);
}

}  // namespace

TEST_CASE("kernels/spectrum: a distance errs by at most 2.5e-6 of itself") {
    for (const Backend& backend : backends_present()) {
        double largest = 0.0;
        for (const std::int64_t d : {16, 100, 512, 784, 3072})
            for (std::uint64_t seed = 0; seed < 40; ++seed)
                largest = std::max(largest, distance_error(*backend.kernels, d, seed));
        CHECK(largest <= 2.5e-6);
        MESSAGE(backend.name << ": a distance errs by " << largest << " of itself at most");
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
