// Fig. 3: LFR and RDF of functions of one variable, or of features and targets of your own (.npy)
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "analysis/spectrum_rows.h"
#include "apps/cli/device.h"
#include "apps/cli/lists.h"
#include "apps/cli/option_checks.h"
#include "apps/cli/probe_flags.h"
#include "apps/cli/program.h"
#include "common/error.h"
#include "data/functions.h"
#include "runs/drawing.h"
#include "runs/interrupt.h"
#include "runs/manifest.h"
#include "runs/npy_samples.h"
#include "runs/progress.h"
#include "runs/report.h"
#include "runs/result_folder.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "lfr";

struct Flags {
    std::string function = "sin(k*pi*x)";
    std::string k = "1,2,4,6,8";
    std::int64_t samples = 2001;
    std::string domain = "-1,1";
    std::string features, targets;
    FilterFlags filter;
    std::string device = "auto";
    std::string out;
    bool no_figures = false;

    void add_to(CLI::App& app);
};

Grid points(const Flags& flags) {
    const std::vector<double> ends = numbers_between_commas(flags.domain);
    if (ends.size() != 2) throw InputError("'{}' found, two numbers LO,HI expected", flags.domain);
    return {flags.samples, ends[0], ends[1]};
}

void Flags::add_to(CLI::App& app) {
    const char* const of_function = "A function";
    std::vector<CLI::Option*> function_only = {
        app.add_option("--function", function, "a formula in x, k and pi, one curve for each k"),
        app.add_option("--k", k, "values of k, as 1,2,4")->check(parses(distinct_numbers_between_commas)),
        app.add_option("--samples", samples, "so many evenly spaced points")->check(CLI::Range(2, 1'000'000)),
        app.add_option("--domain", domain, "LO,HI: their range")->check(parses([](const std::string& s) {
            Flags given;
            given.domain = s;
            points(given);
        }))};
    const char* const of_network = "Features of your own, in place of a function";
    auto* const x =
        app.add_option("--features", features, "X.npy: floats [n,d]")->check(not_empty())->group(of_network);
    auto* const y = app.add_option("--targets", targets, "Y.npy: floats [n,c], or integer labels [n]")
                        ->check(not_empty())
                        ->needs(x)
                        ->group(of_network);
    x->needs(y);
    for (CLI::Option* option : function_only) option->excludes(x)->group(of_function);
    const char* const measured = "Filter and results";
    filter.add_to(app, measured);
    app.get_option("--scale")->needs(x);
    app.add_option("--device", device, "auto, cpu, cuda or cuda:N")->group(measured);
    app.add_option("--out", out, "a new folder for the results (default: the next free runs/lfr-NNN)")
        ->check(not_empty())
        ->group(measured);
    app.add_flag("--no-figures", no_figures, "write the CSV files only")->group(measured);
}

/// One curve to measure.
struct Curve {
    std::string name;
    std::optional<double> k;
    LoadedFeatures features;
    LoadedTargets targets;
};

/// Everything to be measured, and how it is labelled.
struct Samples {
    std::string network;  ///< value of the column of that name
    std::vector<Curve> curves;
    nlohmann::json facts;
};

/// A column of numbers, which must outlive the source.
RowSource source_of(const std::string& name, const std::vector<double>& column) {
    return {name, std::ssize(column), 1, [&column](std::int64_t first, std::span<double> to) {
                std::copy_n(column.begin() + first, to.size(), to.begin());
            }};
}

Curve function_curve(Backend& backend, const Flags& flags, std::optional<double> k) {
    const RegressionSet set = sample_formula(flags.function, k.value_or(1.0), points(flags));
    const double missed = share_between_points(flags.function, k.value_or(1.0), points(flags));
    if (missed > 0.01)
        warn(
            "warning: {}: {:.2g} % of its variance lies between the points; what is measured is another "
            "function, unless there are more --samples",
            set.name, 100.0 * missed);
    const std::vector<double> x = points_of(points(flags));
    const std::vector<double> y = formula_values(flags.function, k.value_or(1.0), points(flags));
    return {set.name, k, load_features(backend, source_of("x", x), ColumnScaling::None),
            load_targets(backend, source_of(set.name, y))};
}

Samples sample_functions(Backend& backend, const Flags& flags, bool k_given) {
    Samples samples{"function", {}, {{"function", flags.function}, {"samples", flags.samples}}};
    samples.facts["domain"] = flags.domain;
    if (!formula_uses_k(flags.function)) {
        if (k_given) throw InputError("--k is {}, but there is no k in '{}'", flags.k, flags.function);
        samples.curves.push_back(function_curve(backend, flags, std::nullopt));
        return samples;
    }
    samples.facts["k"] = flags.k;
    for (const double k : distinct_numbers_between_commas(flags.k))
        samples.curves.push_back(function_curve(backend, flags, k));
    return samples;
}

Samples load_samples(Backend& backend, const Flags& flags) {
    Curve curve;
    curve.name = std::filesystem::path(flags.features).stem().string();
    curve.features = load_features(backend, std::filesystem::path(flags.features),
                                   parse_column_scaling(flags.filter.scale));
    curve.targets = load_targets(backend, std::filesystem::path(flags.targets));
    const std::int64_t n = curve.features.view.rows(), of_targets = curve.targets.view.rows();
    if (n != of_targets)
        throw InputError("{} has {} rows and {} {}, equally many expected", flags.features, n, flags.targets,
                         of_targets);
    if (!curve.features.warning.empty()) warn("warning: {}", curve.features.warning);
    report("features: {}, columns scaled: {}", curve.features.description, flags.filter.scale);
    report("targets: {}", curve.targets.description);
    Samples samples{"features", {}, {{"features", curve.features.description}}};
    samples.facts["scale"] = flags.filter.scale;
    samples.facts["targets"] = curve.targets.description;
    samples.curves.push_back(std::move(curve));
    return samples;
}

