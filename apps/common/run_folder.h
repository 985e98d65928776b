#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/csv_file.h"

namespace deepfreq {

/// Makes the folder of a new run. Throws InputError when it cannot be written or holds a run already.
void make_run_folder(const std::filesystem::path& path);
/// Throws InputError when the folder holds no run to go on with.
void check_run_folder(const std::filesystem::path& path);

/// What a run of training leaves behind: manifest.json, config.toml, metrics.csv, lfr.csv, rdf.csv,
/// peaks.csv, gradients.csv, checkpoint and figures/.
class RunFolder {
  public:
    /// Of a folder that is there. Throws InputError when files that are not ours are in the way.
    explicit RunFolder(std::filesystem::path path);
    /// After make_run_folder().
    static RunFolder create(const std::filesystem::path& path);
    /// After check_run_folder().
    static RunFolder open(const std::filesystem::path& path);
    /// The first of `stem`-001, `stem`-002 … that does not exist.
    static std::filesystem::path next_free(const std::filesystem::path& stem);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path checkpoint() const { return path_ / "checkpoint"; }
    std::filesystem::path config() const { return path_ / "config.toml"; }
    /// Where a network is kept as it was at one probed epoch.
    std::filesystem::path kept_checkpoint(const std::string& network, std::int64_t epoch) const;
    /// Those of the wanted epochs, in their order. Throws InputError when there are none.
    std::vector<std::filesystem::path> kept_checkpoints(
        const std::string& network, const std::function<bool(std::int64_t)>& wanted) const;

    CsvFile& metrics() { return *csv_[0]; }
    CsvFile& lfr() { return *csv_[1]; }
    CsvFile& rdf() { return *csv_[2]; }
    CsvFile& peaks() { return *csv_[3]; }
    CsvFile& gradients() { return *csv_[4]; }

    /// Sizes of the CSV files, safely on the disk, for the checkpoint; and back to those sizes.
    nlohmann::json settle();
    void cut_back(const nlohmann::json& sizes);
    /// All CSV files back to their headers.
    void clear();

    /// Overwrites a small text file of the run, whole or not at all.
    void write(const std::string& name, std::string_view text) const;

  private:
    std::filesystem::path path_;
    std::array<std::unique_ptr<CsvFile>, 5> csv_;
};

}  // namespace deepfreq
