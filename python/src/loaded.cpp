#include "python/src/loaded.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "common/error.h"
#include "python/src/interrupts.h"

namespace deepfreq::python {
namespace {

namespace nb = nanobind;

/// Every number is looked at several times: in vectors, and some sums at a time, so that none waits for the
/// one before. A difference from itself is 0 for finite numbers only.
bool all_finite(std::span<const double> x) {
    std::array<double, 16> sums{};
    std::size_t i = 0;
    for (; i + sums.size() <= x.size(); i += sums.size())
        for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += x[i + k] - x[i + k];
    for (; i < x.size(); ++i) sums[0] += x[i] - x[i];
    return std::ranges::all_of(sums, [](double sum) { return sum == 0.0; });
}

/// Looks at every number that `source` reads, and for Ctrl-C in between.
RowSource watched(RowSource source) {
    const auto interrupts = std::make_shared<Interrupts>();
    auto read = std::move(source.read);
    source.read = [=, name = source.name, columns = source.columns](std::int64_t first,
                                                                    std::span<double> to) {
        if (interrupts->pending()) throw Interrupted();
        read(first, to);
        if (all_finite(to)) return;
        const auto bad = std::ranges::find_if_not(to, [](double x) { return std::isfinite(x); });
        const std::int64_t at = bad - to.begin();
        throw InputError("{}: {} found at row {}, column {}, finite numbers expected", name, *bad,
                         first + at / columns, at % columns);
    };
    return source;
}

/// Rows of x, which lies in the kernels' memory.
RowSource source_of(SpectrumBackend& backend, std::string name, ConstTensor x) {
    const auto read = [&backend, x](std::int64_t first, std::span<double> to) {
        if (memory_kind == nb::device::cpu::value) {
            std::copy_n(x.data + first * x.columns(), to.size(), to.begin());
            return;
        }
        std::vector<float> some(to.size());
        backend.download(x.slice(first, std::ssize(to) / x.columns()), std::span(some));
        std::ranges::copy(some, to.begin());
    };
    return watched({std::move(name), x.rows(), x.columns(), read});
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

SpectrumBackend& Device::backend() const {
    if (getpid() != owner_)
        throw InputError(
            "deepfreq was used before this process was forked, and its threads stayed with the parent: start "
            "processes by 'spawn' or 'forkserver' (multiprocessing.set_start_method, or "
            "multiprocessing_context of a DataLoader)");
    return *backend_;
}

Features::Features(Device& device, std::string name, DeviceArray x, ColumnScaling scaling)
    : name_(std::move(name)), array_(std::move(x)) {
    const bool managed = array_.device_type() == nb::device::cuda_managed::value;
    if (array_.device_type() != memory_kind && !(managed && memory_kind == nb::device::cuda::value))
        throw InputError("{}: memory of device type {} of DLPack found, {} expected", name_,
                         array_.device_type(), memory_kind);
    SpectrumBackend& backend = device.backend();
    loaded_ = without_gil([&] {
        const ConstTensor view{
            array_.data(),
            {static_cast<std::int64_t>(array_.shape(0)), static_cast<std::int64_t>(array_.shape(1))}};
        return borrow_features(source_of(backend, name_, view), view, scaling);
    });
}

Features::Features(Device& device, std::string name, std::int64_t rows, std::int64_t columns,
                   nb::callable read, ColumnScaling scaling)
    : name_(std::move(name)), loaded_(without_gil([&] {
          return load_features(device.backend(), source_of(name_, rows, columns, read), scaling);
      })) {}

Targets::Targets(Device& device, std::string name, Array<std::int64_t, 1> labels)
    : loaded_(without_gil([&] {
          return load_labels(device.backend(), name, {labels.data(), labels.size()});
      })) {}

Targets::Targets(Device& device, std::string name, std::int64_t rows, std::int64_t columns, nb::callable read)
    : loaded_(
          without_gil([&] { return load_targets(device.backend(), source_of(name, rows, columns, read)); })) {
}

}  // namespace deepfreq::python