std::vector<Spectrum> measure(Backend& backend, const Samples& samples, const FilterFlags& filter) {
    Progress progress(0, 0.0, 0, 0.0);
    std::vector<LoadedSamples> loaded;
    for (const Curve& curve : samples.curves)
        loaded.push_back(
            {curve.name, [&]() -> const LoadedFeatures& { return curve.features; }, curve.targets});
    SpectrumOptions options;
    options.grid = filter.grid();
    options.filter = filter.params();
    std::vector<std::string> warnings;
    std::vector<Spectrum> spectra = measure_loaded(
        backend, loaded, options, [&](const std::string& line) { warnings.push_back(line); },
        [&](const std::string& name) { progress.note(fmt::format("measuring {}", name)); });
    progress.finish();
    for (const std::string& line : warnings) warn("warning: {}", line);
    return spectra;
}

std::vector<Spectrum> measure_or_leave(Backend& backend, const Samples& samples, const FilterFlags& filter) {
    try {
        return measure(backend, samples, filter);
    } catch (const Interrupted&) {
        throw RunError("interrupted: nothing is written");
    }
}

void write_tables(ResultFolder& folder, const Samples& samples, const std::vector<Spectrum>& spectra) {
    std::string lfr = fmt::format("{}\n", csv_header::lfr), rdf = fmt::format("{}\n", csv_header::rdf);
    std::string peaks = fmt::format("{}\n", csv_header::peaks);
    for (std::size_t i = 0; i < spectra.size(); ++i) {
        // There are no epochs, since nothing was trained.
        const SpectrumRows rows = rows_of(spectra[i], samples.network, samples.curves[i].name, "");
        lfr += fmt::format("{}\n", fmt::join(rows.lfr, "\n"));
        rdf += fmt::format("{}\n", fmt::join(rows.rdf, "\n"));
        peaks += rows.peak + '\n';
    }
    folder.write("lfr.csv", lfr);
    folder.write("rdf.csv", rdf);
    folder.write("peaks.csv", peaks);
}

bool peaks_rise_with_k(const Samples& samples, const std::vector<Spectrum>& spectra) {
    std::vector<std::pair<double, double>> k_and_peak;
    for (std::size_t i = 0; i < spectra.size(); ++i)
        if (const auto& k = samples.curves[i].k) k_and_peak.emplace_back(*k, spectra[i].peak.inv_delta);
    std::ranges::sort(k_and_peak, {}, &std::pair<double, double>::first);
    const auto breaks = [](const auto& a, const auto& b) { return !(a.second < b.second); };
    return k_and_peak.size() > 1 && std::ranges::adjacent_find(k_and_peak, breaks) == k_and_peak.end();
}

void print_table(const Samples& samples, const std::vector<Spectrum>& spectra) {
    const std::vector<double>& inv_deltas = spectra[0].lfr.inv_delta;
    report("grid: {} widths, 1/delta = {:.4g} to {:.4g}", inv_deltas.size(), inv_deltas.front(),
           inv_deltas.back());
    constexpr std::string_view title = "1/delta at";
    std::size_t longest = title.size();
    for (const Curve& curve : samples.curves) longest = std::max(longest, curve.name.size());
    report("{:{}}{:>12}{:>11}{:>11}{:>11} of LFR's rise", title, longest, "RDF's peak", "10 %", "50 %",
           "90 %");
    for (std::size_t i = 0; i < spectra.size(); ++i) {
        const Peak& p = spectra[i].peak;
        report("{:{}}{:>12.4g}{:>11.4g}{:>11.4g}{:>11.4g}", samples.curves[i].name, longest, p.inv_delta,
               p.rise10, p.rise50, p.rise90);
    }
    if (peaks_rise_with_k(samples, spectra)) report("RDF's peak rises with k");
}

void run(CLI::App& app, Flags& flags, const Command& command) {
    const OpenedBackend device = open_backend_telling(flags.device);
    Backend& backend = *device.backend;
    const Samples samples = app.count("--features") > 0
                                ? load_samples(backend, flags)
                                : sample_functions(backend, flags, app.count("--k") > 0);
    catch_interrupts();
    ResultFolder folder = app.count("--out") > 0 ? ResultFolder(flags.out) : ResultFolder::next("runs/lfr");
    const std::vector<Spectrum> spectra = measure_or_leave(backend, samples, flags.filter);
    print_table(samples, spectra);
    write_tables(folder, samples, spectra);
    nlohmann::json manifest = command.manifest();
    manifest["device"] = backend.description();
    manifest["samples"] = samples.facts;
    folder.write("manifest.json", manifest_text(std::move(manifest)));
    folder.keep();
    if (!flags.no_figures) draw_figures_of(folder.path(), "analysis/spectrum_figures.py");
    report("written: {}", folder.path().string());
}

}  // namespace

int main(int argc, char** argv) {
    return run_app<Flags>(
        app_name,
        "Measures the frequency content (LFR, RDF) of functions of one variable, Figure 3 of Xu & "
        "Zhou, AAAI 2021,\n"
        "or of features and targets of any network, saved by numpy.save.",
        argc, argv, run);
}
