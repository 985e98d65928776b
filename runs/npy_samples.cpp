#include "runs/npy_samples.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "common/error.h"
#include "data/npy.h"

namespace deepfreq {
namespace {

RowSource source_of(const std::shared_ptr<NpyFile>& file) {
    return {file->name(), file->rows(), file->columns(), [file](std::int64_t first, std::span<double> to) {
                file->seek(first);
                file->read(to);
            }};
}

LoadedTargets load_labels_of(SpectrumBackend& backend, NpyFile& file) {
    if (file.columns() != 1)
        throw InputError("{}: {} found, integer labels [n] or float targets [n, c] expected", file.name(),
                         file.description());
    std::vector<std::int64_t> labels(static_cast<std::size_t>(file.rows()));
    file.read(labels);
    LoadedTargets loaded = load_labels(backend, file.name(), labels);
    loaded.description =
        fmt::format("{}, {}, one-hot in {} classes", file.name(), file.description(), loaded.view.columns());
    return loaded;
}

}  // namespace

LoadedFeatures load_features(SpectrumBackend& backend, const std::filesystem::path& path,
                             ColumnScaling scaling) {
    const auto file = std::make_shared<NpyFile>(path);
    LoadedFeatures loaded = load_features(backend, source_of(file), scaling);
    loaded.description = file->name() + ", " + file->description();
    return loaded;
}

LoadedTargets load_targets(SpectrumBackend& backend, const std::filesystem::path& path) {
    const auto file = std::make_shared<NpyFile>(path);
    if (file->has_integers()) return load_labels_of(backend, *file);
    LoadedTargets loaded = load_targets(backend, source_of(file));
    loaded.description = file->name() + ", " + file->description();
    return loaded;
}

}  // namespace deepfreq
