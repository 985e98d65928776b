#include "kernels/cuda/gemm.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/error.h"
#include "kernels/cuda/check.h"

// Our matrices are row-major, cuBLASLt's column-major; a row-major matrix is the transpose of a column-major
// one in the same memory. So c = a b is computed as c^T = b^T a^T, with the factors in the other order.

namespace deepfreq::cuda {
namespace {

/// What NVIDIA advises for Hopper, and more than the others use.
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

cublasComputeType_t compute_type(Precision precision) {
    switch (precision) {
        case Precision::TensorFloat32:
            return CUBLAS_COMPUTE_32F_FAST_TF32;
        case Precision::BFloat16:
            return CUBLAS_COMPUTE_32F_FAST_16BF;
        default:
            return CUBLAS_COMPUTE_32F;
    }
}

cublasOperation_t operation_of(Form form) {
    return form == Form::Plain ? CUBLAS_OP_N : CUBLAS_OP_T;
}

/// A stored matrix of rows x columns, row-major.
cublasLtMatrixLayout_t layout_of(std::int64_t rows, std::int64_t columns) {
    cublasLtMatrixLayout_t layout = nullptr;
    DEEPFREQ_CUDA(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, static_cast<std::uint64_t>(columns),
                                             static_cast<std::uint64_t>(rows), columns));
    return layout;
}

/// The same for a factor that enters the product transposed or not as rows x columns.
cublasLtMatrixLayout_t factor_layout(Form form, std::int64_t rows, std::int64_t columns) {
    return form == Form::Plain ? layout_of(rows, columns) : layout_of(columns, rows);
}

template <class T>
void set(cublasLtMatmulDesc_t description, cublasLtMatmulDescAttributes_t attribute, const T& value) {
    DEEPFREQ_CUDA(cublasLtMatmulDescSetAttribute(description, attribute, &value, sizeof value));
}

template <class T>
void set(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,
         const T& value) {
    DEEPFREQ_CUDA(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value));
}

}  // namespace

/// How a task is done. (cuBLASLt's own reductions use no atomics: the same plan gives the same bits.)
struct Gemm::Plan {
    cublasLtMatmulDesc_t description = nullptr;
    cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr;
    cublasLtMatmulAlgo_t algorithm{};

    Plan() = default;
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    ~Plan() {
        if (description != nullptr) cublasLtMatmulDescDestroy(description);
        for (cublasLtMatrixLayout_t layout : {a, b, c})
            if (layout != nullptr) cublasLtMatrixLayoutDestroy(layout);
    }

    void describe(const GemmTask& task, Precision precision, const float* bias) {
        DEEPFREQ_CUDA(cublasLtMatmulDescCreate(&description, compute_type(precision), CUDA_R_32F));
        // cuBLASLt's first factor is our second.
        set(description, CUBLASLT_MATMUL_DESC_TRANSA, operation_of(task.form_b));
        set(description, CUBLASLT_MATMUL_DESC_TRANSB, operation_of(task.form_a));
        if (task.bias) {
            set(description, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
            set(description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);  // its alignment guides the choice
        }
        a = factor_layout(task.form_a, task.m, task.k);
        b = factor_layout(task.form_b, task.k, task.n);
        c = layout_of(task.m, task.n);
    }

    void choose(cublasLtHandle_t handle, const GemmTask& task, std::uint32_t alignment) {
        struct Preference {
            cublasLtMatmulPreference_t handle = nullptr;
            Preference() { DEEPFREQ_CUDA(cublasLtMatmulPreferenceCreate(&handle)); }
            Preference(const Preference&) = delete;
            Preference& operator=(const Preference&) = delete;
            ~Preference() { cublasLtMatmulPreferenceDestroy(handle); }
        } preference;
        set(preference.handle, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_bytes);
        for (const auto attribute :
             {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
              CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
            set(preference.handle, attribute, alignment);
        cublasLtMatmulHeuristicResult_t result{};
        int found = 0;
        const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle, description, b, a, c, c,
                                                                     preference.handle, 1, &result, &found);
        if (status != CUBLAS_STATUS_NOT_SUPPORTED) DEEPFREQ_CUDA(status);
        if (found == 0)
            throw RunError(
                "cuBLASLt has no way to multiply {}x{} by {}x{} at an alignment of {} bytes, expected one",
                task.m, task.k, task.k, task.n, alignment);
        algorithm = result.algo;
    }
};

Gemm::Gemm(Precision precision) : precision_(precision) {
    DEEPFREQ_CUDA(cublasLtCreate(&handle_));
    DEEPFREQ_CUDA(cudaMalloc(&workspace_, workspace_bytes));
}

Gemm::~Gemm() {
    plans_.clear();
    cudaFree(workspace_);
    cublasLtDestroy(handle_);
}

const Gemm::Plan& Gemm::plan(const GemmTask& task, std::uint32_t alignment, const float* bias) {
    std::unique_ptr<Plan>& known = plans_[{task, alignment}];
    if (!known) {
        auto made = std::make_unique<Plan>();
        made->describe(task, precision_, bias);
        made->choose(handle_, task, alignment);
        known = std::move(made);
    }
    return *known;
}

void Gemm::operator()(cudaStream_t stream, const GemmTask& task, const float* a, const float* b, float* c,
                      const float* bias) {
    const Plan& how = plan(task, alignment_of({a, b, c, task.bias ? bias : nullptr}), bias);
    if (task.bias) set(how.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    const float one = 1.0F;
    const float keep = task.add ? 1.0F : 0.0F;
    DEEPFREQ_CUDA(cublasLtMatmul(handle_, how.description, &one, b, how.b, a, how.a, &keep, c, how.c, c,
                                 how.c, &how.algorithm, workspace_, workspace_bytes, stream));
}

}  // namespace deepfreq::cuda
