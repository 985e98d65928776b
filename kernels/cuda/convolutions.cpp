#include "kernels/cuda/convolutions.h"

#include <algorithm>
#include <vector>

#include "common/error.h"
#include "kernels/cuda/bfloat16.h"
#include "kernels/cuda/check.h"
#include "kernels/kernels.h"

// cuDNN deprecates handing its handle to graphs, but the alternative does not exist in all versions of 9.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace deepfreq::cuda {
namespace {

/// One descriptor of cuDNN's graph interface: made, given attributes one by one, and then finished.
class Descriptor {
  public:
    explicit Descriptor(cudnnBackendDescriptorType_t type) {
        DEEPFREQ_CUDA(cudnnBackendCreateDescriptor(type, &descriptor_));
    }
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
    }

    cudnnBackendDescriptor_t get() const { return descriptor_; }

    template <class T>
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
        DEEPFREQ_CUDA(cudnnBackendSetAttribute(descriptor_, name, type, 1, &value));
        return *this;
    }
    template <class T, std::size_t N>
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    const std::array<T, N>& values) {
        DEEPFREQ_CUDA(cudnnBackendSetAttribute(descriptor_, name, type, N, values.data()));
        return *this;
    }
    Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
        return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, other.get());
    }
    void finish() { DEEPFREQ_CUDA(cudnnBackendFinalize(descriptor_)); }
    /// Whether cuDNN can do it; a plan that it cannot make is no error.
    bool try_finish() { return cudnnBackendFinalize(descriptor_) == CUDNN_STATUS_SUCCESS; }

  private:
    cudnnBackendDescriptor_t descriptor_ = nullptr;
};

enum Id : std::int64_t { id_x = 1, id_w = 2, id_y = 3 };

/// Images or filters whose channels lie side by side. cuDNN names the axes in the order n, c, h, w all the
/// same.
Descriptor tensor(Id id, const std::array<std::int64_t, 4>& shape, cudnnDataType_t type,
                  std::int64_t alignment) {
    const auto [n, h, w, c] = shape;
    Descriptor out(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    out.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, static_cast<std::int64_t>(id))
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, alignment)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, std::array{n, c, h, w})
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, std::array{h * w * c, std::int64_t{1}, w * c, c})
        .finish();
    return out;
}

Descriptor convolution(const ConvolutionTask& task) {
    const std::array padding{task.padding, task.padding};
    Descriptor out(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    out.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, std::array<std::int64_t, 2>{1, 1})
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, std::array{task.stride, task.stride})
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, padding)
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, padding)
        .finish();
    return out;
}

/// Which of x, w and y a convolution writes.
std::size_t result_of(ConvolutionKind kind) {
    switch (kind) {
        case ConvolutionKind::Forward:
            return 2;
        case ConvolutionKind::BackwardData:
            return 0;
        default:
            return 1;
    }
}

std::int64_t elements(const std::array<std::int64_t, 4>& shape) {
    return shape[0] * shape[1] * shape[2] * shape[3];
}

/// What an operation's attributes are called.
struct Names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, alpha, beta, x, w, y;
};

Names names_of(ConvolutionKind kind) {
    switch (kind) {
        case ConvolutionKind::Forward:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y};
        case ConvolutionKind::BackwardData:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY};
        default:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY};
    }
}

/// Whether the engine of a configuration gives the same bits every time, sums in float32 and is as precise as
/// asked for.
bool is_wanted(cudnnBackendDescriptor_t configuration, Precision precision) {
    const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t place = engine.get();
    std::int64_t count = 0;
    if (cudnnBackendGetAttribute(configuration, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                 &count, &place) != CUDNN_STATUS_SUCCESS)
        return false;
    std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
    if (cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 notes.size(), &count, notes.data()) != CUDNN_STATUS_SUCCESS)
        return false;
    return std::none_of(notes.begin(), notes.begin() + count, [&](cudnnBackendNumericalNote_t note) {
        const bool rounds =
            note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE || note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
        return note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC ||
               note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
               (precision == Precision::Float32 && rounds);
    });
}

/// What cuDNN proposes for a graph in one of its modes, best first.
std::vector<Descriptor> proposals(const Descriptor& graph, cudnnBackendHeurMode_t mode) {
    constexpr std::int64_t most = 32;
    Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
    if (!heuristic.try_finish()) return {};
    std::vector<Descriptor> configurations;
    std::vector<cudnnBackendDescriptor_t> places;
    configurations.reserve(most);
    places.reserve(most);
    for (std::int64_t i = 0; i < most; ++i)
        places.push_back(configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
    std::int64_t count = 0;
    DEEPFREQ_CUDA(cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                           CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &count, places.data()));
    while (static_cast<std::int64_t>(configurations.size()) > count) configurations.pop_back();
    return configurations;
}

}  // namespace

