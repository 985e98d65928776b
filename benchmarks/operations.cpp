#include <deque>
#include <functional>

#include "benchmarks/device.h"
#include "oracle/cases.h"

// Every operation of the contract at the paper's sizes, from the tests' table of cases.

namespace deepfreq::benchmarks {
namespace {

using oracle::Case;
using oracle::Operation;

/// A call to be timed and the minimum work it must do: arithmetic, or memory traffic.
struct Job {
    std::function<void()> call;
    double flop = 0.0;
    double bytes = 0.0;
};

/// Makes the operands of a case; they live as long as this object.
class Operands {
  public:
    explicit Operands(const Case& c) : case_(c) {}

    Job job() {
        switch (case_.operation) {
            case Operation::DenseForward:
            case Operation::DenseBackward:
                return dense();
            case Operation::MeanSquaredError:
            case Operation::SoftmaxCrossEntropy:
            case Operation::CountCorrect:
                return loss();
            case Operation::Adam:
                return adam();
            case Operation::GatherRows:
                return gather_rows();
            case Operation::Conv2dForward:
            case Operation::Conv2dBackward:
                return convolution();
            case Operation::BatchNormForwardTraining:
            case Operation::BatchNormForwardInference:
            case Operation::BatchNormBackward:
                return batch_norm();
            case Operation::AveragePoolForward:
            case Operation::AveragePoolBackward:
            case Operation::MaxPoolForward:
            case Operation::MaxPoolBackward:
                return pool();
            default:
                return reduction();
        }
    }

  private:
    template <class T>
    TensorView<T> hold(Shape shape, const std::vector<T>& values) {
        return buffers_.emplace_back(uploaded(values)).template view<T>(shape);
    }
    Tensor random(Shape shape) {
        return hold(shape, normals(shape.elements(), static_cast<std::uint32_t>(buffers_.size())));
    }
    template <class T = float>
    TensorView<T> zeros(Shape shape) {
        return hold(shape, std::vector<T>(static_cast<std::size_t>(shape.elements())));
    }
    TensorView<const StepState> state() {
        const std::int64_t at = case_.position;
        return hold<StepState>({1}, {{.sample = at, .step = at, .update = at, .learning_rate = 1e-5F}});
    }

    Job dense() {
        const std::int64_t n = case_.shape[0], in = case_.shape[1], out = case_.shape[2];
        const double product = 2.0 * static_cast<double>(n * in * out);
        const Activation activation = case_.activation;
        const Tensor x = random({n, in}), w = random({out, in}), b = random({out});
        // Zeros: then activation' is 1 or 0, and dy does not shrink to denormals in thousands of calls.
        const Tensor y = zeros({n, out});
        if (case_.operation == Operation::DenseForward)
            return {[=] { device()(DenseForward{.x = x, .w = w, .b = b, .activation = activation, .y = y}); },
                    product};
        const Tensor dy = random({n, out}), dx = zeros({n, in}), dw = zeros({out, in}), db = zeros({out});
        return {[=] {
                    device()(DenseBackward{.x = x,
                                           .w = w,
                                           .y = y,
                                           .activation = activation,
                                           .dy = dy,
                                           .dx = dx,
                                           .dw = dw,
                                           .db = db});
                },
                2.0 * product};
    }

    Job loss() {
        const std::int64_t n = case_.shape[0], c = case_.shape[1];
        const double matrix = 4.0 * static_cast<double>(n * c);
        const Tensor p = random({n, c}), dp = zeros({n, c});
        if (case_.operation == Operation::CountCorrect) {
            const auto labels = zeros<std::int32_t>({n});
            const auto correct = zeros<std::int64_t>({1});
            return {[=] { device()(CountCorrect{.p = p, .labels = labels, .correct = correct}); }, 0.0,
                    matrix};
        }
        std::vector<float> one_hot(static_cast<std::size_t>(n * c));
        for (std::int64_t i = 0; i < n; ++i) one_hot[i * c + i % c] = 1.0F;
        const Tensor t = hold({n, c}, one_hot);
        const auto sums = zeros<double>({case_.position + 1});
        const auto at = state();
        if (case_.operation == Operation::MeanSquaredError)
            return {[=] { device()(MeanSquaredError{.p = p, .t = t, .dp = dp, .sums = sums, .state = at}); },
                    0.0, 3.0 * matrix};
        return {[=] { device()(SoftmaxCrossEntropy{.z = p, .t = t, .dz = dp, .sums = sums, .state = at}); },
                0.0, 3.0 * matrix};
    }

