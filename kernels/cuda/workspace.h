#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <vector>

namespace deepfreq::cuda {

/// Memory shared by the library calls of one stream, which run one after the other.
class Workspace {
  public:
    explicit Workspace(cudaStream_t stream) : stream_(stream) {}
    ~Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    cudaStream_t stream() const { return stream_; }

    /// At least `bytes`, aligned to 256 bytes, for calls queued before the next take(). Grows if it must, but
    /// not while the stream is being captured: RunError. Memory that a graph has seen stays where it is.
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
    std::vector<void*> outgrown_;  ///< may still be used by graphs
};

}  // namespace deepfreq::cuda
