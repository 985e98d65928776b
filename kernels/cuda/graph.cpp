#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/cuda_backend.h"

namespace deepfreq {
namespace {

class CudaGraph final : public Graph {
  public:
    CudaGraph(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
        DEEPFREQ_CUDA(cudaGraphInstantiate(&graph_, graph, 0));
    }
    ~CudaGraph() override {
        // A replay may still be running.
        cudaStreamSynchronize(stream_);
        cudaGraphExecDestroy(graph_);
    }
    CudaGraph(const CudaGraph&) = delete;
    CudaGraph& operator=(const CudaGraph&) = delete;
    void replay() override { DEEPFREQ_CUDA(cudaGraphLaunch(graph_, stream_)); }

  private:
    cudaGraphExec_t graph_ = nullptr;
    cudaStream_t stream_;
};

/// A graph that is needed only until it is instantiated.
struct Captured {
    cudaGraph_t graph = nullptr;
    Captured() = default;
    Captured(const Captured&) = delete;
    Captured& operator=(const Captured&) = delete;
    ~Captured() {
        if (graph != nullptr) cudaGraphDestroy(graph);
    }
};

}  // namespace

std::unique_ptr<Graph> CudaBackend::capture_work(std::function<void()> work) {
    Captured captured;
    // Anything that would wait for the device or allocate is an error while this thread captures.
    DEEPFREQ_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    try {
        work();
    } catch (...) {
        cudaStreamEndCapture(stream, &captured.graph);
        cudaGetLastError();
        throw;
    }
    DEEPFREQ_CUDA(cudaStreamEndCapture(stream, &captured.graph));
    return std::make_unique<CudaGraph>(captured.graph, stream);
}

}  // namespace deepfreq
