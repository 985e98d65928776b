#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/spectrum.h"

namespace deepfreq {

inline constexpr std::string_view lfr_header = "network,layer,epoch,inv_delta,lfr";
inline constexpr std::string_view rdf_header = "network,layer,epoch,inv_delta,rdf";
inline constexpr std::string_view peaks_header = "network,layer,epoch,inv_delta,rdf,rise10,rise50,rise90";

/// Lines of lfr.csv, rdf.csv and peaks.csv, below these headers.
struct SpectrumRows {
    std::vector<std::string> lfr, rdf;
    std::string peak;
};

/// The lines of one curve; network, layer and epoch are quoted where CSV needs it.
SpectrumRows rows_of(const Spectrum& spectrum, std::string_view network, std::string_view layer,
                     std::string_view epoch);

/// The text as one cell of a CSV file (RFC 4180).
std::string csv_cell(std::string_view text);

}  // namespace deepfreq
