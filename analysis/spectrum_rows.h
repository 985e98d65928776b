#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/csv_columns.h"
#include "analysis/spectrum.h"

namespace deepfreq {

/// Lines of lfr.csv, rdf.csv and peaks.csv, below their headers (csv_columns.h).
struct SpectrumRows {
    std::vector<std::string> lfr, rdf;
    std::string peak;
};

/// The lines of one curve; network, layer and epoch are quoted where CSV requires it.
SpectrumRows rows_of(const Spectrum& spectrum, std::string_view network, std::string_view layer,
                     std::string_view epoch);

/// The text as one cell of a CSV file (RFC 4180).
std::string csv_cell(std::string_view text);

}  // namespace deepfreq
