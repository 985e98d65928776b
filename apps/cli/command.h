#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace deepfreq {

/// How a program was called.
struct Command {
    std::string program;
    std::vector<std::string> words;  ///< of the command line, the first of them argv[0]

    /// What manifest.json records about the command: its words, and the version of the library that parsed
    /// them.
    nlohmann::json facts() const;
    /// How the manifest of a program begins: manifest_of_program() and these facts.
    nlohmann::json manifest() const;
};

}  // namespace deepfreq
