#include "apps/cli/run_flags.h"

#include <CLI/App.hpp>

#include "apps/cli/config_file.h"
#include "apps/cli/device.h"
#include "apps/cli/option_checks.h"
#include "common/error.h"

namespace deepfreq {

void RunFlags::add_to(CLI::App& app) {
    const char* const group = "Run";
    app.add_option("--device", device, "auto, cpu, cuda or cuda:N")->group(group);
    app.add_option("--precision", precision,
                   "of matrix products and convolutions: fp32; faster, weights stay float32: bf16 (slower on "
                   "a CPU that has no bf16), on a GPU only: tf32; auto: tf32 where the device has it")
        ->check(parses(parse_precision))
        ->group(group);
    app.add_option("--data", data,
                   "folder with the data, or synthetic; else $DEEPFREQ_DATA, the cache, a download")
        ->group(group);
    auto* const new_folder =
        app.add_option("--out", out, "folder of the run (default: the next free runs/APP-NNN)")
            ->check(not_empty())
            ->configurable(false)
            ->group(group);
    auto* const resumed =
        app.add_option("--resume", resume, "go on with the run in this folder, with its options")
            ->check(not_empty())
            ->configurable(false)
            ->excludes(new_folder)
            ->group(group);
    app.add_option("--probe-run", probe_run,
                   "train nothing: measure the kept checkpoints of this run again, with other probe options")
        ->check(not_empty())
        ->configurable(false)
        ->excludes(resumed)
        ->group(group);
    app.add_option("--save-every", save_every, "seconds between checkpoints; 0: after every epoch")
        ->check(finite_from_zero())
        ->group(group);
    app.add_flag("--keep-checkpoints", keep_checkpoints, "keep the network of every probed epoch")
        ->group(group);
    app.add_flag("--quick", quick, "a small setting that shows every part; not the paper's scale")
        ->group(group);
    app.add_flag("--no-figures", no_figures, "write the CSV files only")->group(group);
    app.add_flag("--no-seconds", no_seconds,
                 "leave the seconds column empty, so that two runs can be compared byte for byte")
        ->group(group);
    app.add_option("--config", config,
                   "read options from this TOML file; a run leaves one behind, config.toml")
        ->check(not_empty())
        ->configurable(false)
        ->group(group);
}

OpenedBackend RunFlags::open_device() const {
    return open_backend_telling(device, parse_precision(precision));
}

void take_options_of_files(CLI::App& app, const RunFlags& run) {
    if (!run.config.empty()) take_options_of_file(app, run.config);
    const std::filesystem::path folder = run.resume.empty() ? run.probe_run : run.resume;
    if (folder.empty()) return;
    const std::filesystem::path config = folder / "config.toml";
    if (!std::filesystem::exists(config))
        throw InputError("{}: no run to go on with: config.toml is missing", folder.string());
    take_options_of_file(app, config);
}

void default_to(CLI::App& app, const std::string& option, const std::string& value) {
    CLI::Option* const target = app.get_option(option);
    if (target->count() > 0) return;
    const bool is_flag = target->get_expected_min() == 0;
    target->add_result(is_flag ? target->get_flag_value(option.substr(2), value) : value);
    target->run_callback();
}

}  // namespace deepfreq
