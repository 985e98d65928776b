#include "apps/common/run_folder.h"

#include <algorithm>
#include <cstdio>

#include "apps/common/spectrum_rows.h"
#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {
namespace {

// The first file of a run: with it, the run can go on.
constexpr const char* first_file = "config.toml";

}  // namespace

void make_run_folder(const std::filesystem::path& path) {
    if (std::filesystem::exists(path / first_file) || std::filesystem::exists(path / "manifest.json"))
        throw InputError("{}: holds a run already: go on with it by --resume {}, or choose another --out",
                         path.string(), path.string());
    std::error_code error;
    std::filesystem::create_directories(path / "figures", error);
    if (error)
        throw InputError("{}: the folder of the run cannot be made: {}", path.string(), error.message());
}

void check_run_folder(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path / first_file))
        throw InputError("{}: no run to resume: {} is missing", path.string(), first_file);
}

RunFolder::RunFolder(std::filesystem::path path)
    : path_(std::move(path)),
      csv_{std::make_unique<CsvFile>(path_ / "metrics.csv",
                                     "network,epoch,train_loss,train_accuracy,validation_accuracy,seconds"),
           std::make_unique<CsvFile>(path_ / "lfr.csv", lfr_header),
           std::make_unique<CsvFile>(path_ / "rdf.csv", rdf_header),
           std::make_unique<CsvFile>(path_ / "peaks.csv", peaks_header),
           std::make_unique<CsvFile>(path_ / "gradients.csv", "network,epoch,layer,gradient_norm")} {}

RunFolder RunFolder::create(const std::filesystem::path& path) {
    make_run_folder(path);
    return RunFolder(path);
}

RunFolder RunFolder::open(const std::filesystem::path& path) {
    check_run_folder(path);
    return RunFolder(path);
}

std::filesystem::path RunFolder::next_free(const std::filesystem::path& stem) {
    for (int number = 1;; ++number) {
        std::filesystem::path candidate = fmt::format("{}-{:03}", stem.string(), number);
        if (!std::filesystem::exists(candidate)) return candidate;
    }
}

std::filesystem::path RunFolder::kept_checkpoint(const std::string& network, std::int64_t epoch) const {
    return path_ / "checkpoints" / network / fmt::format("epoch-{:06}", epoch);
}

std::vector<std::filesystem::path> RunFolder::kept_checkpoints(
    const std::string& network, const std::function<bool(std::int64_t)>& wanted) const {
    std::vector<std::filesystem::path> kept;
    if (const auto folder = kept_checkpoint(network, 0).parent_path(); std::filesystem::exists(folder))
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            long long epoch = 0;
            const std::string name = entry.path().filename().string();
            if (std::sscanf(name.c_str(), "epoch-%lld", &epoch) == 1 &&
                entry.path() == kept_checkpoint(network, epoch) && wanted(epoch))
                kept.push_back(entry.path());
        }
    if (kept.empty())
        throw InputError(
            "{}: no kept checkpoints of the epochs asked for and network {}; --keep-checkpoints keeps those "
            "probed",
            path_.string(), network);
    std::ranges::sort(kept);
    return kept;
}

nlohmann::json RunFolder::settle() {
    nlohmann::json sizes;
    for (const auto& csv : csv_) sizes[csv->path().filename().string()] = csv->settle();
    return sizes;
}

void RunFolder::cut_back(const nlohmann::json& sizes) {
    for (const auto& csv : csv_) {
        const std::string name = csv->path().filename().string();
        if (!sizes.contains(name))
            throw InputError("{}: the checkpoint beside it knows no such file: it is of an older version",
                             csv->path().string());
        csv->cut_back(sizes.at(name));
    }
}

void RunFolder::clear() {
    for (const auto& csv : csv_) csv->clear();
}

void RunFolder::write(const std::string& name, std::string_view text) const {
    write_whole(path_ / name, text);
}

}  // namespace deepfreq
