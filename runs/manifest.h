#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kernels/backend.h"

namespace deepfreq {

/// What every manifest.json begins with: program, version, git revision of the sources, library versions.
nlohmann::json manifest_of_program(const std::string& program);

/// Adds the facts about the training device: its description, and the precision it computes in.
void add_device(nlohmann::json& manifest, const Backend& backend);

/// The content of manifest.json. Text that is not UTF-8 is written as {"percent-encoded": "caf%E9"}.
std::string manifest_text(nlohmann::json manifest);

/// Path of a file of the source tree, such as figures.py. If the tree is not there: where the file is
/// installed, or next to the program if that has been moved elsewhere.
std::string source_file(const std::string& relative);

}  // namespace deepfreq
