#include "apps/cli/command.h"

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>

#include "runs/manifest.h"

namespace deepfreq {

nlohmann::json Command::facts() const {
    return {{"command_line", words}, {"libraries", {{"CLI11", CLI11_VERSION}}}};
}

nlohmann::json Command::manifest() const {
    nlohmann::json manifest = manifest_of_program(program);
    manifest.update(facts(), true);
    return manifest;
}

}  // namespace deepfreq
