#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/trainer.h"
#include "kernels/cuda/bfloat16_kernels.h"
#include "kernels/cuda/launch_shape.h"
#include "models/mlp.h"
#include "tests/checks.h"
#include "tests/cuda_on_host.h"
#include "tests/engine_fixtures.h"

// The kernels of the CUDA backend on the host: the table of cases against the reference, as for every
// backend.

namespace deepfreq::tests {
namespace {

TEST_CASE(
    "cuda/kernels: every operation's kernels agree with the reference, and repeat bit for bit, on the host") {
    CudaOnHost backend;
    for (const Case& c : cases()) {
        if (c.paper_size || c.shape.elements() > 20000) continue;  // thousands of host threads each
        if (c.seed % one_input_in != 0) continue;
        const bool a_block_a_channel =
            c.operation == Operation::BatchNormForwardTraining || c.operation == Operation::BatchNormBackward;
        const bool common = c.activation == Activation::Identity || c.activation == Activation::Relu;
        if (a_block_a_channel && c.shape[3] > (common ? 17 : 3)) continue;
        const Experiment experiment = experiment_of(c);
        INFO(c.name());
        const auto outputs = outputs_of(experiment, backend, c.misaligned);
        check_close(outputs, experiment);
        if (c.seed % 3 != 0) continue;  // enough to see an order that depends on the threads
        const auto again = outputs_of(experiment, backend, c.misaligned);
        for (std::size_t i = 0; i < outputs.size(); ++i) CHECK(outputs[i].bytes == again[i].bytes);
    }
}

TEST_CASE("cuda/kernels: a NaN stays one through ReLU, and shows in both losses") {
    float y = nan;
    const float zero = 0.0F;
    cuda::AddBiasAndActivate<Activation::Relu>{&zero, &y, 1}(0);
    CHECK(std::isnan(y));
    CudaOnHost backend;
    const DeviceTensor p = on_device(backend, {2, 2}, {1.0F, nan, 0.0F, 0.0F});
    const DeviceTensor t = on_device(backend, {2, 2}, {1.0F, 0.0F, 0.0F, 1.0F});
    const Buffer sums = backend.allocate(sizeof(double));
    const Buffer state = backend.allocate(sizeof(StepState));
    backend.zero(state.view<StepState>({1}));
    for (const Loss loss : {Loss::MeanSquaredError, Loss::SoftmaxCrossEntropy}) {
        backend.zero(sums.view<double>({1}));
        apply_loss(backend, loss, p.view, t.view, {}, sums.view<double>({1}), state.view<StepState>({1}));
        CHECK(std::isnan(on_host(backend, sums.view<double>({1})).front()));
    }
}

TEST_CASE("cuda/kernels: batches come in the same order, and training goes the same way, as on the CPU") {
    const auto cpu = open_backend("cpu").backend;
    CudaOnHost host;
    const Dataset data = labelled_points(23, 6, 3);
    std::vector<std::vector<float>> trained;
    for (Backend* const backend : {cpu.get(), static_cast<Backend*>(&host)}) {
        const DeviceDataset set(*backend, data);
        Network network(*backend, mlp({6, {8, 5}, 3, Activation::Tanh}), 5);
        network.initialize({}, 1);
        Trainer trainer(*backend, network, set, {.learning_rate = 1e-2, .adam = {}, .seed = 7});
        for (int epoch = 0; epoch < (one_input_in > 1 ? 1 : 4); ++epoch)
            REQUIRE(trainer.finish_epoch([] { return true; }));
        trained.push_back(on_host(*backend, network.parameters()));
    }
    REQUIRE(trained[0].size() == trained[1].size());
    // 20 steps of 1e-2: another order of batches would differ by far more than rounding does.
    for (std::size_t i = 0; i < trained[0].size(); ++i)
        CHECK(trained[1][i] == doctest::Approx(trained[0][i]).epsilon(1e-3).scale(0.1));
}

TEST_CASE("cuda/kernels: bfloat16 is the nearest, ties to even, and infinity and NaN stay") {
    const auto nearest = [](float x) {
        float rounded = 0.0F;
        cuda::RoundToBfloat16{&x, &rounded}(0);
        const auto bits = std::bit_cast<std::uint32_t>(rounded);
        REQUIRE((bits & 0xFFFFU) == 0);
        return bits >> 16;
    };
    for (std::uint32_t bits = 0; bits < 0x7F7F; ++bits) {  // every finite one but the largest, and the next
        const auto value = std::bit_cast<float>(bits << 16);
        const auto next = std::bit_cast<float>((bits + 1) << 16);
        const auto middle = std::bit_cast<float>(bits << 16 | 0x8000U);
        REQUIRE(nearest(value) == bits);
        REQUIRE(nearest(-value) == (bits | 0x8000U));
        REQUIRE(nearest(middle) == bits + bits % 2);
        REQUIRE(nearest(std::nextafter(middle, value)) == bits);
        REQUIRE(nearest(std::nextafter(middle, next)) == bits + 1);
    }
    CHECK(nearest(std::numeric_limits<float>::infinity()) == 0x7F80);
    CHECK(nearest(std::numeric_limits<float>::max()) == 0x7F80);
    CHECK((nearest(std::numeric_limits<float>::quiet_NaN()) & 0x7FFF) > 0x7F80);
    CHECK((nearest(std::bit_cast<float>(0x7F800001U)) & 0x7FFF) > 0x7F80);
}

TEST_CASE("cuda/launch: blocks cover all items, at least one, at most the limit") {
    using cuda::blocks_for;
    CHECK(blocks_for(0, 256) == 1);
    CHECK(blocks_for(1, 256) == 1);
    CHECK(blocks_for(256, 256) == 1);
    CHECK(blocks_for(257, 256) == 2);
    CHECK(blocks_for(1'000'000, 256, 1024) == 1024);
    CHECK(blocks_for(1000, 256, 1024) == 4);
    CHECK(blocks_for((std::int64_t{1} << 38) + 1, 256) == (std::int64_t{1} << 30) + 1);
}

TEST_CASE(
    "cuda/launch: a batch of the paper is one block a loss, all of its parameters at most 1024 of Adam") {
    CHECK(cuda::loss_blocks(256 * 10, 1024) == 1);
    CHECK(cuda::loss_blocks(1'000'000, 1024) == 245);
    CHECK(cuda::loss_blocks(100'000'000, 1024) == 1024);
    CHECK(cuda::row_loss_blocks(256, 10, 1024) == 1);
    CHECK(cuda::adam_blocks(1) == 1);
    CHECK(cuda::adam_blocks(1'399'510) == 1024);
}

TEST_CASE("cuda/launch: rows of many classes are spread over blocks, one row per thread") {
    CHECK(cuda::row_loss_blocks(4096, 1000, 1024) == 16);
    CHECK(cuda::row_loss_blocks(4097, 1000, 1024) == 17);
    CHECK(cuda::row_loss_blocks(1, 100'000, 1024) == 1);
    CHECK(cuda::row_loss_blocks(100'000, 10, 1024) == 245);
    CHECK(cuda::row_loss_blocks(1'000'000, 1000, 1024) == 1024);
}

}  // namespace
}  // namespace deepfreq::tests
