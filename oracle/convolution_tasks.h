#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/cuda/convolution_task.h"
#include "models/resnet18_variants.h"

// The convolutions that a backend must support, found by asking the networks and the table of cases.

namespace deepfreq::oracle {

/// What a training step of a network requires of the device.
struct StepNeeds {
    std::vector<cuda::ConvolutionTask> convolutions;  ///< each once; filter gradients overwritten and added
    std::size_t bytes;                                ///< of the network's tensors and one batch
};
StepNeeds step_needs(const Resnet18Params& params, std::int64_t batch);

/// Those of a training step of every variant at the paper's batch of 256, of the smaller batches that end its
/// epochs, of grey and of larger images, and of the table of cases; each listed once.
std::vector<cuda::ConvolutionTask> required_convolutions();

/// "dw + of 256x32x32x64, 64 filters of 3x3, stride 1, padding 1, on 16 bytes"
std::string text_of(const cuda::ConvolutionTask& task);

}  // namespace deepfreq::oracle
