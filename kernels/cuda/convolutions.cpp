#include "kernels/cuda/convolutions.h"

#include <algorithm>

#include "common/error.h"
#include "kernels/cuda/alignment.h"
#include "kernels/cuda/bfloat16.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/convolution_plans.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/handles.h"
#include "kernels/kernels.h"

namespace deepfreq::cuda {
namespace {

/// Where the parts of the workspace begin: cuDNN wants 16 bytes, memory is quickest on 256.
std::int64_t padded(std::int64_t bytes) {
    return (bytes + 255) / 256 * 256;
}

/// Bytes of the copies that a task's factors are rounded into.
std::array<std::int64_t, 3> copies_of(const ConvolutionTask& task, Precision precision) {
    std::array<std::int64_t, 3> bytes{};
    if (precision != Precision::BFloat16) return bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if (i != task.result()) bytes[i] = padded(task.sizes()[i] * std::int64_t{sizeof(float)});
    return bytes;
}

}  // namespace

std::size_t workspace_of(const ConvolutionTask& task, std::int64_t plan_bytes, Precision precision) {
    const auto [x, w, y] = copies_of(task, precision);
    return static_cast<std::size_t>(x + w + y + plan_bytes);
}

Convolutions::Convolutions(Precision precision, Workspace& workspace)
    : precision_(precision), workspace_(workspace) {
    DEEPFREQ_CUDA(cudnnCreate(&handle_));
    DEEPFREQ_CUDA(cudnnSetStream(handle_, workspace.stream()));
}

Convolutions::~Convolutions() {
    plans_.clear();
    cudnnDestroy(handle_);
}

void Convolutions::operator()(ConvolutionTask task, const float* x, const float* w, const float* y) {
    const Tensors data{x, w, y};
    // Rounded factors are copies, which begin where any plan likes them.
    task.alignment =
        precision_ == Precision::BFloat16 ? alignment_of({data[task.result()]}) : alignment_of({x, w, y});
    std::unique_ptr<ConvolutionPlan>& plan = plans_[task];
    if (!plan) plan = choose(task, data);
    DEEPFREQ_CUDA(run(*plan, task, data));
}

std::unique_ptr<ConvolutionPlan> Convolutions::choose(const ConvolutionTask& task, const Tensors& data) {
    const PlanDevice device(handle_);
    PlanSearch search(device, task, precision_);
    std::unique_ptr<ConvolutionPlan> chosen;
    const auto take = [&](ConvolutionPlan&& plan) {
        if (!runs(plan, task, data)) {
            ++search.tally().failed;
            search.tally().reason = cudnn_reason();
            return false;
        }
        chosen = std::make_unique<ConvolutionPlan>(std::move(plan));
        return true;
    };
    for (const PlanSource source : plan_sources)
        if (search.visit(source, take)) return chosen;
    throw RunError(
        "cuDNN {} has no way to convolve images of {}x{}x{} with {} filters of {}x{}, expected one that "
        "repeats "
        "its results in {}: {}{}",
        library_version_text(cudnnGetVersion()), task.x[1], task.x[2], task.x[3], task.w[0], task.w[1],
        task.w[2], precision_name(precision_), search.tally().text(),
        precision_ == Precision::Float32 ? "; --precision tf32 has more to choose from" : "");
}

/// What a plan that fails leaves behind must not be added to: it is tried on other memory then.
bool Convolutions::runs(const ConvolutionPlan& plan, const ConvolutionTask& task, const Tensors& data) {
    const std::size_t result = task.result();
    const Temporary<float> aside(workspace_.stream(),
                                 task.add ? static_cast<std::size_t>(task.sizes()[result]) : 0);
    Tensors trial = data;
    if (task.add) trial[result] = aside.data();
    if (run(plan, task, trial) != CUDNN_STATUS_SUCCESS) {
        cudaGetLastError();  // the next launch is not to be blamed
        return false;
    }
    DEEPFREQ_CUDA(cudaStreamSynchronize(workspace_.stream()));
    return true;
}

cudnnStatus_t Convolutions::run(const ConvolutionPlan& plan, const ConvolutionTask& task, Tensors data) {
    auto* memory =
        static_cast<std::byte*>(workspace_.take(workspace_of(task, plan.workspace_bytes, precision_)));
    const std::array<std::int64_t, 3> copies = copies_of(task, precision_);
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (copies[i] == 0) continue;
        auto* const copy = reinterpret_cast<float*>(memory);
        round_to_bfloat16(workspace_.stream(), data[i], copy, task.sizes()[i]);
        data[i] = copy;
        memory += copies[i];
    }
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64,
             std::array{tensor_id(0), tensor_id(1), tensor_id(2)})
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, memory)
        .finish();
    return cudnnBackendExecute(handle_, plan.execution.get(), pack.get());
}

}  // namespace deepfreq::cuda
