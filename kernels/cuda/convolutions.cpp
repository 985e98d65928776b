#include "kernels/cuda/convolutions.h"

#include <algorithm>

#include "common/error.h"
#include "kernels/backend.h"
#include "kernels/cuda/alignment.h"
#include "kernels/cuda/bfloat16.h"
#include "kernels/cuda/check_libraries.h"
#include "kernels/cuda/convolution_plans.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/handles.h"

namespace deepfreq::cuda {
namespace {

/// Alignment of the parts of the workspace: cuDNN needs 16 bytes, but memory is fastest at 256.
std::int64_t padded(std::int64_t bytes) {
    return (bytes + 255) / 256 * 256;
}

std::int64_t bytes_of(const ConvolutionTask& task, std::size_t tensor) {
    return task.sizes()[tensor] * std::int64_t{sizeof(float)};
}

bool is_rounded(const ConvolutionTask& task, std::size_t tensor, Precision precision) {
    return precision == Precision::BFloat16 && tensor != task.result();
}

/// Bytes of the copies that stand in for x, w and y; 0 where the tensor itself is used.
std::array<std::int64_t, 3> copies_of(const ConvolutionTask& task, Precision precision,
                                      const std::array<const float*, 3>& data) {
    std::array<std::int64_t, 3> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if (is_rounded(task, i, precision) || alignment_of({data[i]}) < plan_alignment)
            bytes[i] = padded(bytes_of(task, i));
    return bytes;
}

}  // namespace

std::size_t workspace_of(const ConvolutionTask& task, std::int64_t plan_bytes, Precision precision) {
    const auto [x, w, y] = copies_of(task, precision, {});
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

void Convolutions::operator()(const ConvolutionTask& task, const float* x, const float* w, const float* y) {
    const Tensors data{x, w, y};
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
        precision_ == Precision::Float32 ? Remedy::UseTensorFloat32 : Remedy::None,
        "cuDNN {} has no way to convolve images of {}x{}x{} with {} filters of {}x{}, expected one that "
        "repeats its results in {}: {}",
        library_version_text(cudnnGetVersion()), task.x[1], task.x[2], task.x[3], task.w[0], task.w[1],
        task.w[2], precision_name(precision_), search.tally().text());
}

/// What a failed plan leaves behind must not be added to: if the task adds, plans are tried on other memory.
bool Convolutions::runs(const ConvolutionPlan& plan, const ConvolutionTask& task, const Tensors& data) {
    const std::size_t result = task.result();
    const Temporary<float> aside(workspace_.stream(),
                                 task.add ? static_cast<std::size_t>(task.sizes()[result]) : 0);
    Tensors trial = data;
    if (task.add) trial[result] = aside.data();
    if (run(plan, task, trial) != CUDNN_STATUS_SUCCESS) {
        cudaGetLastError();  // the next launch must not be blamed
        return false;
    }
    DEEPFREQ_CUDA(cudaStreamSynchronize(workspace_.stream()));
    return true;
}

cudnnStatus_t Convolutions::run(const ConvolutionPlan& plan, const ConvolutionTask& task,
                                const Tensors& data) {
    const std::array<std::int64_t, 3> copies = copies_of(task, precision_, data);
    const std::int64_t all = copies[0] + copies[1] + copies[2];
    auto* memory =
        static_cast<std::byte*>(workspace_.take(static_cast<std::size_t>(all + plan.workspace_bytes)));
    const auto copy = [&](const float* from, const float* to, std::size_t tensor) {
        DEEPFREQ_CUDA(cudaMemcpyAsync(const_cast<float*>(to), from,
                                      static_cast<std::size_t>(bytes_of(task, tensor)),
                                      cudaMemcpyDeviceToDevice, workspace_.stream()));
    };
    const std::size_t result = task.result();
    Tensors used = data;
    for (std::size_t i = 0; i < used.size(); ++i) {
        if (copies[i] == 0) continue;
        auto* const place = reinterpret_cast<float*>(memory);
        memory += copies[i];
        used[i] = place;
        if (is_rounded(task, i, precision_))
            round_to_bfloat16(workspace_.stream(), data[i], place, task.sizes()[i]);
        else if (i != result || task.add)
            copy(data[i], place, i);
    }
    const cudnnStatus_t status = execute(plan, used, memory);
    if (status == CUDNN_STATUS_SUCCESS && copies[result] != 0) copy(used[result], data[result], result);
    return status;
}

cudnnStatus_t Convolutions::execute(const ConvolutionPlan& plan, const Tensors& data, void* workspace) {
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64,
             std::array{tensor_id(0), tensor_id(1), tensor_id(2)})
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace)
        .finish();
    return cudnnBackendExecute(handle_, plan.execution.get(), pack.get());
}

}  // namespace deepfreq::cuda
