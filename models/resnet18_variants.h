#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/layer.h"

namespace deepfreq {

/// What lies between the last convolution part and the hidden dense layer.
enum class HeadPooling {
    To512,   ///< averages to the grid that leaves as many features as part four has channels
    Global,  ///< averages each channel
};

/// The paper's Resnet18-1 … Resnet18-4 (Fig. 4): ResNet-18 for small images, from which each variant drops
/// one more convolution part; the "two same fully-connected layers" behind it stay.
///
/// The paper does not say how the parts of different size meet the same dense layers. Our reading: the last
/// part is average-pooled to 512 features (1×1×512, 1×2×256, 2×2×128, 2×4×64), so that the dense layers, the
/// learning component, are literally the same in all variants, and f[-3] is that 512-vector.
struct Resnet18Params {
    std::int64_t height = 32, width = 32, channels = 3;
    std::int64_t classes = 10;
    /// Channels of the parts; the first also of the stem.
    std::vector<std::int64_t> parts = {64, 128, 256, 512};
    int variant = 1;  ///< parts dropped, plus 1
    HeadPooling pooling = HeadPooling::To512;
    std::vector<std::int64_t> head = {512};  ///< hidden dense layers
    Activation sigma = Activation::Relu;     ///< of all layers but the last
    bool residual = true;                    ///< false: without shortcuts
};

/// A 3×3 stem, then two basic blocks a part, the first of parts two to four with stride 2. Throws InputError
/// for a variant that leaves no part, and for images too small to pool.
std::vector<std::unique_ptr<Layer>> resnet18_variant(const Resnet18Params& params);

/// "512" or "global". Throws InputError for anything else.
HeadPooling parse_head_pooling(std::string_view text);

}  // namespace deepfreq
