#include "kernels/cpu/cpu_backend.h"

#include <omp.h>

#include <utility>

#include "kernels/cpu/onednn.h"
#include "kernels/cpu/open_cpu.h"

namespace deepfreq {
namespace {

const char* vector_instructions() {
    if (onednn::has(dnnl_cpu_isa_avx512_core)) return "AVX-512";
    if (onednn::has(dnnl_cpu_isa_avx2)) return "AVX2";
    return "no AVX2";
}

/// What the user should know about products in bf16.
const char* products(Precision precision) {
    if (precision != Precision::BFloat16) return "";
    if (onednn::has(dnnl_cpu_isa_avx512_core_amx)) return ", bf16 products (AMX)";
    if (onednn::multiplies_bfloat16()) return ", bf16 products (AVX512_BF16)";
    return ", bf16 by float32 products of rounded copies: this processor has neither AVX512_BF16 nor AMX";
}

/// A call costs next to nothing here, so a graph is just the function itself.
class CpuGraph final : public Graph {
  public:
    explicit CpuGraph(std::function<void()> work) : work_(std::move(work)) {}
    void replay() override { work_(); }

  private:
    std::function<void()> work_;
};

}  // namespace

std::unique_ptr<Backend> open_cpu_backend(Precision precision) {
    return std::make_unique<CpuBackend>(precision);
}

// OpenMP keeps this number per thread; oneDNN uses it too.
void compute_on_calling_thread() {
    omp_set_num_threads(1);
}

std::string CpuBackend::description() const {
    const dnnl_version_t& version = *dnnl_version();
    return fmt::format("{}, oneDNN {}.{}.{} ({}){}", processor(), version.major, version.minor, version.patch,
                       vector_instructions(), products(precision_));
}

std::unique_ptr<Graph> CpuBackend::capture_work(std::function<void()> work) {
    return std::make_unique<CpuGraph>(std::move(work));
}

}  // namespace deepfreq
