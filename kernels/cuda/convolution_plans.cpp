#include "kernels/cuda/convolution_plans.h"

#include <algorithm>

#include "common/error.h"

// cuDNN deprecates passing its handle to graphs, but the alternative does not exist in all 9.x versions.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace deepfreq::cuda {
namespace {

/// Images or filters whose channels are contiguous. cuDNN still lists the axes in the order n, c, h, w.
Descriptor tensor(std::int64_t id, const std::array<std::int64_t, 4>& shape) {
    const auto [n, h, w, c] = shape;
    Descriptor out(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    out.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, plan_alignment)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, std::array{n, c, h, w})
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, std::array{h * w * c, std::int64_t{1}, w * c, c})
        .finish();
    return out;
}

Descriptor convolution(const ConvolutionTask& task) {
    const std::array padding{task.padding, task.padding};
    Descriptor out(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    out.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, std::array<std::int64_t, 2>{1, 1})
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, std::array{task.stride, task.stride})
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, padding)
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, padding)
        .finish();
    return out;
}

/// The names of an operation's attributes.
struct Names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, alpha, beta, x, w, y;
};

Names names_of(ConvolutionKind kind) {
    switch (kind) {
        case ConvolutionKind::Forward:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y};
        case ConvolutionKind::BackwardData:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY};
        default:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY};
    }
}

Descriptor operation(const ConvolutionTask& task, const Descriptor& configuration, const Descriptor& x,
                     const Descriptor& w, const Descriptor& y) {
    const Names names = names_of(task.kind);
    Descriptor out(names.operation);
    out.set(names.convolution, configuration)
        .set(names.alpha, CUDNN_TYPE_FLOAT, 1.0F)
        .set(names.beta, CUDNN_TYPE_FLOAT, task.add ? 1.0F : 0.0F)
        .set(names.x, x)
        .set(names.w, w)
        .set(names.y, y)
        .finish();
    return out;
}

Descriptor graph(const PlanDevice& device, const Descriptor& operation) {
    Descriptor out(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    out.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
    device.tell_graph(out);
    out.finish();
    return out;
}

bool is_unwanted(cudnnBackendNumericalNote_t note, Precision precision) {
    switch (note) {
        case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
            return precision == Precision::Float32;
        case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
            return false;
        default:  // half precision, short sums, different bits each time, or transformed factors
            return true;
    }
}

/// The engine of a configuration; nothing if cuDNN does not report it.
std::optional<Descriptor> engine_of(const Descriptor& configuration) {
    Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t place = engine.get();
    std::int64_t count = 0;
    if (cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &place) != CUDNN_STATUS_SUCCESS)
        return std::nullopt;
    return engine;
}

bool is_wanted(const Descriptor& engine, Precision precision) {
    std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
    std::int64_t count = 0;
    if (cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 notes.size(), &count, notes.data()) != CUDNN_STATUS_SUCCESS)
        return false;
    return std::none_of(notes.begin(), notes.begin() + count,
                        [&](cudnnBackendNumericalNote_t note) { return is_unwanted(note, precision); });
}

std::vector<Descriptor> proposals(const PlanDevice& device, const Descriptor& graph,
                                  cudnnBackendHeurMode_t mode) {
    constexpr std::int64_t most = 64;
    Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
    device.tell_heuristic(heuristic);
    if (!heuristic.try_finish()) return {};
    std::vector<Descriptor> configurations;
    std::vector<cudnnBackendDescriptor_t> places;
    configurations.reserve(most);
    places.reserve(most);
    for (std::int64_t i = 0; i < most; ++i)
        places.push_back(configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get());
    std::int64_t count = 0;
    // Some modes may be refused only here; then the next one is asked.
    if (cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &count,
                                 places.data()) != CUDNN_STATUS_SUCCESS)
        return {};
    while (static_cast<std::int64_t>(configurations.size()) > count) configurations.pop_back();
    return configurations;
}

/// Every engine that supports the operation, with its default knobs.
std::vector<Descriptor> every_engine(const PlanDevice& device, const Descriptor& graph) {
    std::vector<Descriptor> configurations;
    const std::int64_t engines = graph.number(CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT);
    for (std::int64_t index = 0; index < engines; ++index) {
        Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
        engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph)
            .set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, index);
        device.tell_engine(engine);
        if (!engine.try_finish()) continue;
        Descriptor configuration(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        configuration.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
        if (configuration.try_finish()) configurations.push_back(std::move(configuration));
    }
    return configurations;
}

std::vector<Descriptor> configurations(const PlanDevice& device, const Descriptor& graph, PlanSource source) {
    switch (source) {
        case PlanSource::Heuristic:
            return proposals(device, graph, CUDNN_HEUR_MODE_A);
        case PlanSource::Fallback:
            return proposals(device, graph, CUDNN_HEUR_MODE_FALLBACK);
        default:
            return every_engine(device, graph);
    }
}

}  // namespace

std::string PlanTally::text() const {
    return fmt::format("{} proposed, {} unwanted, {} not finished, {} too large, {} failed{}{}", proposed,
                       unwanted, not_finished, too_large, failed,
                       reason.empty() ? "" : "; the last: ", reason);
}

PlanSearch::PlanSearch(const PlanDevice& device, const ConvolutionTask& task, Precision precision)
    : device_(device),
      precision_(precision),
      x_(tensor(tensor_id(0), task.x)),
      w_(tensor(tensor_id(1), task.w)),
      y_(tensor(tensor_id(2), task.y)),
      convolution_(convolution(task)),
      operation_(operation(task, convolution_, x_, w_, y_)),
      graph_(graph(device, operation_)) {}

bool PlanSearch::visit(PlanSource source, const std::function<bool(ConvolutionPlan&&)>& take) {
    for (Descriptor& configuration : configurations(device_, graph_, source)) {
        ++tally_.proposed;
        if (std::optional<ConvolutionPlan> plan = plan_of(std::move(configuration)))
            if (take(std::move(*plan))) return true;
    }
    return false;
}

std::optional<ConvolutionPlan> PlanSearch::plan_of(Descriptor configuration) {
    const std::optional<Descriptor> engine = engine_of(configuration);
    if (!engine || !is_wanted(*engine, precision_)) {
        ++tally_.unwanted;
        return std::nullopt;
    }
    Descriptor execution(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    execution.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
    device_.tell_plan(execution);
    if (!execution.try_finish()) {
        ++tally_.not_finished;
        tally_.reason = cudnn_reason();
        return std::nullopt;
    }
    const std::int64_t bytes = execution.number(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
    if (bytes > largest_workspace) {
        ++tally_.too_large;
        return std::nullopt;
    }
    return ConvolutionPlan{std::move(configuration), std::move(execution), bytes,
                           engine->number(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)};
}

}  // namespace deepfreq::cuda
