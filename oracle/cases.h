#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/ops/conv2d.h"
#include "kernels/types.h"

// The single table of cases: what every backend is tested on against the reference, and what is benchmarked.

namespace deepfreq::oracle {

enum class Operation {
    Copy,
    DenseForward,
    DenseBackward,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    CountCorrect,
    Adam,
    GatherRows,
    GatherAugmentedImages,
    RandomPermutation,
    ScaleColumnsByMaxAbs,
    SumOfSquares,
    AddSquaredNorms,
    FirstNonFinite,
    Conv2dForward,
    Conv2dBackward,
    BatchNormForwardTraining,
    BatchNormForwardInference,
    BatchNormBackward,
    AveragePoolForward,
    AveragePoolBackward,
    MaxPoolForward,
    MaxPoolBackward,
    Add,
    Dropout,
    Softmax,
    CentreColumns,
};
constexpr int operation_count = static_cast<int>(Operation::CentreColumns) + 1;

inline std::string name_of(Operation operation) {
    constexpr const char* names[operation_count] = {"copy",
                                                    "dense_forward",
                                                    "dense_backward",
                                                    "mean_squared_error",
                                                    "softmax_cross_entropy",
                                                    "count_correct",
                                                    "adam",
                                                    "gather_rows",
                                                    "gather_augmented_images",
                                                    "random_permutation",
                                                    "scale_columns_by_max_abs",
                                                    "sum_of_squares",
                                                    "add_squared_norms",
                                                    "first_non_finite",
                                                    "conv2d_forward",
                                                    "conv2d_backward",
                                                    "batch_norm_forward_training",
                                                    "batch_norm_forward_inference",
                                                    "batch_norm_backward",
                                                    "average_pool_forward",
                                                    "average_pool_backward",
                                                    "max_pool_forward",
                                                    "max_pool_backward",
                                                    "add",
                                                    "dropout",
                                                    "softmax",
                                                    "centre_columns"};
    return names[static_cast<int>(operation)];
}

inline std::string name_of(Activation activation) {
    constexpr const char* names[] = {"identity", "tanh", "relu", "sigmoid"};
    return names[static_cast<int>(activation)];
}

/// What slides over the images of a case.
struct Filters {
    std::int64_t out = 0;                ///< channels of a convolution; 0 of a pool
    std::int64_t height = 1, width = 1;  ///< of a filter or a pool's window
    Conv2dParams params;

    std::string text() const {
        if (out == 0 && height * width == 1) return "";
        return out == 0 ? fmt::format("windows {}x{}", height, width)
                        : fmt::format("filters {}x{}x{} stride {} padding {}", out, height, width,
                                      params.stride, params.padding);
    }
};

/// One row. The shape is [n, in, out] for a dense layer, [n, c] for losses, count_correct and matrices,
/// [rows, columns, batch] for gather_rows, [n, h, w, c] for images, [size] for the rest.
/// gather_augmented_images takes all rows from `position` on, crops by the filters' padding and, unless
/// activation is ReLU, flips.
struct Case {
    Operation operation;
    Shape shape;
    Activation activation = Activation::Identity;
    float scale = 1.0F;         ///< standard deviation of the inputs; for dropout: the rate
    std::int64_t position = 0;  ///< of StepState: the sample, step or update at which the operation starts;
                                ///< of batch norm: the mean of x; of add_squared_norms: how many
    bool paper_size = false;    ///< a size from the paper's own run: what the benchmarks time
    bool misaligned = false;    ///< every tensor starts off any alignment wider than its element
    std::uint64_t seed = 0;     ///< the row's number in the table
    Filters filters = {};
    Precision precision = Precision::Float32;  ///< in which products are computed

