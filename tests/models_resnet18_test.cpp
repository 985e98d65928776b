#include <doctest/doctest.h>

#include <string>

#include "common/error.h"
#include "engine/network.h"
#include "models/resnet18_variants.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

using Layers = std::vector<std::unique_ptr<Layer>>;

std::vector<std::string> descriptions(const Layers& layers) {
    std::vector<std::string> texts;
    for (const auto& layer : layers) texts.push_back(layer->description());
    return texts;
}

Layers variant(int which, HeadPooling pooling = HeadPooling::To512) {
    return resnet18_variant({.variant = which, .pooling = pooling});
}

std::int64_t parameter_count(const Layers& layers) {
    std::int64_t count = 0;
    const MemoryPlan plan = plan_of(layers);
    for (const MemoryPlan::Lasting& parameter : plan.parameters()) count += parameter.spec.shape.elements();
    return count;
}

/// A variant of four parts of few channels each.
Resnet18Params narrow(int which) {
    return {.parts = {1, 2, 4, 8}, .variant = which, .head = {8}};
}

}  // namespace

TEST_CASE("models/resnet18: the first variant is ResNet-18 for small images behind two dense layers") {
    CHECK(descriptions(variant(1)) ==
          std::vector<std::string>{
              "conv3x3 3-64 stride 1 relu", "residual block 64-64 stride 1 relu",
              "residual block 64-64 stride 1 relu", "residual block 64-128 stride 2 relu",
              "residual block 128-128 stride 1 relu", "residual block 128-256 stride 2 relu",
              "residual block 256-256 stride 1 relu", "residual block 256-512 stride 2 relu",
              "residual block 512-512 stride 1 relu", "average 4x4 to 1x1", "dense 512-512 relu",
              "dense 512-10 identity"});
}

TEST_CASE("models/resnet18: each variant drops one more part, and the dense layers stay as they are") {
    const std::vector<std::string> whole = descriptions(variant(1));
    const std::string pooled[] = {"average 4x4 to 1x1", "average 8x8 to 1x2", "average 16x16 to 2x2",
                                  "average 32x32 to 2x4"};
    for (int which = 1; which <= 4; ++which) {
        CAPTURE(which);
        std::vector<std::string> expected(whole.begin(), whole.begin() + 9 - 2 * (which - 1));
        expected.push_back(pooled[which - 1]);
        expected.insert(expected.end(), whole.end() - 2, whole.end());
        const Layers layers = variant(which);
        CHECK(descriptions(layers) == expected);
        CHECK(layers.front()->inputs() == 32 * 32 * 3);
        CHECK(layers[layers.size() - 3]->outputs() == 512);  // f[-3], what the dense layers get
        CHECK(layers.back()->outputs() == 10);
    }
}

