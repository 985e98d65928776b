#pragma once

#include <nanobind/nanobind.h>

namespace deepfreq::python {

/// Defines what the extension has, whatever it is called.
void define(nanobind::module_& module);

}  // namespace deepfreq::python
