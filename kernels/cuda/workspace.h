#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <vector>

namespace deepfreq::cuda {

/// Memory that the library calls of one stream share: they run one after the other.
class Workspace {
  public:
    explicit Workspace(cudaStream_t stream) : stream_(stream) {}
    ~Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    cudaStream_t stream() const { return stream_; }

    /// At least `bytes`, beginning on 256 of them, for calls queued before the next take(). Grows when it
    /// must, but not while the stream is captured: RunError. Memory that a graph has seen stays where it
    /// is.
    void* take(std::size_t bytes);

  private:
    struct Block {
        void* data = nullptr;
        std::size_t bytes = 0;
        bool captured = false;
    };
    bool is_captured() const;

    cudaStream_t stream_;
    Block block_;
    std::vector<void*> outgrown_;  ///< which graphs may still use
};

}  // namespace deepfreq::cuda
