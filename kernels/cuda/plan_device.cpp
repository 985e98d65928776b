#include "kernels/cuda/plan_device.h"

#include <algorithm>

#include "common/error.h"
#include "kernels/cuda/device.h"

// cuDNN deprecates passing its handle to graphs, but the alternative does not exist in all 9.x versions.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace deepfreq::cuda {

std::string no_described_devices() {
    const std::size_t version = std::min<std::size_t>(CUDNN_VERSION, cudnnGetVersion());
    if (version >= 90800) return {};
    return fmt::format("cuDNN is {}, expected 9.8 or newer to make plans for a device that is not here",
                       library_version_text(version));
}

// A graph without a handle belongs to no device; heuristic, engine and plan must then be told theirs.
void PlanDevice::tell_graph(Descriptor& graph) const {
    if (handle_ != nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle_);
}

#if CUDNN_VERSION >= 90800

PlanDevice::PlanDevice(std::string_view properties) {
    if (const std::string why = no_described_devices(); !why.empty()) throw InputError("{}", why);
    Descriptor& described = properties_.emplace(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    if (cudnnBackendSetAttribute(described.get(), CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                 static_cast<std::int64_t>(properties.size()),
                                 properties.data()) != CUDNN_STATUS_SUCCESS ||
        !described.try_finish())
        throw InputError("cuDNN refuses these properties of a device: {}", cudnn_reason());
}

void PlanDevice::tell_heuristic(Descriptor& heuristic) const {
    if (properties_) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *properties_);
}

void PlanDevice::tell_engine(Descriptor& engine) const {
    if (properties_) engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, *properties_);
}

void PlanDevice::tell_plan(Descriptor& plan) const {
    if (properties_)
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *properties_);
    else
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle_);
}

#else  // every device is at hand

PlanDevice::PlanDevice(std::string_view /*properties*/) {
    throw InputError("{}", no_described_devices());
}

void PlanDevice::tell_heuristic(Descriptor& /*heuristic*/) const {}

void PlanDevice::tell_engine(Descriptor& /*engine*/) const {}

void PlanDevice::tell_plan(Descriptor& plan) const {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle_);
}

#endif

}  // namespace deepfreq::cuda
