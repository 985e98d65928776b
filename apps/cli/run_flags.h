#pragma once

#include <string>

#include "kernels/backend.h"
#include "runs/experiment.h"

namespace CLI {
class App;
}

namespace deepfreq {

/// Where a run computes, what it reads and what it writes.
struct RunFlags {
    std::string device = "auto";
    std::string precision = "fp32";
    std::string data;
    std::string out;
    std::string resume;
    std::string probe_run;
    std::string config = {};
    double save_every = 10.0;
    bool keep_checkpoints = false;
    bool quick = false;
    bool no_figures = false;
    bool no_seconds = false;

    void add_to(CLI::App& app);
    RunPlace place() const { return {out, resume, probe_run}; }
    RecordOptions record() const { return {save_every, keep_checkpoints, !no_figures, !no_seconds}; }
    /// Opens the device, and reports which one and why it was chosen.
    OpenedBackend open_device() const;
};

/// Sets options that the command line leaves open to their values in the --config file, then to those of the
/// run given by --resume or --probe-run. Throws InputError when a file is missing or cannot be understood.
void take_options_of_files(CLI::App& app, const RunFlags& run);

/// Sets an option's value unless the user has set it.
void default_to(CLI::App& app, const std::string& option, const std::string& value);

}  // namespace deepfreq
