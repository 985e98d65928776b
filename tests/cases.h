#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/params.h"

// The one table of cases: what every backend is tested on against the reference, and what is benchmarked.

namespace deepfreq::tests {

enum class Operation {
    Copy,
    DenseForward,
    DenseBackward,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    CountCorrect,
    Adam,
    GatherRows,
    RandomPermutation,
    ScaleColumnsByMaxAbs,
    SumOfSquares,
    FirstNonFinite,
};
constexpr int operation_count = static_cast<int>(Operation::FirstNonFinite) + 1;

inline std::string name_of(Operation operation) {
    constexpr const char* names[operation_count] = {"copy",
                                                    "dense_forward",
                                                    "dense_backward",
                                                    "mean_squared_error",
                                                    "softmax_cross_entropy",
                                                    "count_correct",
                                                    "adam",
                                                    "gather_rows",
                                                    "random_permutation",
                                                    "scale_columns_by_max_abs",
                                                    "sum_of_squares",
                                                    "first_non_finite"};
    return names[static_cast<int>(operation)];
}

inline std::string name_of(Activation sigma) {
    constexpr const char* names[] = {"identity", "tanh", "relu", "sigmoid"};
    return names[static_cast<int>(sigma)];
}

/// One row. The shape is [n, in, out] of a dense layer, [n, c] of losses, count_correct and matrices,
/// [rows, columns, batch] of gather_rows, [size] of the rest.
struct Case {
    Operation operation;
    Shape shape;
    Activation sigma = Activation::Identity;
    float scale = 1.0F;         ///< standard deviation of the inputs
    std::int64_t position = 0;  ///< of StepState: the sample, step or update at which the operation starts
    bool paper_size = false;    ///< a size of the paper's own run: what the benchmarks time
    bool misaligned = false;    ///< every tensor starts off any alignment wider than its element
    std::uint64_t seed = 0;     ///< the row's number in the table

    std::string name() const {
        return fmt::format("{} {} {} scale {:g} position {}{}", name_of(operation), shape.text(),
                           name_of(sigma), scale, position, misaligned ? " misaligned" : "");
    }
};

inline void add_dense_cases(std::vector<Case>& table) {
    const Shape small[] = {{1, 1, 1},    {1, 7, 1},    {5, 1, 3},   {3, 5, 4},     {17, 33, 9},
                           {33, 17, 65}, {2, 257, 31}, {257, 3, 2}, {31, 511, 33}, {64, 64, 64}};
    const std::pair<Shape, Activation> paper[] = {
        {{256, 784, 500}, Activation::Tanh},
        {{256, 500, 500}, Activation::Tanh},
        {{256, 500, 500}, Activation::Relu},
        {{256, 500, 10}, Activation::Identity},
        {{48, 784, 500}, Activation::Tanh}};  // an epoch's last batch
    for (const Operation operation : {Operation::DenseForward, Operation::DenseBackward}) {
        for (const Activation sigma :
             {Activation::Identity, Activation::Tanh, Activation::Relu, Activation::Sigmoid}) {
            for (const Shape& shape : small) table.push_back({operation, shape, sigma});
            for (const float scale : {1e-3F, 30.0F, 1e3F, 1e15F})
                table.push_back({operation, {17, 33, 9}, sigma, scale});
            table.push_back(
                {.operation = operation, .shape = {17, 33, 9}, .sigma = sigma, .misaligned = true});
        }
        for (const auto& [shape, sigma] : paper)
            table.push_back({.operation = operation, .shape = shape, .sigma = sigma, .paper_size = true});
    }
}

inline void add_matrix_cases(std::vector<Case>& table) {
    const Shape shapes[] = {{1, 1},   {1, 10},   {7, 1},   {3, 2},    {17, 33},  {33, 17},
                            {257, 3}, {511, 10}, {64, 64}, {3, 1000}, {1, 4097}, {10007, 10}};
    for (const Operation operation :
         {Operation::MeanSquaredError, Operation::SoftmaxCrossEntropy, Operation::CountCorrect,
          Operation::ScaleColumnsByMaxAbs, Operation::SumOfSquares}) {
        for (const Shape& shape : shapes) table.push_back({operation, shape});
        for (const float scale : {1e-3F, 30.0F, 1e3F, 1e4F})
            table.push_back({operation, {17, 33}, Activation::Identity, scale, 3});
        table.push_back({.operation = operation, .shape = {17, 33}, .position = 1, .misaligned = true});
        const bool measures =
            operation == Operation::ScaleColumnsByMaxAbs || operation == Operation::SumOfSquares;
        for (const std::int64_t rows : {256, 48})
            table.push_back({.operation = operation,
                             .shape = measures ? Shape{10 * rows, 500} : Shape{rows, 10},
                             .position = 117,
                             .paper_size = true});
    }
}

inline void add_vector_cases(std::vector<Case>& table) {
    for (const Operation operation :
         {Operation::Copy, Operation::RandomPermutation, Operation::FirstNonFinite, Operation::Adam}) {
        for (const std::int64_t size : {1, 2, 3, 7, 17, 33, 64, 257, 511, 1000, 1024, 4097, 65537})
            table.push_back({operation, {size}});
        table.push_back({.operation = operation, .shape = {511}, .misaligned = true});
    }
    for (const std::int64_t size : {30000, 60000})
        table.push_back({.operation = Operation::RandomPermutation, .shape = {size}, .paper_size = true});
    for (const float scale : {1e-12F, 1e-5F, 1e3F})
        for (const std::int64_t update : {0, 1, 10, 1000, 1000000})
            table.push_back({Operation::Adam, {257}, Activation::Identity, scale, update});
    // All parameters of 784-500-500-500-500-500-10.
    table.push_back({.operation = Operation::Adam, .shape = {1399510}, .scale = 1e-3F, .paper_size = true});
}

inline void add_gather_cases(std::vector<Case>& table) {
    const std::pair<Shape, std::int64_t> gathers[] = {
        {{1, 1, 1}, 0},     {{1, 17, 1}, 0},   {{7, 1, 7}, 0},       {{7, 1, 3}, 4},
        {{17, 33, 5}, 12},  {{33, 17, 33}, 0}, {{257, 3, 64}, 193},  {{511, 10, 1}, 510},
        {{64, 64, 16}, 48}, {{3, 1000, 2}, 1}, {{100, 257, 17}, 83}, {{1000, 31, 511}, 489}};
    for (const auto& [shape, sample] : gathers)
        table.push_back({.operation = Operation::GatherRows, .shape = shape, .position = sample});
    table.push_back(
        {.operation = Operation::GatherRows, .shape = {17, 33, 5}, .position = 3, .misaligned = true});
    for (const std::int64_t columns : {784, 10})
        table.push_back({.operation = Operation::GatherRows,
                         .shape = {3000, columns, 256},
                         .position = 2560,
                         .paper_size = true});
}

/// Every row, each with a seed of its own.
inline const std::vector<Case>& cases() {
    static const std::vector<Case> all = [] {
        std::vector<Case> table;
        add_dense_cases(table);
        add_matrix_cases(table);
        add_vector_cases(table);
        add_gather_cases(table);
        for (std::uint64_t row = 0; row < table.size(); ++row) table[row].seed = row;
        return table;
    }();
    return all;
}

}  // namespace deepfreq::tests