    std::string name() const {
        return fmt::format("{} {} {} {} scale {:g} position {}{}", name_of(operation), shape.text(),
                           shape.rank() == 4 ? filters.text() : "", name_of(activation), scale, position,
                           misaligned ? " misaligned" : "");
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
        for (const Activation activation :
             {Activation::Identity, Activation::Tanh, Activation::Relu, Activation::Sigmoid}) {
            for (const Shape& shape : small) table.push_back({operation, shape, activation});
            for (const float scale : {1e-3F, 30.0F, 1e3F, 1e15F})
                table.push_back({operation, {17, 33, 9}, activation, scale});
            table.push_back(
                {.operation = operation, .shape = {17, 33, 9}, .activation = activation, .misaligned = true});
        }
        for (const auto& [shape, activation] : paper)
            table.push_back(
                {.operation = operation, .shape = shape, .activation = activation, .paper_size = true});
    }
}

inline void add_matrix_cases(std::vector<Case>& table) {
    const Shape shapes[] = {{1, 1},   {1, 10},   {7, 1},   {3, 2},    {17, 33},  {33, 17},
                            {257, 3}, {511, 10}, {64, 64}, {3, 1000}, {1, 4097}, {10007, 10}};
    for (const Operation operation :
         {Operation::MeanSquaredError, Operation::SoftmaxCrossEntropy, Operation::CountCorrect,
          Operation::ScaleColumnsByMaxAbs, Operation::SumOfSquares, Operation::Softmax,
          Operation::CentreColumns}) {
        for (const Shape& shape : shapes) table.push_back({operation, shape});
        for (const float scale : {1e-3F, 30.0F, 1e3F, 1e4F})
            table.push_back({operation, {17, 33}, Activation::Identity, scale, 3});
        table.push_back({.operation = operation, .shape = {17, 33}, .position = 1, .misaligned = true});
        const bool measures = operation == Operation::ScaleColumnsByMaxAbs ||
                              operation == Operation::SumOfSquares || operation == Operation::CentreColumns;
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
    for (const std::int64_t size : {1, 2, 3, 7, 17, 33, 64, 257, 511, 1000, 1024, 4097, 65537})
        for (const std::int64_t count : {1, 2, 5})
            table.push_back({.operation = Operation::AddSquaredNorms,
                             .shape = {size},
                             .scale = count == 5 ? 1e-12F : 1.0F,
                             .position = count,
                             .misaligned = size == 511});
    table.push_back({.operation = Operation::AddSquaredNorms, .shape = {4097}, .position = 1500});
    for (const std::int64_t size : {30000, 60000})
        table.push_back({.operation = Operation::RandomPermutation, .shape = {size}, .paper_size = true});
    for (const float scale : {1e-12F, 1e-5F, 1e3F})
        for (const std::int64_t update : {0, 1, 10, 1000, 1000000})
            table.push_back({Operation::Adam, {257}, Activation::Identity, scale, update});
    for (const std::int64_t size : {1, 2, 7, 8, 9, 17, 64, 257, 1000, 4097, 65537})
        for (const float rate : {0.0F, 0.1F, 0.5F, 0.9F})
            table.push_back({Operation::Dropout, {size}, Activation::Identity, rate, size % 5});
    table.push_back({Operation::Dropout, {511}, Activation::Identity, 0.1F, 1000000});
    table.push_back(
        {.operation = Operation::Dropout, .shape = {511}, .scale = 0.3F, .position = 2, .misaligned = true});
    // The stem's output for 64 images.
    table.push_back({.operation = Operation::Dropout,
                     .shape = {64 * 32 * 32 * 64},
                     .scale = 0.1F,
                     .position = 7,
                     .paper_size = true});
    // All parameters of 784-500-500-500-500-500-10.
    table.push_back({.operation = Operation::AddSquaredNorms,
                     .shape = {1399510},
                     .scale = 1e-3F,
                     .position = 6,
                     .paper_size = true});
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

inline void add_augmentation_cases(std::vector<Case>& table) {
    const std::pair<Shape, std::int64_t> images[] = {
        {{1, 1, 1, 1}, 0},    {{2, 1, 7, 3}, 0},   {{5, 6, 1, 2}, 1},  {{3, 5, 4, 1}, 2},
        {{17, 9, 7, 3}, 4},   {{9, 8, 8, 5}, 0},   {{4, 3, 3, 17}, 3}, {{33, 2, 5, 3}, 12},
        {{64, 32, 32, 3}, 0}, {{7, 11, 13, 1}, 6}, {{2, 3, 64, 4}, 0}, {{31, 28, 28, 1}, 8}};
    for (const auto& [shape, sample] : images) {
        const std::int64_t largest = std::min({shape[1], shape[2], std::int64_t{5}}) - 1;
        for (const std::int64_t crop : {std::int64_t{0}, largest})
            for (const Activation activation : {Activation::Identity, Activation::Relu})
                table.push_back({.operation = Operation::GatherAugmentedImages,
                                 .shape = shape,
                                 .activation = activation,
                                 .position = sample,
                                 .misaligned = shape[0] == 17,
                                 .filters = {.params = {.padding = crop}}});
    }
}

/// Every convolution of ResNet-18 for n images of 32x32: the input's size and channels, and the filters.
inline std::vector<std::pair<Shape, Filters>> resnet18_convolutions(std::int64_t n) {
    std::vector<std::pair<Shape, Filters>> all = {{{n, 32, 32, 3}, {64, 3, 3, {1, 1}}},
                                                  {{n, 32, 32, 64}, {64, 3, 3, {1, 1}}}};
    std::int64_t size = 32;
    for (const std::int64_t in : {64, 128, 256}) {
        all.push_back({{n, size, size, in}, {2 * in, 3, 3, {2, 1}}});
        all.push_back({{n, size, size, in}, {2 * in, 1, 1, {2, 0}}});
        size /= 2;
        all.push_back({{n, size, size, 2 * in}, {2 * in, 3, 3, {1, 1}}});
    }
    return all;
}

inline void add_convolution_cases(std::vector<Case>& table) {
    std::vector<std::pair<Shape, Filters>> shapes = {
        {{1, 1, 1, 1}, {1, 1, 1, {}}},
        {{1, 1, 1, 3}, {2, 3, 3, {1, 1}}},
        {{2, 1, 7, 5}, {3, 1, 3, {}}},
        {{1, 9, 1, 2}, {4, 3, 1, {2, 0}}},
        {{3, 5, 4, 1}, {17, 3, 3, {1, 1}}},
        {{2, 7, 9, 17}, {33, 3, 3, {2, 1}}},
        {{5, 8, 8, 16}, {16, 3, 3, {1, 0}}},
        {{1, 32, 32, 3}, {64, 3, 3, {1, 1}}},
        {{4, 6, 5, 31}, {7, 1, 1, {1, 0}}},
        {{2, 9, 6, 33}, {16, 1, 1, {2, 0}}},
        {{17, 3, 3, 8}, {8, 3, 3, {1, 1}}},
        {{2, 11, 13, 6}, {10, 5, 3, {3, 1}}},
        {{3, 10, 10, 64}, {65, 3, 3, {2, 1}}},
        {{2, 12, 7, 48}, {32, 7, 7, {2, 3}}},
        {{64, 4, 4, 32}, {48, 3, 3, {1, 1}}},
        {{32, 32, 32, 4}, {8, 1, 1, {2, 0}}},
        {{8, 33, 17, 12}, {24, 1, 1, {2, 0}}},
        {{1, 6, 20, 16}, {3, 1, 1, {2, 0}}},
        // Winograd's algorithm (kernels/cpu/winograd.h): tiles beyond the image's edge; more than are summed at once.
        {{5, 7, 9, 64}, {96, 3, 3, {1, 1}}},
        {{3, 27, 30, 64}, {64, 3, 3, {1, 1}}}};
    // A batch of one: the most the naive reference can handle. The whole batch is checked at sampled places.
    for (const auto& resnet : resnet18_convolutions(1)) shapes.push_back(resnet);
    for (const Operation operation : {Operation::Conv2dForward, Operation::Conv2dBackward}) {
        for (const auto& [shape, filters] : shapes)
            table.push_back({.operation = operation, .shape = shape, .filters = filters});
        for (const float scale : {1e-3F, 1e3F, 1e15F})
            table.push_back({.operation = operation,
                             .shape = {2, 7, 9, 17},
                             .scale = scale,
                             .filters = {33, 3, 3, {1, 1}}});
        for (const std::int64_t out : {1, 33, 64})  // 280 pixels: with 64 channels, Winograd's algorithm
            table.push_back({.operation = operation,
                             .shape = {4, 7, 10, out == 64 ? 64 : 17},
                             .misaligned = true,
                             .filters = {out, 3, 3, {1, 1}}});
    }
}

inline void add_image_cases(std::vector<Case>& table) {
    const Shape shapes[] = {{2, 1, 1, 1},  {1, 1, 1, 3},   {1, 1, 7, 5},   {3, 5, 4, 1},    {2, 7, 9, 17},
                            {5, 8, 8, 16}, {1, 32, 32, 3}, {4, 6, 5, 31},  {17, 3, 3, 33},  {2, 3, 3, 257},
                            {9, 1, 2, 64}, {3, 9, 6, 100}, {1, 1, 2, 512}, {1, 32, 32, 64}, {4, 16, 16, 128}};
    for (const Operation operation :
         {Operation::BatchNormForwardTraining, Operation::BatchNormForwardInference,
          Operation::BatchNormBackward, Operation::Add})
        for (const Activation activation :
             {Activation::Identity, Activation::Tanh, Activation::Relu, Activation::Sigmoid}) {
            if (operation == Operation::Add && activation != Activation::Identity) continue;
            for (const Shape& shape : shapes) table.push_back({operation, shape, activation});
            for (const float scale : {1e-3F, 30.0F, 1e4F})
                table.push_back({operation, {2, 7, 9, 17}, activation, scale});
            // Far from 0, to show any precision that the variance loses.
            table.push_back({operation, {2, 7, 9, 17}, activation, 1.0F, 1000});
            table.push_back({.operation = operation,
                             .shape = {2, 7, 9, 17},
                             .activation = activation,
                             .misaligned = true});
        }
}

inline void add_pool_cases(std::vector<Case>& table) {
    const std::pair<Shape, Filters> pools[] = {{{1, 1, 1, 1}, {}},
                                               {{1, 1, 7, 5}, {}},
                                               {{2, 1, 6, 3}, {0, 1, 3, {}}},
                                               {{3, 4, 1, 2}, {0, 2, 1, {}}},
                                               {{2, 6, 4, 17}, {0, 2, 2, {}}},
                                               {{5, 9, 6, 16}, {0, 3, 2, {}}},
                                               {{1, 5, 7, 33}, {0, 5, 7, {}}},
                                               {{4, 8, 8, 1}, {0, 2, 4, {}}},
                                               {{2, 4, 4, 512}, {0, 4, 4, {}}},
                                               {{3, 8, 8, 256}, {0, 8, 4, {}}},
                                               {{2, 16, 16, 128}, {0, 8, 8, {}}},
                                               {{1, 32, 32, 64}, {0, 16, 8, {}}},
                                               {{7, 2, 2, 31}, {0, 2, 2, {}}},
                                               {{1, 30, 3, 9}, {0, 10, 3, {}}}};
    for (const Operation operation : {Operation::AveragePoolForward, Operation::AveragePoolBackward,
                                      Operation::MaxPoolForward, Operation::MaxPoolBackward}) {
        for (const auto& [shape, windows] : pools)
            table.push_back({.operation = operation, .shape = shape, .filters = windows});
        table.push_back({.operation = operation,
                         .shape = {2, 6, 4, 17},
                         .scale = 1e3F,
                         .misaligned = true,
                         .filters = {0, 3, 2, {}}});
    }
}

/// All rows, each with its own seed.
inline const std::vector<Case>& cases() {
    static const std::vector<Case> all = [] {
        std::vector<Case> table;
        add_dense_cases(table);
        add_matrix_cases(table);
        add_vector_cases(table);
        add_gather_cases(table);
        add_augmentation_cases(table);
        add_convolution_cases(table);
        add_image_cases(table);
        add_pool_cases(table);
        for (std::uint64_t row = 0; row < table.size(); ++row) table[row].seed = row;
        return table;
    }();
    return all;
}

/// What is timed: the rows of the paper's sizes, and the operations of Resnet18-1 on batches too large for
/// the naive reference.
inline std::vector<Case> timed_cases() {
    constexpr std::int64_t batch = 64;
    std::vector<Case> timed;
    for (const Case& c : cases())
        if (c.paper_size) timed.push_back(c);
    for (const auto& [shape, filters] : resnet18_convolutions(batch))
        for (const Operation operation : {Operation::Conv2dForward, Operation::Conv2dBackward})
            timed.push_back({.operation = operation, .shape = shape, .paper_size = true, .filters = filters});
    for (const std::int64_t size : {32, 16, 8, 4}) {
        const Shape part{batch, size, size, 2048 / size};
        for (const Operation operation :
             {Operation::BatchNormForwardTraining, Operation::BatchNormForwardInference,
              Operation::BatchNormBackward, Operation::Add})
            timed.push_back(
                {.operation = operation, .shape = part, .activation = Activation::Relu, .paper_size = true});
    }
    for (const Operation operation : {Operation::AveragePoolForward, Operation::AveragePoolBackward,
                                      Operation::MaxPoolForward, Operation::MaxPoolBackward})
        timed.push_back({.operation = operation,
                         .shape = {batch, 4, 4, 512},
                         .paper_size = true,
                         .filters = {0, 4, 4, {}}});
    return timed;
}

}  // namespace deepfreq::oracle
