#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runs/csv_file.h"
#include "runs/owned_folder.h"

namespace deepfreq {

/// The folder of a new run, created unless it exists. Throws InputError when it cannot be written, already
/// holds a run, or another process uses it.
OwnedFolder new_run_folder(const std::filesystem::path& path);
/// The folder of an earlier run. Throws InputError when it holds no run to continue, or another process uses
/// it.
OwnedFolder earlier_run_folder(const std::filesystem::path& path);

/// What a training run leaves behind: manifest.json, config.toml, metrics.csv, lfr.csv, rdf.csv,
/// peaks.csv, gradients.csv, checkpoint and figures/.
class RunFolder {
  public:
    /// Throws InputError if files by these names exist that are not a run's.
    explicit RunFolder(OwnedFolder folder);

    const std::filesystem::path& path() const { return owned_.path(); }
    std::filesystem::path checkpoint() const { return path() / "checkpoint"; }
    /// Where the network of one probed epoch is kept.
    std::filesystem::path kept_checkpoint(const std::string& network, std::int64_t epoch) const;

    CsvFile& metrics() { return *csv_[0]; }
    CsvFile& lfr() { return *csv_[1]; }
    CsvFile& rdf() { return *csv_[2]; }
    CsvFile& peaks() { return *csv_[3]; }
    CsvFile& gradients() { return *csv_[4]; }

    /// The extents of the CSV files, safely on disk, for the checkpoint; and cutting them back to these.
    nlohmann::json settle();
    void cut_back(const nlohmann::json& extents);
    /// Cuts all CSV files back to their headers.
    void clear();

    /// Overwrites a small text file of the run, whole or not at all.
    void write(const std::string& name, std::string_view text) const;

  private:
    OwnedFolder owned_;
    std::array<std::unique_ptr<CsvFile>, 5> csv_;
};

/// The kept checkpoints of a network at the wanted epochs in the folder of a run, sorted. Throws
/// InputError when there are none.
std::vector<std::filesystem::path> find_kept_checkpoints(const std::filesystem::path& run,
                                                         const std::string& network,
                                                         const std::function<bool(std::int64_t)>& wanted);

}  // namespace deepfreq
