#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <string>

#include "analysis/loaded_samples.h"

namespace deepfreq::python {

template <class T, std::size_t Axes>
using Array = nanobind::ndarray<const T, nanobind::ndim<Axes>, nanobind::c_contig, nanobind::device::cpu>;

/// Where all that is measured lies. Throws InputError in a child that was forked after its parent had
/// measured: the threads of OpenMP are the parent's, and waiting for them would never end.
MeasuringKernels& kernels();

/// Features of one layer. Those in float32 stay where they are, and are kept alive.
class Features {
  public:
    Features(std::string name, Array<float, 2> x, ColumnScaling scaling);
    /// Rows in double by read(first, count), called with the GIL.
    Features(std::string name, std::int64_t rows, std::int64_t columns, nanobind::callable read,
             ColumnScaling scaling);

    const std::string& warning() const { return loaded_.warning; }
    /// Where the numbers lie that are measured.
    std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(loaded_.view.data); }
    const LoadedFeatures& loaded() const { return loaded_; }

  private:
    std::string name_;
    Array<float, 2> array_;
    LoadedFeatures loaded_;
};

/// What the network is to learn.
class Targets {
  public:
    Targets(std::string name, Array<std::int64_t, 1> labels);
    Targets(std::string name, std::int64_t rows, std::int64_t columns, nanobind::callable read);

    const LoadedTargets& loaded() const { return loaded_; }

  private:
    LoadedTargets loaded_;
};

}  // namespace deepfreq::python