    Job adam() {
        const Tensor w = random(case_.shape), dw = random(case_.shape);
        const Tensor m = zeros(case_.shape), v = zeros(case_.shape);
        const auto at = state();
        return {[=] { device()(Adam{.w = w, .dw = dw, .m = m, .v = v, .state = at}); }, 0.0,
                7.0 * 4.0 * static_cast<double>(case_.shape[0])};
    }

    Job gather_rows() {
        const std::int64_t rows = case_.shape[0], columns = case_.shape[1], count = case_.shape[2];
        const Tensor source = random({rows, columns}), batch = zeros({count, columns});
        const auto permutation = zeros<std::int32_t>({rows});
        device()(RandomPermutation{.permutation = permutation, .seed = 0, .epoch = 0});
        const auto at = state();
        return {[=] {
                    device()(GatherRows{
                        .source = source, .permutation = permutation, .state = at, .batch = batch});
                },
                0.0, 2.0 * 4.0 * static_cast<double>(count * columns)};
    }

    Job convolution() {
        const oracle::Filters& f = case_.filters;
        const Conv2dParams params = f.params;
        const auto extent = [&](int axis, std::int64_t filter) {
            return (case_.shape[axis] + 2 * params.padding - filter) / params.stride + 1;
        };
        const Shape y_shape{case_.shape[0], extent(1, f.height), extent(2, f.width), f.out};
        const Shape w_shape{f.out, f.height, f.width, case_.shape[3]};
        const std::int64_t terms = f.height * f.width * case_.shape[3];
        const double product = 2.0 * static_cast<double>(y_shape.elements() * terms);
        const Tensor x = random(case_.shape), w = random(w_shape), y = random(y_shape);
        if (case_.operation == Operation::Conv2dForward)
            return {[=] { device()(Conv2dForward{.x = x, .w = w, .params = params, .y = y}); }, product};
        const Tensor dx = zeros(case_.shape), dw = zeros(w_shape);
        return {
            [=] { device()(Conv2dBackward{.x = x, .w = w, .dy = y, .params = params, .dx = dx, .dw = dw}); },
            2.0 * product};
    }

    Job batch_norm() {
        const Shape channels{case_.shape[3]};
        const Activation activation = case_.activation;
        const double image = 4.0 * static_cast<double>(case_.shape.elements());
        const Tensor x = random(case_.shape), y = zeros(case_.shape);
        const Tensor scale = random(channels), shift = random(channels);
        const Tensor mean = zeros(channels), variance = zeros(channels);
        if (case_.operation == Operation::BatchNormForwardInference)
            return {[=] {
                        device()(BatchNormForwardInference{.x = x,
                                                           .scale = scale,
                                                           .shift = shift,
                                                           .running_mean = mean,
                                                           .running_variance = variance,
                                                           .activation = activation,
                                                           .y = y});
                    },
                    0.0, 2.0 * image};
        const Tensor saved_mean = zeros(channels), saved_inv_std = random(channels);
        if (case_.operation == Operation::BatchNormForwardTraining)
            return {[=] {
                        device()(BatchNormForwardTraining{.x = x,
                                                          .scale = scale,
                                                          .shift = shift,
                                                          .running_mean = mean,
                                                          .running_variance = variance,
                                                          .saved_mean = saved_mean,
                                                          .saved_inv_std = saved_inv_std,
                                                          .activation = activation,
                                                          .y = y});
                    },
                    0.0, 3.0 * image};
        const Tensor dy = random(case_.shape), dx = zeros(case_.shape);
        const Tensor dscale = zeros(channels), dshift = zeros(channels);
        return {[=] {
                    device()(BatchNormBackward{.x = x,
                                               .y = y,
                                               .scale = scale,
                                               .saved_mean = saved_mean,
                                               .saved_inv_std = saved_inv_std,
                                               .activation = activation,
                                               .dy = dy,
                                               .dx = dx,
                                               .dscale = dscale,
                                               .dshift = dshift});
                },
                0.0, 7.0 * image};
    }

