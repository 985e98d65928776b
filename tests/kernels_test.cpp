#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "oracle/cases.h"
#include "tests/backends.h"
#include "tests/checks.h"

namespace deepfreq::tests {

using namespace oracle;

namespace {

TEST_CASE("kernels: every operation has at least 12 shapes in the table") {
    std::map<Operation, std::vector<Shape>> shapes;
    for (const Case& c : cases()) {
        auto& seen = shapes[c.operation];
        if (std::find(seen.begin(), seen.end(), c.shape) == seen.end()) seen.push_back(c.shape);
    }
    CHECK(shapes.size() == operation_count);
    for (const auto& entry : shapes) {
        INFO("operation: " << name_of(entry.first));
        CHECK(entry.second.size() >= 12);
    }
}

void check_table(Operation operation, const std::vector<TestedBackend>& backends = backends_present()) {
    for (const Case& c : cases()) {
        if (c.operation != operation) continue;
        for (const TestedBackend& tested : backends) {
            Case computed = c;
            computed.precision = tested.backend->precision();
            const Experiment experiment = experiment_of(computed);
            INFO(tested.name << ": " << c.name());
            const auto outputs = outputs_of(experiment, *tested.backend, c.misaligned);
            check_close(outputs, experiment);
            const auto again = outputs_of(experiment, *tested.backend, c.misaligned);
            for (std::size_t i = 0; i < outputs.size(); ++i)
                CHECK_MESSAGE(outputs[i].bytes == again[i].bytes,
                              outputs[i].name << " differs between two calls");
        }
    }
}

// One test case an operation, so that the summary and --test-case tell them apart.
TEST_CASE("kernels: copy agrees with the reference") {
    check_table(Operation::Copy);
}
TEST_CASE("kernels: dense_forward agrees with the reference") {
    check_table(Operation::DenseForward, backends_in_all_precisions());
}
TEST_CASE("kernels: dense_backward agrees with the reference") {
    check_table(Operation::DenseBackward, backends_in_all_precisions());
}
TEST_CASE("kernels: mean_squared_error agrees with the reference") {
    check_table(Operation::MeanSquaredError);
}
TEST_CASE("kernels: softmax_cross_entropy agrees with the reference") {
    check_table(Operation::SoftmaxCrossEntropy);
}
TEST_CASE("kernels: count_correct agrees with the reference") {
    check_table(Operation::CountCorrect);
}
TEST_CASE("kernels: adam agrees with the reference") {
    check_table(Operation::Adam);
}
TEST_CASE("kernels: gather_rows agrees with the reference") {
    check_table(Operation::GatherRows);
}
TEST_CASE("kernels: gather_augmented_images agrees with the reference") {
    check_table(Operation::GatherAugmentedImages);
}
TEST_CASE("kernels: random_permutation agrees with the reference") {
    check_table(Operation::RandomPermutation);
}
TEST_CASE("kernels: scale_columns_by_max_abs agrees with the reference") {
    check_table(Operation::ScaleColumnsByMaxAbs);
}
TEST_CASE("kernels: add_squared_norms agrees with the reference") {
    check_table(Operation::AddSquaredNorms);
}
TEST_CASE("kernels: sum_of_squares agrees with the reference") {
    check_table(Operation::SumOfSquares);
}
TEST_CASE("kernels: first_non_finite agrees with the reference") {
    check_table(Operation::FirstNonFinite);
}
TEST_CASE("kernels: conv2d_forward agrees with the reference") {
    check_table(Operation::Conv2dForward, backends_in_all_precisions());
}
TEST_CASE("kernels: conv2d_backward agrees with the reference") {
    check_table(Operation::Conv2dBackward, backends_in_all_precisions());
}
TEST_CASE("kernels: batch_norm_forward_training agrees with the reference") {
    check_table(Operation::BatchNormForwardTraining);
}
TEST_CASE("kernels: batch_norm_forward_inference agrees with the reference") {
    check_table(Operation::BatchNormForwardInference);
}
TEST_CASE("kernels: batch_norm_backward agrees with the reference") {
    check_table(Operation::BatchNormBackward);
}
TEST_CASE("kernels: average_pool_forward agrees with the reference") {
    check_table(Operation::AveragePoolForward);
}
TEST_CASE("kernels: average_pool_backward agrees with the reference") {
    check_table(Operation::AveragePoolBackward);
}
TEST_CASE("kernels: max_pool_forward agrees with the reference") {
    check_table(Operation::MaxPoolForward);
}
TEST_CASE("kernels: max_pool_backward agrees with the reference") {
    check_table(Operation::MaxPoolBackward);
}
TEST_CASE("kernels: add agrees with the reference") {
    check_table(Operation::Add);
}
TEST_CASE("kernels: dropout agrees with the reference") {
    check_table(Operation::Dropout);
}
TEST_CASE("kernels: softmax agrees with the reference") {
    check_table(Operation::Softmax);
}
TEST_CASE("kernels: centre_columns agrees with the reference") {
    check_table(Operation::CentreColumns);
}

}  // namespace
}  // namespace deepfreq::tests
