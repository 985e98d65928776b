#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runs/csv_file.h"
#include "runs/owned_folder.h"

namespace deepfreq {

/// The folder of a new run: made unless it is there. Throws InputError when it cannot be written, holds a run
/// already, or another process works on it.
OwnedFolder new_run_folder(const std::filesystem::path& path);
/// That of an earlier run. Throws InputError when the folder holds no run to go on with, or another process
/// works on it.
OwnedFolder earlier_run_folder(const std::filesystem::path& path);

/// What a run of training leaves behind: manifest.json, config.toml, metrics.csv, lfr.csv, rdf.csv,
/// peaks.csv, gradients.csv, checkpoint and figures/.
class RunFolder {
  public:
    /// Throws InputError when files that are not ours are in the way.
    explicit RunFolder(OwnedFolder folder);

    const std::filesystem::path& path() const { return owned_.path(); }
    std::filesystem::path checkpoint() const { return path() / "checkpoint"; }
    /// Where a network is kept as it was at one probed epoch.
    std::filesystem::path kept_checkpoint(const std::string& network, std::int64_t epoch) const;

    CsvFile& metrics() { return *csv_[0]; }
    CsvFile& lfr() { return *csv_[1]; }
    CsvFile& rdf() { return *csv_[2]; }
    CsvFile& peaks() { return *csv_[3]; }
    CsvFile& gradients() { return *csv_[4]; }

    /// How far the CSV files are, safely on the disk, for the checkpoint; and back to there.
    nlohmann::json settle();
    void cut_back(const nlohmann::json& extents);
    /// All CSV files back to their headers.
    void clear();

    /// Overwrites a small text file of the run, whole or not at all.
    void write(const std::string& name, std::string_view text) const;

  private:
    OwnedFolder owned_;
    std::array<std::unique_ptr<CsvFile>, 5> csv_;
};

/// The kept checkpoints of a network and of the wanted epochs in the folder of a run, in their order. Throws
/// InputError when there are none.
std::vector<std::filesystem::path> find_kept_checkpoints(const std::filesystem::path& run,
                                                         const std::string& network,
                                                         const std::function<bool(std::int64_t)>& wanted);

}  // namespace deepfreq
