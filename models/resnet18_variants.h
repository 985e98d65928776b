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
    By4x4,   ///< averages windows of 4×4 pixels, as the paper's programs do
};

/// The paper's Resnet18-1 … Resnet18-4 (Fig. 4): ResNet-18 for small images, from which each variant drops
/// one more convolution part; the "two same fully-connected layers" behind it stay.
///
/// The paper does not say how the parts of different size meet the same dense layers. Two readings:
///  * the default here: the last of four parts is average-pooled to 512 features (1×1×512, 1×2×256, 2×2×128,
///    2×4×64), so that f[-3] is that 512-vector and the dense layers are literally the same in all variants;
///  * the paper's programs (parts 64, 128, 256; pooling By4x4; head 1024, 1024; dropout 0.1): 1024 to 4096
///    features meet a dense layer of 1024, which is f[-3] in all variants.
struct Resnet18Params {
    std::int64_t height = 32, width = 32, channels = 3;
    std::int64_t classes = 10;
    /// Channels of the parts; the first also of the stem.
    std::vector<std::int64_t> parts = {64, 128, 256, 512};
    int variant = 1;  ///< parts dropped, plus 1; that without any part is parts.size() + 1
    HeadPooling pooling = HeadPooling::To512;
    std::vector<std::int64_t> head = {512};    ///< hidden dense layers
    Activation activation = Activation::Relu;  ///< of all layers but the last
    bool residual = true;                      ///< false: without shortcuts
    bool activate_before_sum = false;          ///< ResidualBlockParams::activate_before_sum
    double dropout = 0.0;                      ///< behind the stem, each part and the pooling; 0: none
    std::uint64_t dropout_seed = 0;
    BatchNormParams batch_norm = {};
};

/// A 3×3 stem, then two basic blocks a part, the first of all parts but the first with stride 2. Throws
/// InputError for a variant beyond that without any part, and for images too small to pool.
std::vector<std::unique_ptr<Layer>> resnet18_variant(const Resnet18Params& params);

/// "512", "global" or "4x4". Throws InputError for anything else.
HeadPooling parse_head_pooling(std::string_view text);

}  // namespace deepfreq
