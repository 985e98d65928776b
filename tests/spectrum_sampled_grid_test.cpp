#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/sampled_ratio.h"
#include "analysis/spectrum.h"
#include "tests/spectrum_samples.h"

// The automatic grid of many samples: found on some of their rows, held against what all of them show.

namespace deepfreq::tests {
namespace {

constexpr std::int64_t many = 5000;

/// What measure_spectra finds, and how often it asked for the samples.
struct Measured {
    std::vector<Spectrum> spectra;
    int uses = 0;
    std::vector<std::string> warnings;
};

Measured measure(Backend& backend, const Samples& s) {
    const Buffer x = backend.allocate(s.x.size() * sizeof(float));
    const Buffer y = backend.allocate(s.y.size() * sizeof(float));
    backend.upload<float>(s.x, x.view<float>({s.n, s.d}));
    backend.upload<float>(s.y, y.view<float>({s.n, s.c}));
    Measured found;
    const std::vector<SampleSource> sources{
        {"the set", [&] {
             ++found.uses;
             return SampleTensors{x.view<float>({s.n, s.d}), y.view<float>({s.n, s.c})};
         }}};
    found.spectra = measure_spectra(backend, sources, {},
                                    [&](const std::string& text) { found.warnings.push_back(text); });
    return found;
}

/// LFR of every width and the largest, at 0 and where every sample is by itself.
void check_covered(Backend& backend, const Samples& s, const Spectrum& spectrum) {
    const double total = sum_of_squares(s.y);
    const std::vector<double> ends = energy(backend, s, {0.0, 1e30});
    const double floor = ends[0] / total, height = ends[1] / total - floor;
    CHECK(spectrum.lfr.value.front() <= floor + 0.02 * height);
    CHECK(spectrum.lfr.value.back() >= floor + 0.98 * height);
    const std::vector<double> direct =
        energy(backend, s, spectrum.lfr.inv_delta, {.sums = FilterSums::AtWidths});
    double worst = 0.0;
    for (std::size_t k = 0; k < direct.size(); ++k)
        worst = std::max(worst, std::fabs(direct[k] / total - spectrum.lfr.value[k]));
    CHECK(worst <= 1e-5);
    CHECK(std::isfinite(spectrum.peak.inv_delta));
    CHECK(spectrum.peak.rise10 < spectrum.peak.rise50);
    CHECK(spectrum.peak.rise50 < spectrum.peak.rise90);
}

}  // namespace

TEST_CASE("analysis/spectrum: of many samples, some rows show where LFR rises") {
    for_each_backend([](Backend& backend) {
        for (const bool one_hot : {true, false}) {
            const Samples s = clusters(many, 8, one_hot ? 4 : 2, one_hot);
            const Measured found = measure(backend, s);
            REQUIRE(found.spectra.size() == 1);
            CHECK(found.warnings.empty());
            CHECK(found.uses == 2);  // the sample, and all of them
            check_covered(backend, s, found.spectra[0]);
        }
    });
}

TEST_CASE("analysis/spectrum: a sample of rows that misleads is noticed, and all rows are looked at") {
    // The rows of the sample are far from all others; each of the rest has a twin of another class nearby.
    Samples s = clusters(many, 8, 2, true, 0.0);
    const std::vector<std::int64_t> taken = random_rows(many, 1024, 0);
    std::vector<bool> sampled(static_cast<std::size_t>(many), false);
    for (const std::int64_t row : taken) sampled[static_cast<std::size_t>(row)] = true;
    std::int64_t of_class[2] = {-1, -1};
    for (std::int64_t i = 0; i < many; ++i) {
        if (sampled[static_cast<std::size_t>(i)]) continue;
        const int label = s.y[2 * i] == 1.0F ? 0 : 1;
        if (const std::int64_t twin = of_class[1 - label]; twin >= 0) {
            for (std::int64_t k = 0; k < 8; ++k) s.x[8 * i + k] = s.x[8 * twin + k] + (k == 0 ? 1e-3F : 0.0F);
            of_class[1 - label] = -1;
        } else {
            of_class[label] = i;
        }
    }
    for_each_backend([&](Backend& backend) {
        const Measured found = measure(backend, s);
        REQUIRE(found.spectra.size() == 1);
        CHECK(found.uses == 4);  // and again, both
        check_covered(backend, s, found.spectra[0]);
        CHECK(found.spectra[0].lfr.inv_delta.back() > 1e5);
    });
}

TEST_CASE("analysis/spectrum: many samples whose LFR is constant have no spectrum") {
    const Samples s = with_features(clusters(many, 3, 2, true), [](double, auto, auto) { return 0.5; });
    for_each_backend([&](Backend& backend) { CHECK(measure(backend, s).spectra.empty()); });
}

}  // namespace deepfreq::tests
