#include <omp.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <new>
#include <string>

#include "kernels/cpu/spectrum_backend.h"
#include "kernels/cpu/vector.h"

namespace deepfreq {
namespace {

constexpr std::align_val_t cache_line{64};
constexpr std::size_t page = 4096;

/// The value after "key" and ':' in a file of /proc; empty if there is none.
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

std::string CpuSpectrumBackend::processor() {
    const std::string model = proc_value("/proc/cpuinfo", "model name");
    return fmt::format("cpu: {}, {} threads", model.empty() ? "unknown processor" : model,
                       omp_get_max_threads());
}

std::string CpuSpectrumBackend::description() const {
    return fmt::format("{} ({})", processor(), simd::vector_instructions);
}

void* CpuSpectrumBackend::allocate_bytes(std::size_t bytes) {
    // Linux promises more memory than it has, and kills the process that takes it at its word. So check
    // first, and touch every page now, so that the next check sees what is really left.
    if (bytes > free_bytes()) return nullptr;
    auto* const data = static_cast<char*>(::operator new(bytes, cache_line, std::nothrow));
    if (data != nullptr)
        for (std::size_t i = 0; i < bytes; i += page) data[i] = 0;
    return data;
}

void CpuSpectrumBackend::release_bytes(void* data) noexcept {
    ::operator delete(data, cache_line);
}

std::size_t CpuSpectrumBackend::free_bytes() const {
    const std::string available = proc_value("/proc/meminfo", "MemAvailable");  // as in "8021408 kB"
    if (!available.empty()) return std::stoull(available) * 1024;
    return static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)) *
           static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void CpuSpectrumBackend::upload_bytes(const void* host, void* device, std::size_t bytes) {
    copy_bytes(host, device, bytes);
}

void CpuSpectrumBackend::download_bytes(const void* device, void* host, std::size_t bytes) {
    copy_bytes(device, host, bytes);
}

void CpuSpectrumBackend::copy_bytes(const void* from, void* to, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);  // memcpy takes no null pointer, not even for 0 bytes
}

void CpuSpectrumBackend::zero_bytes(void* data, std::size_t bytes) {
    if (bytes > 0) std::memset(data, 0, bytes);
}

}  // namespace deepfreq
