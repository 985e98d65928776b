#include "apps/fit_functions/epochs_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "analysis/csv_columns.h"
#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {
namespace {

std::string epochs_row(const FitKey& key, const FitResult& result) {
    return fmt::format("{},{},{},{},{:d},{:.9g}", key.panel, key.setting, key.seed, result.epochs,
                       result.converged, result.error);
}

std::string summary_row(const SettingSummary& s) {
    return fmt::format("{},{},{},{},{:.9g},{:.9g},{}", s.panel, s.setting, s.runs, s.converged, s.mean,
                       s.deviation, s.given_up);
}

}  // namespace

std::string SettingSummary::text() const {
    const std::string what = panel == 'a' ? fmt::format("{} hidden layer{}", setting, setting == 1 ? "" : "s")
                                          : fmt::format("cos({} x)", setting);
    std::string found = converged == 0 ? "not reached" : fmt::format("{:.0f}", mean);
    if (converged > 1) found += fmt::format(" ± {:.0f}", deviation);
    if (converged > 0) found += " epochs";
    if (converged < runs)
        found += fmt::format(" ({} of {} runs got there{}{})", converged, runs,
                             runs - converged > diverged ? fmt::format(" in {} epochs", given_up) : "",
                             diverged > 0 ? fmt::format(", {} diverged", diverged) : "");
    return fmt::format("({}) {}: {}", panel, what, found);
}

SettingSummary summarize(const EpochsTable& table, const FitKey& key) {
    SettingSummary summary{key.panel, key.setting};
    double sum = 0.0, squares = 0.0;
    const auto of_setting = [&](const auto& add) {
        for (auto at = table.lower_bound({key.panel, key.setting, 0});
             at != table.end() && at->first.panel == key.panel && at->first.setting == key.setting; ++at)
            add(at->second);
    };
    of_setting([&](const FitResult& result) {
        ++summary.runs;
        if (result.converged) {
            ++summary.converged;
            sum += static_cast<double>(result.epochs);
        } else {
            summary.given_up = std::max(summary.given_up, result.epochs);
            if (std::isnan(result.error)) ++summary.diverged;
        }
    });
    const auto count = static_cast<double>(summary.converged);
    summary.mean = summary.converged > 0 ? sum / count : std::nan("");
    of_setting([&](const FitResult& result) {
        if (result.converged) squares += std::pow(static_cast<double>(result.epochs) - summary.mean, 2);
    });
    summary.deviation = summary.converged > 1 ? std::sqrt(squares / (count - 1.0)) : std::nan("");
    return summary;
}

void write_tables(const EpochsTable& table, const std::filesystem::path& folder) {
    std::string epochs = std::string(csv_header::epochs) + '\n',
                summary = std::string(csv_header::summary) + '\n';
    const FitKey* before = nullptr;
    for (const auto& [key, result] : table) {
        epochs += epochs_row(key, result) + '\n';
        if (before == nullptr || before->panel != key.panel || before->setting != key.setting)
            summary += summary_row(summarize(table, key)) + '\n';
        before = &key;
    }
    write_whole(folder / "epochs.csv", epochs);
    write_whole(folder / "summary.csv", summary);
}

EpochsTable read_epochs(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "epochs.csv";
    EpochsTable table;
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return table;
    if (line != csv_header::epochs)
        throw InputError("{}: the header is '{}', expected '{}'", path.string(), line, csv_header::epochs);
    while (std::getline(file, line)) {
        FitKey key;
        FitResult result;
        int converged = 0;
        long long epochs = 0;
        unsigned long long seed = 0;
        const int read = std::sscanf(line.c_str(), "%c,%lf,%llu,%lld,%d,%lf", &key.panel, &key.setting, &seed,
                                     &epochs, &converged, &result.error);
        key.seed = seed;
        result.epochs = epochs;
        result.converged = converged != 0;
        // The line must be identical when written again: this rejects any line that we did not write.
        if (read != 6 || epochs_row(key, result) != line)
            throw InputError("{}: line '{}' found, expected one as '{}'", path.string(), line,
                             epochs_row({}, {}));
        table[key] = result;
    }
    return table;
}

}  // namespace deepfreq
