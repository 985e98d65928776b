#include <omp.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <new>
#include <string>

#include "kernels/cpu/measuring_backend.h"
#include "kernels/cpu/spectrum_vector.h"

namespace deepfreq {
namespace {

constexpr std::align_val_t cache_line{64};
constexpr std::size_t page = 4096;

/// The value after "key" and ':' in a file of /proc; empty when there is none.
std::string proc_value(const char* file, const std::string& key) {
    std::ifstream in(file);
    std::string line;
    while (std::getline(in, line)) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with(key) || colon == std::string::npos) continue;
        const std::size_t value = line.find_first_not_of(" \t", colon + 1);
        return value == std::string::npos ? "" : line.substr(value);
    }
    return {};
}

}  // namespace

std::string CpuMeasuringKernels::processor() {
    const std::string model = proc_value("/proc/cpuinfo", "model name");
    return fmt::format("cpu: {}, {} threads", model.empty() ? "unknown processor" : model,
                       omp_get_max_threads());
}

std::string CpuMeasuringKernels::description() const {
    return fmt::format("{} ({})", processor(), spectrum::vector_instructions);
}

void* CpuMeasuringKernels::do_allocate(std::size_t bytes) {
    // Linux promises more memory than it has and kills the process that takes it at its word: so ask first,
    // and touch every page now, so that the next question is answered with what is really left.
    if (bytes > do_free_bytes()) return nullptr;
    auto* const data = static_cast<char*>(::operator new(bytes, cache_line, std::nothrow));
    if (data != nullptr)
        for (std::size_t i = 0; i < bytes; i += page) data[i] = 0;
    return data;
}

void CpuMeasuringKernels::do_release(void* data) noexcept {
    ::operator delete(data, cache_line);
}

std::size_t CpuMeasuringKernels::do_free_bytes() const {
    const std::string available = proc_value("/proc/meminfo", "MemAvailable");  // as in "8021408 kB"
    if (!available.empty()) return std::stoull(available) * 1024;
    return static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)) *
           static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void CpuMeasuringKernels::do_upload(const void* host, void* device, std::size_t bytes) {
    do_copy(host, device, bytes);
}

void CpuMeasuringKernels::do_download(const void* device, void* host, std::size_t bytes) {
    do_copy(device, host, bytes);
}

void CpuMeasuringKernels::do_copy(const void* from, void* to, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);  // memcpy takes no null pointer, not even for 0 bytes
}

void CpuMeasuringKernels::do_zero(void* data, std::size_t bytes) {
    if (bytes > 0) std::memset(data, 0, bytes);
}

}  // namespace deepfreq
