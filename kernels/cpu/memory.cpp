#include <omp.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <utility>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/cpu_kernels.h"
#include "kernels/cpu/onednn.h"

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

const char* vector_instructions() {
    if (onednn::has(dnnl_cpu_isa_avx512_core)) return "AVX-512";
    if (onednn::has(dnnl_cpu_isa_avx2)) return "AVX2";
    return "no AVX2";
}

/// What is to be known of products in bf16.
const char* products(Precision precision) {
    if (precision != Precision::BFloat16) return "";
    if (onednn::has(dnnl_cpu_isa_avx512_core_amx)) return ", bf16 products (AMX)";
    if (onednn::multiplies_bfloat16()) return ", bf16 products (AVX512_BF16)";
    return ", bf16 by float32 products of rounded copies: this processor has neither AVX512_BF16 nor AMX";
}

/// A call costs next to nothing here, so that a recording is the function itself.
class CpuRecording final : public Recording {
  public:
    explicit CpuRecording(std::function<void()> work) : work_(std::move(work)) {}
    void replay() override { work_(); }

  private:
    std::function<void()> work_;
};

}  // namespace

std::unique_ptr<Kernels> open_cpu_kernels(Precision precision) {
    return std::make_unique<CpuKernels>(precision);
}

// OpenMP keeps this number for each thread by itself; oneDNN asks it too.
void compute_on_calling_thread() {
    omp_set_num_threads(1);
}

std::string CpuKernels::description() const {
    const std::string model = proc_value("/proc/cpuinfo", "model name");
    const dnnl_version_t& version = *dnnl_version();
    return fmt::format("cpu: {}, {} threads, oneDNN {}.{}.{} ({}){}",
                       model.empty() ? "unknown processor" : model, omp_get_max_threads(), version.major,
                       version.minor, version.patch, vector_instructions(), products(precision_));
}

void* CpuKernels::do_allocate(std::size_t bytes) {
    // Linux promises more memory than it has and kills the process that takes it at its word: so ask first,
    // and touch every page now, so that the next question is answered with what is really left.
    if (bytes > do_free_bytes()) return nullptr;
    auto* const data = static_cast<char*>(::operator new(bytes, cache_line, std::nothrow));
    if (data != nullptr)
        for (std::size_t i = 0; i < bytes; i += page) data[i] = 0;
    return data;
}

void CpuKernels::do_release(void* data) noexcept {
    ::operator delete(data, cache_line);
}

std::size_t CpuKernels::do_free_bytes() const {
    const std::string available = proc_value("/proc/meminfo", "MemAvailable");  // as in "8021408 kB"
    if (!available.empty()) return std::stoull(available) * 1024;
    return static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)) *
           static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void CpuKernels::do_upload(const void* host, void* device, std::size_t bytes) {
    do_copy(host, device, bytes);
}

void CpuKernels::do_download(const void* device, void* host, std::size_t bytes) {
    do_copy(device, host, bytes);
}

void CpuKernels::do_copy(const void* from, void* to, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);  // memcpy takes no null pointer, not even for 0 bytes
}

void CpuKernels::do_zero(void* data, std::size_t bytes) {
    if (bytes > 0) std::memset(data, 0, bytes);
}

std::unique_ptr<Recording> CpuKernels::do_record(std::function<void()> work) {
    return std::make_unique<CpuRecording>(std::move(work));
}

}  // namespace deepfreq
