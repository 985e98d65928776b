#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/layer.h"

namespace deepfreq {

/// The pooling between the last convolution part and the hidden dense layer.
enum class HeadPooling {
    To512,   ///< averages down to a grid with as many features in total as part four has channels
    Global,  ///< averages each channel
    By4x4,   ///< averages windows of 4×4 pixels, as in the paper's programs
};

/// The paper's Resnet18-1 … Resnet18-4 (Fig. 4): ResNet-18 for small images, from which each variant drops
/// one more convolution part; the "two same fully-connected layers" after it stay.
///
/// The paper does not say how parts of different sizes connect to the same dense layers. Two readings:
///  * the default here: the last of four parts is average-pooled to 512 features (1×1×512, 1×2×256, 2×2×128,
///    2×4×64), so that f[-3] is that 512-vector and the dense layers are literally the same in all variants;
///  * the paper's programs (parts 64, 128, 256; pooling By4x4; head 1024, 1024; dropout 0.1): 1024 to 4096
///    features enter a dense layer of 1024, which is f[-3] in all variants.
struct Resnet18Params {
    std::int64_t height = 32, width = 32, channels = 3;
    std::int64_t classes = 10;
    /// Channels of each part; the stem has as many as the first part.
    std::vector<std::int64_t> parts = {64, 128, 256, 512};
    int variant = 1;  ///< number of dropped parts plus 1; parts.size() + 1 has no parts at all
    HeadPooling pooling = HeadPooling::To512;
    std::vector<std::int64_t> head = {512};    ///< hidden dense layers
    Activation activation = Activation::Relu;  ///< of all layers except the last
    bool residual = true;                      ///< false: without shortcuts
    bool activate_before_sum = false;          ///< ResidualBlockParams::activate_before_sum
    double dropout = 0.0;                      ///< after the stem, each part and the pooling; 0: none
    std::uint64_t dropout_seed = 0;
    BatchNormParams batch_norm = {};
};

/// A 3×3 stem, then two basic blocks per part; the first block of every part except the first has stride 2.
/// Throws InputError for a variant beyond the one without parts, and for images too small to pool.
std::vector<std::unique_ptr<Layer>> resnet18_variant(const Resnet18Params& params);

/// "512", "global" or "4x4". Throws InputError for anything else.
HeadPooling parse_head_pooling(std::string_view text);

}  // namespace deepfreq
