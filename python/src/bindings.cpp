#include "python/src/bindings.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "analysis/spectrum.h"
#include "analysis/spectrum_rows.h"
#include "common/error.h"
#include "python/src/interrupts.h"
#include "python/src/loaded.h"

namespace deepfreq::python {
namespace {

namespace nb = nanobind;

using Numbers = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using GivenNumbers = Array<double, 1>;

/// An array of Python's that owns these numbers.
Numbers array_of(std::vector<double> values) {
    auto owned = std::make_unique<std::vector<double>>(std::move(values));
    double* const data = owned->data();
    const std::size_t size = owned->size();
    const nb::capsule owner(owned.release(),
                            [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
    return {data, {size}, owner};
}

/// inv_delta, lfr, inv_delta of rdf, rdf, the peak (inv_delta, rdf, rise10, rise50, rise90), and standard
/// errors of lfr and rdf, if there are.
nb::tuple curves_of(Spectrum s) {
    const Peak& p = s.peak;
    return nb::make_tuple(array_of(std::move(s.lfr.inv_delta)), array_of(std::move(s.lfr.value)),
                          array_of(std::move(s.rdf.inv_delta)), array_of(std::move(s.rdf.value)),
                          nb::make_tuple(p.inv_delta, p.rdf, p.rise10, p.rise50, p.rise90),
                          array_of(std::move(s.lfr_error)), array_of(std::move(s.rdf_error)));
}

FilterGridRequest listed(const GivenNumbers& inv_deltas) {
    FilterGridRequest grid;
    grid.spacing = FilterGridRequest::Spacing::Listed;
    grid.listed.assign(inv_deltas.data(), inv_deltas.data() + inv_deltas.size());
    return grid;
}

/// Features by name, each made when it is asked for: (name, function without arguments).
using Sources = std::vector<std::pair<std::string, nb::callable>>;

/// What the source gives, kept alive in `kept`.
const LoadedFeatures& features_of(const nb::callable& source, nb::object& kept) {
    const nb::gil_scoped_acquire gil;
    if (PyErr_Occurred() != nullptr) throw Interrupted();  // by what `progress` was told of the layer before
    kept.reset();                                          // what was there may be as large
    kept = source();
    return nb::cast<const Features&>(kept).loaded();
}

/// ([curves of each], [warnings]) of features with the same targets, on one grid.
nb::tuple measure(const Device& device, const Sources& sources, const Targets& targets,
                  SpectrumOptions options, const nb::object& progress) {
    Interrupts interrupts;
    Told told(progress, interrupts);
    options.filter.stop = [&] { return interrupts.pending(); };
    if (!progress.is_none()) options.progress = std::ref(told);
    nb::object kept;
    std::vector<LoadedSamples> samples;
    for (const auto& [name, source] : sources)
        samples.push_back(
            {name, [&]() -> const LoadedFeatures& { return features_of(source, kept); }, targets.loaded()});
    std::vector<std::string> warnings;
    std::vector<Spectrum> spectra;
    {
        const nb::gil_scoped_release released;
        spectra = measure_loaded(device.backend(), samples, options,
                                 [&](const std::string& line) { warnings.push_back(line); });
    }
    if (PyErr_Occurred() != nullptr) throw Interrupted();  // of the last
    nb::list curves;
    for (Spectrum& spectrum : spectra) curves.append(curves_of(std::move(spectrum)));
    return nb::make_tuple(curves, warnings);
}

SpectrumOptions options_of(FilterGridRequest grid, bool exclude_self, std::int64_t rows, std::uint64_t seed) {
    SpectrumOptions options;
    options.grid = std::move(grid);
    options.filter.exclude_self = exclude_self;
    options.rows = rows;
    options.seed = seed;
    return options;
}

FrequencyCurve curve_of(const GivenNumbers& inv_delta, const GivenNumbers& value) {
    return {{inv_delta.data(), inv_delta.data() + inv_delta.size()},
            {value.data(), value.data() + value.size()}};
}

/// Lines of lfr.csv, rdf.csv and peaks.csv.
nb::tuple csv_rows(const GivenNumbers& inv_delta, const GivenNumbers& lfr, const GivenNumbers& rdf_inv_delta,
                   const GivenNumbers& rdf, const std::tuple<double, double, double, double, double>& peak,
                   const std::string& network, const std::string& layer, const std::string& epoch) {
    Spectrum spectrum;
    spectrum.lfr = curve_of(inv_delta, lfr);
    spectrum.rdf = curve_of(rdf_inv_delta, rdf);
    spectrum.peak = {std::get<0>(peak), std::get<1>(peak), std::get<2>(peak), std::get<3>(peak),
                     std::get<4>(peak)};
    const SpectrumRows rows = rows_of(spectrum, network, layer, epoch);
    return nb::make_tuple(rows.lfr, rows.rdf, rows.peak);
}

/// Our exceptions as Python's; InputError is a class of the package itself, whichever module was taken.
void translate(const std::exception_ptr& thrown, void* /*unused*/) {
    try {
        std::rethrow_exception(thrown);
    } catch (const OutOfMemory& error) {
        PyErr_SetString(PyExc_MemoryError, error.what());
    } catch (const InputError& error) {
        PyErr_SetString(nb::module_::import_("deepfreq._errors").attr("InputError").ptr(), error.what());
    } catch (const RunError& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    } catch (const Interrupted&) {
        // Python's own exception is set, as a rule KeyboardInterrupt.
        if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
}

}  // namespace

void define(nb::module_& module) {
    nb::register_exception_translator(translate);
    module.attr("lfr_header") = csv_header::lfr;
    module.attr("rdf_header") = csv_header::rdf;
    module.attr("peaks_header") = csv_header::peaks;

    nb::class_<Device>(module, "Device")
        .def(nb::init<int>(), nb::arg("index"))
        .def_prop_ro("description", &Device::description)
        .def_prop_ro("stream", &Device::stream);

    nb::class_<Features>(module, "Features")
        .def(
            "__init__",
            [](Features* self, Device& device, std::string name, DeviceArray x, const std::string& scaling) {
                new (self) Features(device, std::move(name), std::move(x), parse_column_scaling(scaling));
            },
            nb::keep_alive<1, 2>(), nb::arg("device"), nb::arg("name"), nb::arg("x").noconvert(),
            nb::arg("scaling"))
        .def(
            "__init__",
            [](Features* self, Device& device, std::string name, std::int64_t rows, std::int64_t columns,
               nb::callable read, const std::string& scaling) {
                new (self) Features(device, std::move(name), rows, columns, std::move(read),
                                    parse_column_scaling(scaling));
            },
            nb::keep_alive<1, 2>(), nb::arg("device"), nb::arg("name"), nb::arg("rows"), nb::arg("columns"),
            nb::arg("read"), nb::arg("scaling"))
        .def_prop_ro("warning", &Features::warning)
        .def_prop_ro("address", &Features::address);

    nb::class_<Targets>(module, "Targets")
        .def(nb::init<Device&, std::string, Array<std::int64_t, 1>>(), nb::keep_alive<1, 2>(),
             nb::arg("device"), nb::arg("name"), nb::arg("labels").noconvert())
        .def(nb::init<Device&, std::string, std::int64_t, std::int64_t, nb::callable>(),
             nb::keep_alive<1, 2>(), nb::arg("device"), nb::arg("name"), nb::arg("rows"), nb::arg("columns"),
             nb::arg("read"));

    module.def(
        "measure",
        [](const Device& device, const Sources& sources, const Targets& targets, const std::string& grid,
           bool exclude_self, std::int64_t rows, std::uint64_t seed, const nb::object& progress) {
            return measure(device, sources, targets,
                           options_of(FilterGridRequest::parse(grid), exclude_self, rows, seed), progress);
        },
        nb::arg("device"), nb::arg("sources"), nb::arg("targets"), nb::arg("grid"), nb::kw_only(),
        nb::arg("exclude_self"), nb::arg("rows"), nb::arg("seed"), nb::arg("progress").none());
    module.def(
        "measure",
        [](const Device& device, const Sources& sources, const Targets& targets,
           const GivenNumbers& inv_deltas, bool exclude_self, std::int64_t rows, std::uint64_t seed,
           const nb::object& progress) {
            return measure(device, sources, targets, options_of(listed(inv_deltas), exclude_self, rows, seed),
                           progress);
        },
        nb::arg("device"), nb::arg("sources"), nb::arg("targets"), nb::arg("grid").noconvert(), nb::kw_only(),
        nb::arg("exclude_self"), nb::arg("rows"), nb::arg("seed"), nb::arg("progress").none());
    module.def("csv_rows", &csv_rows, nb::arg("inv_delta"), nb::arg("lfr"), nb::arg("rdf_inv_delta"),
               nb::arg("rdf"), nb::arg("peak"), nb::arg("network"), nb::arg("layer"), nb::arg("epoch"));
    module.def("why_unavailable", &why_unavailable);
}

}  // namespace deepfreq::python
