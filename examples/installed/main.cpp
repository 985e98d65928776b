// LFR and RDF of your own features, with the installed library.
#include <deepfreq/analysis/spectrum.h>
#include <deepfreq/kernels/backend.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <vector>

using namespace deepfreq;

namespace {

void measure() {
    const OpenedBackend opened = open_backend("auto");
    Backend& backend = *opened.backend;

    // 500 points x in [-1, 1], and sin 4 pi x at these points.
    constexpr std::int64_t n = 500;
    std::vector<float> x, y;
    for (std::int64_t i = 0; i < n; ++i) {
        const double at = -1.0 + 2.0 * static_cast<double>(i) / (n - 1);
        x.push_back(static_cast<float>(at));
        y.push_back(static_cast<float>(std::sin(4.0 * 3.14159265358979 * at)));
    }
    const Buffer features = backend.allocate_zeros({n, 1}), targets = backend.allocate_zeros({n, 1});
    backend.upload(std::span<const float>(x), features.view<float>({n, 1}));
    backend.upload(std::span<const float>(y), targets.view<float>({n, 1}));

    const SampleSource source{.name = "sin 4 pi x", .samples = [&] {
                                  return SampleTensors{.features = features.view<float>({n, 1}),
                                                       .targets = targets.view<float>({n, 1})};
                              }};
    SpectrumOptions options;
    options.logarithmic = true;  // as functions of one variable need it
    const auto warn = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
    for (const Spectrum& spectrum : measure_spectra(backend, {&source, 1}, options, warn))
        std::printf("RDF of %s peaks at 1/delta = %.4g\n", source.name.c_str(), spectrum.peak.inv_delta);
}

}  // namespace

int main() {
    try {
        measure();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
