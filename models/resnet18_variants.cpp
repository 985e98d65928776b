#include "models/resnet18_variants.h"

#include <algorithm>

#include "common/error.h"
#include "engine/layers/convolution.h"
#include "engine/layers/dense.h"
#include "engine/layers/dropout.h"
#include "engine/layers/pooling.h"
#include "engine/layers/residual_block.h"

namespace deepfreq {
namespace {

constexpr int blocks_per_part = 2;

/// The shape of the pooled grid that leaves as many features as the whole network's last part has channels;
/// wide rather than tall where it cannot be square.
ImageShape grid_for(const ImageShape& last, std::int64_t features) {
    const std::int64_t cells = std::max<std::int64_t>(1, features / last.channels);
    std::int64_t rows = 1;
    while (rows * 2 * rows * 2 <= cells) rows *= 2;
    return {rows, cells / rows, last.channels};
}

ImageShape pooled_shape(const ImageShape& image, const Resnet18Params& params) {
    switch (params.pooling) {
        case HeadPooling::Global:
            return {1, 1, image.channels};
        case HeadPooling::By4x4:
            if (image.height % 4 != 0 || image.width % 4 != 0)
                throw InputError("images of {} x {} pixels to pool by 4 x 4, expected multiples of 4",
                                 image.height, image.width);
            return {image.height / 4, image.width / 4, image.channels};
        case HeadPooling::To512:
            break;
    }
    return grid_for(image, params.parts.back());
}

}  // namespace

std::vector<std::unique_ptr<Layer>> resnet18_variant(const Resnet18Params& params) {
    const auto parts = static_cast<int>(params.parts.size());
    if (params.variant < 1 || params.variant > parts + 1)
        throw InputError(
            "variant {} of a residual network asked for, expected 1 to {}: each drops one more of {} parts",
            params.variant, parts + 1, parts);
    std::vector<std::unique_ptr<Layer>> layers;
    ImageShape image{params.height, params.width, params.channels};
    const auto add = [&]<class Image>(std::unique_ptr<Image> layer) {
        image = layer->output_shape();
        layers.push_back(std::move(layer));
    };
    const auto add_dropout = [&] {
        if (params.dropout == 0.0) return;
        const auto stream = static_cast<std::uint32_t>(layers.size());
        layers.push_back(std::make_unique<Dropout>(
            image.elements(), DropoutParams{params.dropout, params.dropout_seed, stream}));
    };
    add(std::make_unique<ConvolutionUnit>(image, ConvolutionSize{params.parts.front(), 3, 1},
                                          params.activation, params.batch_norm));
    add_dropout();
    for (int part = 0; part < parts + 1 - params.variant; ++part) {
        for (int block = 0; block < blocks_per_part; ++block)
            add(std::make_unique<ResidualBlock>(
                image, ResidualBlockParams{.channels = params.parts[static_cast<std::size_t>(part)],
                                           .stride = part > 0 && block == 0 ? 2 : 1,
                                           .residual = params.residual,
                                           .activation = params.activation,
                                           .activate_before_sum = params.activate_before_sum,
                                           .batch_norm = params.batch_norm}));
        add_dropout();
    }
    const ImageShape grid = pooled_shape(image, params);
    add(std::make_unique<AveragePooling>(image, grid.height, grid.width));
    add_dropout();
    std::int64_t features = image.elements();
    for (const std::int64_t width : params.head) {
        layers.push_back(std::make_unique<Dense>(features, width, params.activation));
        features = width;
    }
    layers.push_back(std::make_unique<Dense>(features, params.classes, Activation::Identity));
    return layers;
}

HeadPooling parse_head_pooling(std::string_view text) {
    if (text == "512") return HeadPooling::To512;
    if (text == "global") return HeadPooling::Global;
    if (text == "4x4") return HeadPooling::By4x4;
    throw InputError("the pooling is '{}', expected 512, global or 4x4", text);
}

}  // namespace deepfreq
