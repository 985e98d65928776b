#include "kernels/cuda/device.h"

#include <fmt/core.h>

#include <cctype>
#include <sstream>

namespace deepfreq::cuda {

std::string version_text(int version) {
    return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string library_version_text(std::size_t version) {
    return fmt::format("{}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
}

std::string why_unavailable(const DriverFacts& facts) {
    if (facts.driver == 0) return "no NVIDIA driver was found (libcuda.so.1): install one";
    // Any driver of a major version supports all of its toolkits.
    if (facts.driver / 1000 < facts.runtime / 1000)
        return fmt::format(
            "the NVIDIA driver serves CUDA up to {}, this build needs {}: install a newer driver",
            version_text(facts.driver), version_text(facts.runtime));
    if (!facts.trouble.empty())
        return fmt::format("the NVIDIA driver cannot be asked for its devices: {}", facts.trouble);
    if (facts.devices == 0)
        return "the NVIDIA driver found no device: is CUDA_VISIBLE_DEVICES set, or the GPU in use elsewhere?";
    return {};
}

std::string why_no_such_device(int index, int devices) {
    if (index >= 0 && index < devices) return {};
    return fmt::format("the device is cuda:{}, but there {} {} CUDA device{}, expected cuda:0{}", index,
                       devices == 1 ? "is" : "are", devices, devices == 1 ? "" : "s",
                       devices > 1 ? fmt::format(" to cuda:{}", devices - 1) : "");
}

std::string why_not_built_for(const std::string& device, int major, int minor, const std::string& built) {
    // Machine code runs on its own major version, from its minor version on; PTX on everything from its
    // version on.
    const int wanted = 10 * major + minor;
    std::istringstream list(built);
    for (std::string item; list >> item;) {
        if (std::isdigit(static_cast<unsigned char>(item.front())) == 0) return {};  // "all" and the like
        const bool real_only = item.ends_with("-real");
        const bool virtual_only = item.ends_with("-virtual");
        const int version = std::stoi(item);
        if (!virtual_only && version / 10 == major && version % 10 <= minor) return {};
        if (!real_only && version <= wanted) return {};
    }
    return fmt::format("{} has compute capability {}.{}, this binary was built for {}", device, major, minor,
                       built);
}

}  // namespace deepfreq::cuda
