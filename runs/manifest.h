#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "kernels/backend.h"

namespace deepfreq {

/// What every manifest.json begins with: program, version, git revision of the sources, library versions.
nlohmann::json manifest_of_program(const std::string& program);

/// What it says of the device that trains: its description, and the precision it computes in.
void add_device(nlohmann::json& manifest, const Backend& backend);

/// What manifest.json holds. A text that is not UTF-8 is written as {"percent-encoded": "caf%E9"}.
std::string manifest_text(nlohmann::json manifest);

/// Path of a file of the source tree, as figures.py: where it is installed if the tree is not there, or beside
/// the program that has been carried elsewhere.
std::string source_file(const std::string& relative);

}  // namespace deepfreq
