#include "runs/run_folder.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "analysis/spectrum_rows.h"
#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {
namespace {

// The first file of a run: once it exists, the run can be resumed.
constexpr const char* first_file = "config.toml";

std::filesystem::path kept_checkpoint_of(const std::filesystem::path& run, const std::string& network,
                                         std::int64_t epoch) {
    return run / "checkpoints" / network / fmt::format("epoch-{:06}.safetensors", epoch);
}

}  // namespace

OwnedFolder new_run_folder(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error)
        throw InputError("{}: the folder of the run cannot be made: {}", path.string(), error.message());
    OwnedFolder folder(path);
    if (std::filesystem::exists(path / first_file) || std::filesystem::exists(path / "manifest.json"))
        throw InputError(Remedy::ResumeOrOtherFolder, "{}: holds a run already", path.string());
    return folder;
}

OwnedFolder earlier_run_folder(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path / first_file))
        throw InputError("{}: no run to resume: {} is missing", path.string(), first_file);
    return OwnedFolder(path);
}

RunFolder::RunFolder(OwnedFolder folder)
    : owned_(std::move(folder)),
      csv_{std::make_unique<CsvFile>(path() / "metrics.csv", csv_header::metrics),
           std::make_unique<CsvFile>(path() / "lfr.csv", csv_header::lfr),
           std::make_unique<CsvFile>(path() / "rdf.csv", csv_header::rdf),
           std::make_unique<CsvFile>(path() / "peaks.csv", csv_header::peaks),
           std::make_unique<CsvFile>(path() / "gradients.csv", csv_header::gradients)} {}

std::filesystem::path RunFolder::kept_checkpoint(const std::string& network, std::int64_t epoch) const {
    return kept_checkpoint_of(path(), network, epoch);
}

std::vector<std::filesystem::path> find_kept_checkpoints(const std::filesystem::path& run,
                                                         const std::string& network,
                                                         const std::function<bool(std::int64_t)>& wanted) {
    std::vector<std::filesystem::path> kept;
    if (const auto folder = kept_checkpoint_of(run, network, 0).parent_path();
        std::filesystem::exists(folder))
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            long long epoch = 0;
            const std::string name = entry.path().filename().string();
            if (std::sscanf(name.c_str(), "epoch-%lld", &epoch) == 1 &&
                entry.path() == kept_checkpoint_of(run, network, epoch) && wanted(epoch))
                kept.push_back(entry.path());
        }
    if (kept.empty())
        throw InputError(Remedy::KeepCheckpoints,
                         "{}: no kept checkpoints of the epochs asked for and network {}", run.string(),
                         network);
    std::ranges::sort(kept);
    return kept;
}

nlohmann::json RunFolder::settle() {
    nlohmann::json extents;
    for (const auto& csv : csv_) {
        const CsvExtent extent = csv->settle();
        extents[csv->path().filename().string()] = {{"bytes", extent.bytes}, {"crc32", extent.crc32}};
    }
    return extents;
}

void RunFolder::cut_back(const nlohmann::json& extents) {
    std::vector<CsvExtent> found;
    for (const auto& csv : csv_) {
        const std::string name = csv->path().filename().string();
        if (!extents.contains(name))
            throw InputError("{}: the checkpoint beside it knows no such file: it is of an older version",
                             csv->path().string());
        found.push_back({extents.at(name).at("bytes"), extents.at(name).at("crc32")});
        csv->check(found.back());  // all of them before any is truncated
    }
    for (std::size_t i = 0; i < csv_.size(); ++i) csv_[i]->cut_back(found[i]);
}

void RunFolder::clear() {
    for (const auto& csv : csv_) csv->clear();
}

void RunFolder::write(const std::string& name, std::string_view text) const {
    write_whole(path() / name, text);
}

}  // namespace deepfreq
