#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "common/error.h"
#include "kernels/cpu/open_cpu.h"
#include "kernels/cuda/open_cuda.h"
#include "kernels/cuda/plan_report.h"
#include "oracle/self_check.h"
#include "tests/files.h"
#include "tests/process.h"

namespace deepfreq::tests {

using namespace oracle;

namespace {

struct Answer {
    int status;
    std::string output, errors;
};

Answer doctor(const std::vector<std::string>& arguments) {
    const TemporaryFolder folder;
    Process app("doctor", arguments, folder.path);
    const int status = app.wait();
    return {status, app.output(), app.errors()};
}

/// A right call of `copy` of one element on the CPU, which a test then spoils.
OperationTrials copy_trials() {
    const auto is_copy = [](const Case& c) { return c.operation == Operation::Copy && c.shape == Shape{1}; };
    return {"copy", {{experiment_of(*std::find_if(cases().begin(), cases().end(), is_copy))}}};
}

}  // namespace

TEST_CASE("app/doctor: every operation of the table is checked and right on the CPU") {
    const Answer answer = doctor({"--device", "cpu"});
    CAPTURE(answer.output);
    CHECK(answer.status == 0);
    CHECK(answer.errors.empty());
    for (int operation = 0; operation < operation_count; ++operation)
        CHECK(contains(answer.output, fmt::format("\n{} ", name_of(static_cast<Operation>(operation)))));
    CHECK(contains(answer.output, "\ngaussian_low_frequency_energy, one-hot "));
    CHECK(contains(answer.output, "\ngaussian_low_frequency_energy, general "));
    CHECK(contains(answer.output, "\ndevice: " + open_cpu_backend()->description() + " (cpu: asked for)\n"));
    CHECK(contains(answer.output, "\nauto chose "));
    CHECK(contains(answer.output, "\nfree memory: "));
    CHECK(contains(answer.output, "\nall is well on cpu\n"));
    CHECK_FALSE(contains(answer.output, "FAILED"));
}

TEST_CASE("app/doctor: says what keeps CUDA from being used, and the cure") {
    const std::string missing = cuda_unavailable();
    if (missing.empty()) {
        CHECK(contains(doctor({}).output, "device: cuda"));
        return;
    }
    const Answer answer = doctor({});
    CHECK(answer.status == 0);
    CHECK(contains(answer.output, "cuda cannot be used: " + missing));
    CHECK(contains(answer.output, "cure: ") == !cuda_facts().built);
    const Answer refused = doctor({"--device", "cuda"});
    CHECK(refused.status == 2);
    CHECK(contains(refused.errors, "error: the device is cuda:0"));
}

TEST_CASE("app/doctor: --only checks the operations whose names begin so") {
    const Answer answer = doctor({"--device", "cpu", "--only", "conv2d,add"});
    CHECK(answer.status == 0);
    for (const char* const name : {"conv2d_forward", "conv2d_backward", "add", "add_squared_norms"})
        CHECK(contains(answer.output, fmt::format("\n{} ", name)));
    CHECK_FALSE(contains(answer.output, "\ndense_forward "));
    CHECK_FALSE(contains(answer.output, "\ngaussian_low_frequency_energy"));
}

TEST_CASE("app/doctor: the CPU is checked in bf16, too") {
    const Answer answer = doctor({"--device", "cpu", "--precision", "bf16", "--only", "dense,conv2d"});
    CHECK(answer.status == 0);
    CHECK(contains(answer.output, ", bf16 "));
    CHECK(contains(answer.output, "\nconv2d_backward "));
}

TEST_CASE("app/doctor: in a lower precision only the factors of products may err more") {
    const auto exact = self_check_trials();
    for (const Precision precision : {Precision::TensorFloat32, Precision::BFloat16}) {
        const auto rounded = self_check_trials(precision);
        REQUIRE(exact.size() == rounded.size());
        for (std::size_t i = 0; i < exact.size(); ++i) {
            INFO(exact[i].name);
            const auto& of_exact = exact[i].trials.back().experiment.expected.back().estimate;
            const auto& of_rounded = rounded[i].trials.back().experiment.expected.back().estimate;
            const bool multiplies = exact[i].name.starts_with("dense") || exact[i].name.starts_with("conv2d");
            const bool same = of_rounded.error == of_exact.error;
            // The last output of dense_backward is db, a sum of no products.
            CHECK(same == (!multiplies || exact[i].name == "dense_backward"));
        }
    }
}

TEST_CASE(
    "app/doctor: --plans shows each convolution's plans on a device that is not here, or says why not") {
    const TemporaryFolder folder;
    const auto file = folder.path / "device.json";
    if (cuda::described_devices().empty()) {
        const Answer refused = doctor({"--plans"});
        CHECK(refused.status == 2);
        CHECK(contains(refused.errors, "--plans: this build has no CUDA backend"));
        return;
    }
    if (!cuda::no_plan_reports().empty()) {
        MESSAGE("skipped: " << cuda::no_plan_reports());
        return;
    }
    const std::string& properties = cuda::described_devices().front().properties;
    write_file(file, Bytes(properties.begin(), properties.end()));
    const Answer answer = doctor({"--plans", file});
    CHECK(answer.status == 0);
    CHECK(contains(answer.output, "\ndw added of 256x32x32x64, 64 filters of 3x3, stride 1, padding 1 "));
    CHECK(contains(answer.output, " 0 without a plan; largest workspace "));
    write_file(file, {'{', '}'});
    const Answer refused = doctor({"--plans", file});
    CHECK(refused.status == 2);
    CHECK(contains(refused.errors, "error: cuDNN refuses these properties of a device: "));
    CHECK(contains(doctor({"--plans", folder.path / "none"}).errors, "none: cannot be read"));
}

TEST_CASE("app/doctor: a flag or device that does not exist is refused") {
    for (const auto& [arguments, words] :
         {std::pair<std::vector<std::string>, const char*>{{"--devices", "cpu"}, "--devices"},
          {{"--device", "gpu"}, "the device is 'gpu', expected auto, cpu, cuda or cuda:N"},
          {{"--device", "cpu", "--precision", "tf32"}, "the precision is tf32, which only GPUs have"},
          {{"--precision", "fp8"}, "the precision is 'fp8'"},
          {{"--device", "cpu", "--only", "conv3d"}, "--only is 'conv3d'"}}) {
        const Answer answer = doctor(arguments);
        CHECK(answer.status == 2);
        CHECK(contains(answer.errors, words));
        CHECK_FALSE(contains(answer.output, "all is well"));
    }
}

TEST_CASE(
    "app/doctor: a wrong value, memory that was not to be written, and what is thrown fail an operation") {
    const auto cpu = open_cpu_backend();
    const CheckedOperation right = check_operation(copy_trials(), *cpu);
    CHECK(right.complaint.empty());
    CHECK(right.error_share == 0.0);

    OperationTrials wrong = copy_trials();
    wrong.trials[0].experiment.expected[0].estimate.value[0] += 1.0;
    CHECK(contains(check_operation(wrong, *cpu).complaint, "to[0] is "));
    CHECK(check_operation(wrong, *cpu).error_share == std::numeric_limits<double>::infinity());

    OperationTrials missing = copy_trials();
    missing.trials[0].experiment.expected[0].output = "another";
    CHECK(check_operation(missing, *cpu).complaint == "another has 0 values, expected 1");

    OperationTrials past_end = copy_trials();
    past_end.trials[0].experiment.call = [](Backend& backend, Stage& stage) {
        backend.zero(Tensor(stage.overwritten("to", {1}).data, {2}));
    };
    past_end.trials[0].experiment.expected.clear();
    CHECK(check_operation(past_end, *cpu).complaint == "to: memory past the end of the tensor was written");

    OperationTrials input_changed = copy_trials();
    input_changed.trials[0].experiment.call = [](Backend& backend, Stage& stage) {
        const auto input = stage.input<float>({1}, {1.0F});
        backend.zero(Tensor(const_cast<float*>(input.data), {1}));
    };
    input_changed.trials[0].experiment.expected.clear();
    CHECK(check_operation(input_changed, *cpu).complaint == "an input: it was changed");

    OperationTrials throws = copy_trials();
    throws.trials[0].experiment.call = [](Backend&, Stage&) { throw RunError("the device is gone"); };
    CHECK(check_operation(throws, *cpu).complaint == "the device is gone");
}

}  // namespace deepfreq::tests