/// How a task is done, with a workspace of its own: a recorded step may hold its address.
struct Convolutions::Plan {
    std::unique_ptr<Descriptor> execution;
    void* workspace = nullptr;
    /// Where the factors among x, w and y are rounded to, in bf16; else null.
    std::array<std::uint16_t*, 3> rounded{};

    Plan() = default;
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    ~Plan() {
        cudaFree(workspace);
        for (std::uint16_t* const copy : rounded) cudaFree(copy);
    }

    /// Takes the first proposal that is wanted and possible; false if there is none.
    bool choose(cudnnHandle_t handle, const Descriptor& graph, Precision precision) {
        for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
            for (const Descriptor& configuration : proposals(graph, mode)) {
                if (!is_wanted(configuration.get(), precision)) continue;
                auto candidate = std::make_unique<Descriptor>(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
                candidate->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle)
                    .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
                if (!candidate->try_finish()) continue;
                execution = std::move(candidate);
                return true;
            }
        return false;
    }

    void take_workspace() {
        std::int64_t bytes = 0;
        std::int64_t count = 0;
        DEEPFREQ_CUDA(cudnnBackendGetAttribute(execution->get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                               CUDNN_TYPE_INT64, 1, &count, &bytes));
        if (bytes > 0) workspace = take(bytes);
    }

    void take_rounded(const ConvolutionTask& task) {
        const std::array tensors{task.x, task.w, task.y};
        for (std::size_t i = 0; i < tensors.size(); ++i)
            if (i != result_of(task.kind))
                rounded[i] = static_cast<std::uint16_t*>(take(2 * elements(tensors[i])));
    }

    static void* take(std::int64_t bytes) {
        void* memory = nullptr;
        const cudaError_t status = cudaMalloc(&memory, static_cast<std::size_t>(bytes));
        if (status == cudaErrorMemoryAllocation) out_of_memory(static_cast<std::size_t>(bytes));
        DEEPFREQ_CUDA(status);
        return memory;
    }
};

Convolutions::Convolutions(Precision precision) : precision_(precision) {
    DEEPFREQ_CUDA(cudnnCreate(&handle_));
}

Convolutions::~Convolutions() {
    plans_.clear();
    cudnnDestroy(handle_);
}

const Convolutions::Plan& Convolutions::plan(const ConvolutionTask& task) {
    std::unique_ptr<Plan>& known = plans_[task];
    if (known) return *known;
    const Names names = names_of(task.kind);
    const auto described = [&](Id id, std::size_t place, const std::array<std::int64_t, 4>& shape) {
        const bool rounds = precision_ == Precision::BFloat16 && place != result_of(task.kind);
        return tensor(id, shape, rounds ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT, task.alignment);
    };
    const Descriptor x = described(id_x, 0, task.x);
    const Descriptor w = described(id_w, 1, task.w);
    const Descriptor y = described(id_y, 2, task.y);
    const Descriptor how = convolution(task);
    Descriptor operation(names.operation);
    operation.set(names.convolution, how)
        .set(names.alpha, CUDNN_TYPE_FLOAT, 1.0F)
        .set(names.beta, CUDNN_TYPE_FLOAT, task.add ? 1.0F : 0.0F)
        .set(names.x, x)
        .set(names.w, w)
        .set(names.y, y)
        .finish();
    Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation)
        .set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle_)
        .finish();
    auto made = std::make_unique<Plan>();
    if (!made->choose(handle_, graph, precision_))
        throw RunError(
            "cuDNN {} has no way to convolve images of {}x{}x{} with {} filters of {}x{}, expected one that "
            "repeats its results in {}{}",
            cudnnGetVersion(), task.x[1], task.x[2], task.x[3], task.w[0], task.w[1], task.w[2],
            precision_name(precision_),
            precision_ == Precision::TensorFloat32 ? "" : "; --precision tf32 has more to choose from");
    made->take_workspace();
    if (precision_ == Precision::BFloat16) made->take_rounded(task);
    known = std::move(made);
    return *known;
}

void Convolutions::operator()(cudaStream_t stream, ConvolutionTask task, const float* x, const float* w,
                              const float* y) {
    task.alignment = alignment_of({x, w, y});
    const Plan& how = plan(task);
    DEEPFREQ_CUDA(cudnnSetStream(handle_, stream));
    const std::array<const float*, 3> given{x, w, y};
    const std::array sizes{elements(task.x), elements(task.w), elements(task.y)};
    std::array<const void*, 3> data{x, w, y};
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (how.rounded[i] == nullptr) continue;
        round_to_bfloat16(stream, given[i], how.rounded[i], sizes[i]);
        data[i] = how.rounded[i];
    }
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64,
             std::array<std::int64_t, 3>{id_x, id_w, id_y})
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, how.workspace)
        .finish();
    DEEPFREQ_CUDA(cudnnBackendExecute(handle_, how.execution->get(), pack.get()));
}

}  // namespace deepfreq::cuda
