#include "apps/common/npy_samples.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "common/error.h"
#include "data/npy.h"

namespace deepfreq {
namespace {

constexpr std::int64_t chunk = 1 << 22;  // numbers on their way at once: 16 MiB

/// A tensor of these rows; `fill(first, rows)` writes those from `first` on, from the first to the last.
template <class Fill>
LoadedTensor load(Kernels& kernels, std::int64_t n, std::int64_t columns, std::string description,
                  Fill fill) {
    LoadedTensor loaded;
    loaded.memory = kernels.allocate(static_cast<std::size_t>(n * columns) * sizeof(float));
    loaded.view = loaded.memory.view<float>({n, columns});
    loaded.description = std::move(description);
    const std::int64_t rows_at_once = std::clamp<std::int64_t>(chunk / columns, 1, n);
    std::vector<float> rows(static_cast<std::size_t>(rows_at_once * columns));
    for (std::int64_t first = 0; first < n; first += rows_at_once) {
        const std::int64_t count = std::min(rows_at_once, n - first);
        const std::span<float> now(rows.data(), static_cast<std::size_t>(count * columns));
        fill(first, now);
        kernels.upload(std::span<const float>(now), loaded.view.slice(first, count));
    }
    return loaded;
}

LoadedTensor load_floats(Kernels& kernels, NpyFile& file) {
    return load(kernels, file.rows(), file.columns(), file.name() + ", " + file.description(),
                [&](std::int64_t /*first*/, std::span<float> rows) { file.read(rows); });
}

LoadedTensor load_labels(Kernels& kernels, NpyFile& file) {
    if (file.columns() != 1)
        throw InputError("{}: {} found, integer labels [n] or float targets [n, c] expected", file.name(),
                         file.description());
    std::vector<std::int64_t> labels(static_cast<std::size_t>(file.rows()));
    file.read(labels);
    if (const auto least = std::ranges::min_element(labels); *least < 0)
        throw InputError("{}: label {} found at row {}, labels of at least 0 expected", file.name(), *least,
                         least - labels.begin());
    std::vector<std::int64_t> classes = labels;
    std::ranges::sort(classes);
    classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
    const std::size_t c = classes.size();
    return load(kernels, file.rows(), static_cast<std::int64_t>(c),
                fmt::format("{}, {}, one-hot in {} classes", file.name(), file.description(), c),
                [&](std::int64_t first, std::span<float> rows) {
                    std::ranges::fill(rows, 0.0F);
                    for (std::size_t i = 0; i < rows.size() / c; ++i) {
                        const std::int64_t label = labels[static_cast<std::size_t>(first) + i];
                        const auto column = std::ranges::lower_bound(classes, label) - classes.begin();
                        rows[i * c + static_cast<std::size_t>(column)] = 1.0F;
                    }
                });
}

}  // namespace

LoadedTensor load_features(Kernels& kernels, const std::filesystem::path& path) {
    NpyFile file(path);
    return load_floats(kernels, file);
}

LoadedTensor load_targets(Kernels& kernels, const std::filesystem::path& path) {
    NpyFile file(path);
    return file.has_integers() ? load_labels(kernels, file) : load_floats(kernels, file);
}

}  // namespace deepfreq
