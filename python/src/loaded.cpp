#include "python/src/loaded.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "common/error.h"
#include "kernels/cpu/measuring_backend.h"
#include "python/src/interrupts.h"

namespace deepfreq::python {
namespace {

namespace nb = nanobind;

/// Looks at every number that `source` reads, and for Ctrl-C in between.
RowSource watched(RowSource source) {
    const auto interrupts = std::make_shared<Interrupts>();
    auto read = std::move(source.read);
    source.read = [=, name = source.name, columns = source.columns](std::int64_t first,
                                                                    std::span<double> to) {
        if (interrupts->pending()) throw Interrupted();
        read(first, to);
        const auto bad = std::ranges::find_if_not(to, [](double x) { return std::isfinite(x); });
        if (bad == to.end()) return;
        const std::int64_t at = bad - to.begin();
        throw InputError("{}: {} found at row {}, column {}, finite numbers expected", name, *bad,
                         first + at / columns, at % columns);
    };
    return source;
}

RowSource source_of(std::string name, const Array<float, 2>& x) {
    const float* const data = x.data();
    const auto columns = static_cast<std::int64_t>(x.shape(1));
    return watched({std::move(name), static_cast<std::int64_t>(x.shape(0)), columns,
                    [=](std::int64_t first, std::span<double> to) {
                        std::copy_n(data + first * columns, to.size(), to.begin());
                    }});
}

RowSource source_of(std::string name, std::int64_t rows, std::int64_t columns, const nb::callable& read) {
    return watched({std::move(name), rows, columns, [=, &read](std::int64_t first, std::span<double> to) {
                        const nb::gil_scoped_acquire gil;
                        const auto count = static_cast<std::int64_t>(to.size()) / columns;
                        const auto some = nb::cast<Array<double, 2>>(read(first, count));
                        if (some.size() != to.size())
                            throw InputError("{} numbers read, {} expected", some.size(), to.size());
                        std::copy_n(some.data(), to.size(), to.begin());
                    }});
}

/// The result of `work`, for which the GIL is not needed.
template <class Work>
auto without_gil(Work work) {
    const nb::gil_scoped_release released;
    return work();
}

}  // namespace

MeasuringKernels& kernels() {
    static const pid_t owner = getpid();
    if (getpid() != owner)
        throw InputError(
            "deepfreq was used before this process was forked, and its threads stayed with the parent: start "
            "processes by 'spawn' or 'forkserver' (multiprocessing.set_start_method, or "
            "multiprocessing_context of a DataLoader)");
    static CpuMeasuringKernels cpu;
    return cpu;
}

Features::Features(std::string name, Array<float, 2> x, ColumnScaling scaling)
    : name_(std::move(name)), array_(std::move(x)) {
    kernels();
    loaded_ = without_gil([&] {
        const ConstTensor view{
            array_.data(),
            {static_cast<std::int64_t>(array_.shape(0)), static_cast<std::int64_t>(array_.shape(1))}};
        return borrow_features(source_of(name_, array_), view, scaling);
    });
}

Features::Features(std::string name, std::int64_t rows, std::int64_t columns, nb::callable read,
                   ColumnScaling scaling)
    : name_(std::move(name)), loaded_(without_gil([&] {
          return load_features(kernels(), source_of(name_, rows, columns, read), scaling);
      })) {}

Targets::Targets(std::string name, Array<std::int64_t, 1> labels)
    : loaded_(without_gil([&] {
          return load_labels(kernels(), name, {labels.data(), labels.size()});
      })) {}

Targets::Targets(std::string name, std::int64_t rows, std::int64_t columns, nb::callable read)
    : loaded_(without_gil([&] { return load_targets(kernels(), source_of(name, rows, columns, read)); })) {}

}  // namespace deepfreq::python
