#include "analysis/spectrum_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace deepfreq {
namespace {

// Nine digits, as float32 needs; full double precision for a curve that varies little.
std::vector<std::string> lines_of(const FrequencyCurve& curve, const std::string& name) {
    const auto [least, most] = std::ranges::minmax(curve.value);
    const int digits = most - least < 1e-3 * std::fabs(most) ? 17 : 9;
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < curve.value.size(); ++i)
        lines.push_back(fmt::format("{},{:.9g},{:.{}g}", name, curve.inv_delta[i], curve.value[i], digits));
    return lines;
}

}  // namespace

std::string csv_cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string quoted = "\"";
    for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
    return quoted + '"';
}

SpectrumRows rows_of(const Spectrum& spectrum, std::string_view network, std::string_view layer,
                     std::string_view epoch) {
    const std::string name = fmt::format("{},{},{}", csv_cell(network), csv_cell(layer), csv_cell(epoch));
    const Peak& p = spectrum.peak;
    return {lines_of(spectrum.lfr, name), lines_of(spectrum.rdf, name),
            fmt::format("{},{:.9g},{:.9g},{:.9g},{:.9g},{:.9g}", name, p.inv_delta, p.rdf, p.rise10, p.rise50,
                        p.rise90)};
}

}  // namespace deepfreq
