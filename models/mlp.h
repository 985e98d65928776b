#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/layer.h"

namespace deepfreq {

/// A fully connected network: `hidden` layers with an activation, then a linear output (eqs. 7 to 9).
struct MlpParams {
    std::int64_t inputs = 784;
    std::vector<std::int64_t> hidden = {500, 500, 500, 500, 500};
    std::int64_t outputs = 10;
    Activation activation = Activation::Tanh;
    /// Among the hidden layers that are as wide as their input, every k-th adds its input:
    /// x + activation(w x + b). 0: none does.
    std::int64_t residual_every = 0;
    /// How many dense layers each residual connection spans. From 2 on, hidden layers of equal width are
    /// grouped into such blocks, starting from the input; each block is one layer of the network. Layers left
    /// over stay plain, and residual_every counts blocks.
    int residual_span = 1;
};

std::vector<std::unique_ptr<Layer>> mlp(const MlpParams& params);

/// Widths of hidden layers: "500x5" (five of 500), "500,300,100", or both mixed: "784,500x4".
/// Throws InputError for anything else.
std::vector<std::int64_t> parse_widths(std::string_view text);

}  // namespace deepfreq
