#include "models/resnet18_variants.h"

#include <algorithm>

#include "common/error.h"
#include "engine/layers/convolution.h"
#include "engine/layers/dense.h"
#include "engine/layers/pooling.h"
#include "engine/layers/residual_block.h"

namespace deepfreq {
namespace {

constexpr int blocks_per_part = 2;

/// Rows and columns of the grid that leaves as many features as the whole network's last part has channels;
/// wide rather than high, where it cannot be square.
ImageShape grid_for(const ImageShape& last, std::int64_t features) {
    const std::int64_t cells = std::max<std::int64_t>(1, features / last.channels);
    std::int64_t rows = 1;
    while (rows * 2 * rows * 2 <= cells) rows *= 2;
    return {rows, cells / rows, last.channels};
}

}  // namespace

std::vector<std::unique_ptr<Layer>> resnet18_variant(const Resnet18Params& params) {
    const auto parts = static_cast<int>(params.parts.size());
    if (params.variant < 1 || params.variant > parts)
        throw InputError(
            "variant {} of a residual network asked for, expected 1 to {}: each drops one of {} parts",
            params.variant, parts, parts);
    std::vector<std::unique_ptr<Layer>> layers;
    ImageShape image{params.height, params.width, params.channels};
    const auto add = [&]<class Image>(std::unique_ptr<Image> layer) {
        image = layer->output_shape();
        layers.push_back(std::move(layer));
    };
    add(std::make_unique<ConvolutionUnit>(image, ConvolutionSize{params.parts.front(), 3, 1}, params.sigma));
    for (int part = 0; part < parts + 1 - params.variant; ++part)
        for (int block = 0; block < blocks_per_part; ++block) {
            const std::int64_t stride = part > 0 && block == 0 ? 2 : 1;
            add(std::make_unique<ResidualBlock>(image, params.parts[static_cast<std::size_t>(part)], stride,
                                                params.residual, params.sigma));
        }
    const ImageShape grid = params.pooling == HeadPooling::Global ? ImageShape{1, 1, image.channels}
                                                                  : grid_for(image, params.parts.back());
    add(std::make_unique<AveragePooling>(image, grid.height, grid.width));
    std::int64_t features = image.elements();
    for (const std::int64_t width : params.head) {
        layers.push_back(std::make_unique<Dense>(features, width, params.sigma));
        features = width;
    }
    layers.push_back(std::make_unique<Dense>(features, params.classes, Activation::Identity));
    return layers;
}

HeadPooling parse_head_pooling(std::string_view text) {
    if (text == "512") return HeadPooling::To512;
    if (text == "global") return HeadPooling::Global;
    throw InputError("the pooling is '{}', expected 512 or global", text);
}

}  // namespace deepfreq
