#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "analysis/loaded_samples.h"
#include "python/src/backend.h"

namespace deepfreq::python {

template <class T, std::size_t Axes>
using Array = nanobind::ndarray<const T, nanobind::ndim<Axes>, nanobind::c_contig, nanobind::device::cpu>;
/// Features in memory of the device that measures, whichever that is.
using DeviceArray = nanobind::ndarray<const float, nanobind::ndim<2>, nanobind::c_contig>;

/// A device that measures.
class Device {
  public:
    explicit Device(int index) : backend_(open_backend(index)) {}

    /// Throws InputError in a child that was forked after its parent had measured: threads of OpenMP are the
    /// parent's, and waiting for them would never end; so are a GPU's contexts.
    SpectrumBackend& backend() const;

    std::string description() const { return backend_->description(); }
    std::uintptr_t stream() const { return stream_of(*backend_); }

  private:
    pid_t owner_ = getpid();
    std::unique_ptr<SpectrumBackend> backend_;
};

/// Features of one layer. Those in float32 on the device stay where they are, and are kept alive. Device,
/// here and below, lives as long.
class Features {
  public:
    Features(Device& device, std::string name, DeviceArray x, ColumnScaling scaling);
    /// Rows in double by read(first, count), called with the GIL.
    Features(Device& device, std::string name, std::int64_t rows, std::int64_t columns,
             nanobind::callable read, ColumnScaling scaling);

    const std::string& warning() const { return loaded_.warning; }
    /// Where the numbers lie that are measured.
    std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(loaded_.view.data); }
    const LoadedFeatures& loaded() const { return loaded_; }

  private:
    std::string name_;
    DeviceArray array_;
    LoadedFeatures loaded_;
};

/// What the network is to learn.
class Targets {
  public:
    Targets(Device& device, std::string name, Array<std::int64_t, 1> labels);
    Targets(Device& device, std::string name, std::int64_t rows, std::int64_t columns,
            nanobind::callable read);

    const LoadedTargets& loaded() const { return loaded_; }

  private:
    LoadedTargets loaded_;
};

}  // namespace deepfreq::python