    Job pool() {
        const PoolParams params{case_.filters.height, case_.filters.width};
        const Shape small{case_.shape[0], case_.shape[1] / params.height, case_.shape[2] / params.width,
                          case_.shape[3]};
        const Tensor x = random(case_.shape), y = random(small), dx = zeros(case_.shape);
        const double bytes = 4.0 * static_cast<double>(x.elements() + y.elements());
        switch (case_.operation) {
            case Operation::AveragePoolForward:
                return {[=] { device()(AveragePoolForward{.x = x, .params = params, .y = y}); }, 0.0, bytes};
            case Operation::AveragePoolBackward:
                return {[=] { device()(AveragePoolBackward{.dy = y, .params = params, .dx = dx}); }, 0.0,
                        bytes};
            case Operation::MaxPoolForward:
                return {[=] { device()(MaxPoolForward{.x = x, .params = params, .y = y}); }, 0.0, bytes};
            default:
                device()(MaxPoolForward{.x = x, .params = params, .y = y});
                return {
                    [=] { device()(MaxPoolBackward{.x = x, .y = y, .dy = y, .params = params, .dx = dx}); },
                    0.0, 2.0 * bytes};
        }
    }

    Job reduction() {
        const double bytes = 4.0 * static_cast<double>(case_.shape.elements());
        if (case_.operation == Operation::RandomPermutation) {
            const auto permutation = zeros<std::int32_t>(case_.shape);
            return {[=] { device()(RandomPermutation{.permutation = permutation, .seed = 0, .epoch = 0}); },
                    0.0, bytes};
        }
        const Tensor x = random(case_.shape);
        if (case_.operation == Operation::Add) {
            const Tensor y = zeros(case_.shape);
            return {[=] { device()(Add{.x = x, .y = y}); }, 0.0, 3.0 * bytes};
        }
        if (case_.operation == Operation::Dropout) {
            const Tensor y = zeros(case_.shape);
            const auto state = zeros<StepState>({1});
            const DropoutParams params{.rate = case_.scale};
            return {[=] { device()(ApplyDropout{.x = x, .params = params, .state = state, .y = y}); }, 0.0,
                    2.0 * bytes};
        }
        if (case_.operation == Operation::Softmax) {
            const Tensor p = zeros(case_.shape);
            return {[=] { device()(Softmax{.z = x, .p = p}); }, 0.0, 2.0 * bytes};
        }
        if (case_.operation == Operation::CentreColumns)
            return {[=] { device()(CentreColumns{.x = x}); }, 0.0, 3.0 * bytes};
        if (case_.operation == Operation::ScaleColumnsByMaxAbs)
            return {[=] { device()(ScaleColumnsByMaxAbs{.x = x}); }, 0.0, 3.0 * bytes};
        if (case_.operation == Operation::SumOfSquares)
            return {[=] { benchmark::DoNotOptimize(device()(SumOfSquares{.x = x})); }, 0.0, bytes};
        if (case_.operation == Operation::AddSquaredNorms) {
            const auto bounds = zeros<std::int64_t>({case_.position + 1});
            std::vector<std::int64_t> even;
            for (std::int64_t k = 0; k <= case_.position; ++k)
                even.push_back(case_.shape[0] * k / case_.position);
            device().upload(std::span<const std::int64_t>(even), bounds);
            const auto sums = zeros<double>({case_.position});
            return {[=] { device()(AddSquaredNorms{.x = x, .bounds = bounds, .sums = sums}); }, 0.0, bytes};
        }
        throw InputError("operation '{}' has no benchmark", oracle::name_of(case_.operation));
    }

    const Case& case_;
    std::deque<Buffer> buffers_;
};

void run_case(benchmark::State& state, const Case& c) {
    Operands operands(c);
    const Job job = operands.job();
    // Ten in the queue at a time: on a GPU, launching one does not wait for the previous one.
    constexpr int queued = 10;
    while (state.KeepRunningBatch(queued)) {
        for (int i = 0; i < queued; ++i) job.call();
        device().synchronize();
    }
    if (job.flop > 0.0) report_rate(state, "flop_rate", job.flop);
    if (job.bytes > 0.0) report_rate(state, "byte_rate", job.bytes);
}

const bool registered = [] {
    static const std::vector<Case> timed = oracle::timed_cases();
    for (const Case& c : timed) {
        const bool dense = c.operation == Operation::DenseForward || c.operation == Operation::DenseBackward;
        const std::string variant = dense                 ? oracle::name_of(c.activation)
                                    : c.shape.rank() == 4 ? c.filters.text()
                                                          : "";
        const std::string name =
            fmt::format("operations/{} {} {}", oracle::name_of(c.operation), c.shape.text(), variant);
        benchmark::RegisterBenchmark(name.c_str(), [&c](benchmark::State& state) {
            run_case(state, c);
        })->UseRealTime();
    }
    return true;
}();

}  // namespace
}  // namespace deepfreq::benchmarks
