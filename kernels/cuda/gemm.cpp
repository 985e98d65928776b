#include "kernels/cuda/gemm.h"

#include <utility>
#include <vector>

#include "common/error.h"
#include "kernels/backend.h"
#include "kernels/cuda/alignment.h"
#include "kernels/cuda/check_libraries.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/handles.h"

// Our matrices are row-major, cuBLASLt's column-major; a row-major matrix is the transpose of a column-major
// one in the same memory. So c = a b is computed as c^T = b^T a^T, with the factors in the other order.

namespace deepfreq::cuda {
namespace {

/// What NVIDIA recommends for Hopper, and more than other GPUs need.
constexpr std::size_t largest_workspace = std::size_t{32} << 20;

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

cublasOperation_t operation_of(Transpose transpose) {
    return transpose == Transpose::No ? CUBLAS_OP_N : CUBLAS_OP_T;
}

/// A stored matrix of rows x columns, row-major.
cublasLtMatrixLayout_t layout_of(std::int64_t rows, std::int64_t columns) {
    cublasLtMatrixLayout_t layout = nullptr;
    DEEPFREQ_CUDA(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, static_cast<std::uint64_t>(columns),
                                             static_cast<std::uint64_t>(rows), columns));
    return layout;
}

/// The same for a factor that, transposed or not, enters the product as rows x columns.
cublasLtMatrixLayout_t factor_layout(Transpose transpose, std::int64_t rows, std::int64_t columns) {
    return transpose == Transpose::No ? layout_of(rows, columns) : layout_of(columns, rows);
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

/// What an algorithm must satisfy.
struct Preference {
    cublasLtMatmulPreference_t handle = nullptr;
    Preference() { DEEPFREQ_CUDA(cublasLtMatmulPreferenceCreate(&handle)); }
    Preference(const Preference&) = delete;
    Preference& operator=(const Preference&) = delete;
    ~Preference() { cublasLtMatmulPreferenceDestroy(handle); }
};

}  // namespace

/// How a task is done. (cuBLASLt's own reductions use no atomics: the same plan gives the same bits.)
struct Gemm::Plan {
    cublasLtMatmulDesc_t description = nullptr;
    cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr;
    cublasLtMatmulAlgo_t algorithm{};
    std::size_t workspace_bytes = 0;
    bool possible = false;

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
        set(description, CUBLASLT_MATMUL_DESC_TRANSA, operation_of(task.transpose_b));
        set(description, CUBLASLT_MATMUL_DESC_TRANSB, operation_of(task.transpose_a));
        if (bias != nullptr) {
            set(description, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
            set(description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);  // its alignment guides the choice
        }
        a = factor_layout(task.transpose_a, task.m, task.k);
        b = factor_layout(task.transpose_b, task.k, task.n);
        c = layout_of(task.m, task.n);
    }

    /// What cuBLASLt proposes, best first; nothing if it refuses the task.
    std::vector<cublasLtMatmulHeuristicResult_t> proposals(cublasLtHandle_t handle,
                                                           std::uint32_t alignment) const {
        constexpr int most = 8;
        const Preference preference;
        set(preference.handle, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, largest_workspace);
        for (const auto attribute :
             {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
              CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
            set(preference.handle, attribute, alignment);
        std::vector<cublasLtMatmulHeuristicResult_t> results(most);
        int found = 0;
        if (cublasLtMatmulAlgoGetHeuristic(handle, description, b, a, c, c, preference.handle, most,
                                           results.data(), &found) != CUBLAS_STATUS_SUCCESS)
            found = 0;
        results.resize(static_cast<std::size_t>(found));
        return results;
    }
};

/// What became of the proposals, for the message if none was usable.
struct Gemm::Tally {
    int proposed = 0;
    cublasStatus_t last = CUBLAS_STATUS_NOT_SUPPORTED;
};

Gemm::Gemm(Precision precision, Workspace& workspace) : precision_(precision), workspace_(workspace) {
    DEEPFREQ_CUDA(cublasLtCreate(&handle_));
}

Gemm::~Gemm() {
    plans_.clear();
    cublasLtDestroy(handle_);
}

void Gemm::operator()(const GemmTask& task, const float* a, const float* b, float* c) {
    const Operands operands{a, b, c, nullptr};
    Tally tally;
    const Plan& chosen = plan(task, operands, tally);
    if (!chosen.possible)
        throw RunError(
            "cuBLASLt {} has no way to multiply {}x{} by {}x{} in {}: {} proposed, all of which failed; the "
            "last: {}",
            library_version_text(cublasLtGetVersion()), task.m, task.k, task.k, task.n,
            precision_name(precision_), tally.proposed, cublasLtGetStatusString(tally.last));
    DEEPFREQ_CUDA(run(chosen, task, operands));
}

bool Gemm::with_bias(const GemmTask& task, const float* a, const float* b, float* c, const float* bias) {
    const Operands operands{a, b, c, bias};
    Tally tally;
    const Plan& chosen = plan(task, operands, tally);
    if (chosen.possible) DEEPFREQ_CUDA(run(chosen, task, operands));
    return chosen.possible;
}

const Gemm::Plan& Gemm::plan(const GemmTask& task, const Operands& operands, Tally& tally) {
    const std::uint32_t alignment = alignment_of({operands.a, operands.b, operands.c, operands.bias});
    std::unique_ptr<Plan>& known = plans_[{task, operands.bias != nullptr, alignment}];
    if (known) return *known;
    auto made = std::make_unique<Plan>();
    made->describe(task, precision_, operands.bias);
    for (const auto& proposal : made->proposals(handle_, alignment)) {
        ++tally.proposed;
        made->algorithm = proposal.algo;
        made->workspace_bytes = proposal.workspaceSize;
        made->possible = runs(*made, task, operands, tally);
        if (made->possible) break;
    }
    known = std::move(made);
    return *known;
}

/// What a failed algorithm leaves behind must not be added to: if the task adds, it is tried on other memory.
bool Gemm::runs(const Plan& plan, const GemmTask& task, Operands operands, Tally& tally) {
    const Temporary<float> aside(workspace_.stream(),
                                 task.add ? static_cast<std::size_t>(task.m * task.n) : 0);
    if (task.add) operands.c = aside.data();
    tally.last = run(plan, task, operands);
    if (tally.last != CUBLAS_STATUS_SUCCESS) {
        cudaGetLastError();  // the next launch must not be blamed
        return false;
    }
    DEEPFREQ_CUDA(cudaStreamSynchronize(workspace_.stream()));
    return true;
}

cublasStatus_t Gemm::run(const Plan& plan, const GemmTask& task, const Operands& operands) {
    if (operands.bias != nullptr) set(plan.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, operands.bias);
    const float one = 1.0F;
    const float keep = task.add ? 1.0F : 0.0F;
    return cublasLtMatmul(handle_, plan.description, &one, operands.b, plan.b, operands.a, plan.a, &keep,
                          operands.c, plan.c, operands.c, plan.c, &plan.algorithm,
                          workspace_.take(plan.workspace_bytes), plan.workspace_bytes, workspace_.stream());
}

}  // namespace deepfreq::cuda