// 11 173 962 is the well-known count of ResNet-18 with 10 classes and a 3x3 stem, whose head is one dense
// layer of 5130; ours has one of 512 x 513 more. The others are less the parts they drop.
TEST_CASE("models/resnet18: the parameters are as many as ResNet-18 has") {
    CHECK(parameter_count(variant(1)) == 11'173'962 + 512 * 513);
    CHECK(parameter_count(variant(2)) == 3'042'890);
    CHECK(parameter_count(variant(3)) == 943'178);
    CHECK(parameter_count(variant(4)) == 417'610);
}

TEST_CASE("models/resnet18: pooled globally, there are as many features as the last part has channels") {
    const std::int64_t features[] = {512, 256, 128, 64};
    const std::int64_t extent[] = {4, 8, 16, 32};
    for (int which = 1; which <= 4; ++which) {
        CAPTURE(which);
        const std::vector<std::string> texts = descriptions(variant(which, HeadPooling::Global));
        CHECK(*(texts.end() - 3) == fmt::format("average {0}x{0} to 1x1", extent[which - 1]));
        CHECK(*(texts.end() - 2) == fmt::format("dense {}-512 relu", features[which - 1]));
        CHECK(texts.back() == "dense 512-10 identity");
    }
    CHECK(parse_head_pooling("global") == HeadPooling::Global);
    CHECK(parse_head_pooling("512") == HeadPooling::To512);
    CHECK(parse_head_pooling("4x4") == HeadPooling::By4x4);
    CHECK_THROWS_WITH_AS(parse_head_pooling("max"), "the pooling is 'max', expected 512, global or 4x4",
                         InputError);
}

TEST_CASE(
    "models/resnet18: every variant is a network, with or without shortcuts, and fits images of any shape") {
    for (const TestedBackend& tested : backends_present())
        for (int which = 1; which <= 4; ++which)
            for (const bool residual : {true, false}) {
                CAPTURE(which);
                CAPTURE(residual);
                Resnet18Params params = narrow(which);
                params.height = 16;
                params.width = 24;
                params.classes = 5;
                params.residual = residual;
                params.activation = which == 1 ? Activation::Tanh : Activation::Relu;
                Network network(*tested.backend, resnet18_variant(params), 2);
                CHECK(network.width(0) == 16 * 24 * 3);
                CHECK(network.width(-3) == 8);
                CHECK(network.width(-1) == 5);
                CHECK((network.description().find("plain") == std::string::npos) == residual);
                CHECK((network.description().find("relu") == std::string::npos) == (which == 1));
                network.initialize({}, 1);
                const Buffer x = tested.backend->allocate_zeros({2, 16 * 24 * 3});
                CHECK(network.forward(x.view<float>({2, 16 * 24 * 3})).shape == Shape{2, 5});
            }
}

TEST_CASE(
    "models/resnet18: the networks of the paper's programs have three parts, dropout and two dense layers") {
    const auto of_programs = [](int which) {
        return descriptions(resnet18_variant({.parts = {64, 128, 256},
                                              .variant = which,
                                              .pooling = HeadPooling::By4x4,
                                              .head = {1024, 1024},
                                              .activate_before_sum = true,
                                              .dropout = 0.1}));
    };
    CHECK(of_programs(1) ==
          std::vector<std::string>{"conv3x3 3-64 stride 1 relu", "dropout 0.1",
                                   "residual block 64-64 stride 1 relu before the sum",
                                   "residual block 64-64 stride 1 relu before the sum", "dropout 0.1",
                                   "residual block 64-128 stride 2 relu before the sum",
                                   "residual block 128-128 stride 1 relu before the sum", "dropout 0.1",
                                   "residual block 128-256 stride 2 relu before the sum",
                                   "residual block 256-256 stride 1 relu before the sum", "dropout 0.1",
                                   "average 8x8 to 2x2", "dropout 0.1", "dense 1024-1024 relu",
                                   "dense 1024-1024 relu", "dense 1024-10 identity"});
    CHECK(of_programs(4) == std::vector<std::string>{"conv3x3 3-64 stride 1 relu", "dropout 0.1",
                                                     "average 32x32 to 8x8", "dropout 0.1",
                                                     "dense 4096-1024 relu", "dense 1024-1024 relu",
                                                     "dense 1024-10 identity"});
}

TEST_CASE("models/resnet18: variants beyond that without a part, and images too small to pool, are refused") {
    for (const int which : {-1, 0, 6})
        CHECK_THROWS_WITH_AS(variant(which),
                             fmt::format("variant {} of a residual network asked for, expected 1 to 5: "
                                         "each drops one more of 4 parts",
                                         which)
                                 .c_str(),
                             InputError);
    const auto of_image = [](int which, std::int64_t height, std::int64_t width) {
        Resnet18Params params = narrow(which);
        params.height = height;
        params.width = width;
        return resnet18_variant(params);
    };
    CHECK_NOTHROW(of_image(1, 1, 1));
    CHECK_NOTHROW(of_image(4, 2, 4));
    CHECK_THROWS_WITH_AS(of_image(4, 1, 4),
                         "an image of 1x4 is to be averaged to 2x4, expected a grid that divides it",
                         InputError);
    CHECK_THROWS_AS(of_image(4, 2, 2), InputError);
    CHECK_THROWS_AS(of_image(2, 1, 1), InputError);
    CHECK_THROWS_AS(of_image(1, 0, 8), InputError);
}
