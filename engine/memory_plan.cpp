#include "engine/memory_plan.h"

#include <algorithm>
#include <array>

#include "common/error.h"

namespace deepfreq {
namespace {

// Tensors are aligned to 64 bytes: a cache line, a vector register, and what suits cuDNN and cuBLAS best.
constexpr std::int64_t aligned_floats = 16;

std::int64_t padded(std::int64_t elements) {
    return (elements + aligned_floats - 1) / aligned_floats * aligned_floats;
}

std::size_t bytes(std::int64_t floats) {
    return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace

void MemoryPlan::begin_layer() {
    ++layers_;
    scratch_.end = 0;
}

std::size_t MemoryPlan::add(LastingRegion& region, const ParameterSpec& spec) const {
    region.tensors.push_back({spec, layers_, region.size});
    region.size += padded(spec.shape.elements());
    return region.tensors.size() - 1;
}

Parameter MemoryPlan::parameter(const ParameterSpec& spec) {
    return {add(parameters_, spec)};
}

State MemoryPlan::state(const ParameterSpec& spec) {
    return {add(states_, spec)};
}

std::size_t MemoryPlan::place(Region& region, const Shape& shape, bool per_row) {
    region.slots.push_back({shape, per_row, region.end});
    region.end += padded(shape.elements());
    region.size = std::max(region.size, region.end);
    return region.slots.size() - 1;
}

Shape MemoryPlan::of_batch(const PerRow& rows) const {
    return rows.shape.with_rows(batch_);
}

NetworkMemory::NetworkMemory(Backend& backend, const MemoryPlan& plan)
    : plan_(plan),
      parameters_(backend.allocate_zeros({plan.parameter_count()})),
      gradients_(backend.allocate_zeros({plan.parameter_count()})),
      states_(backend.allocate_zeros({plan.state_count()})),
      arena_(backend.allocate(bytes(plan_.saved_.size + plan_.scratch_.size))) {
    for (const MemoryPlan::Lasting& parameter : plan_.parameters()) {
        values_.push_back(parameters_.view<float>(parameter.spec.shape, bytes(parameter.first)));
        grads_.push_back(gradients_.view<float>(parameter.spec.shape, bytes(parameter.first)));
    }
    for (const MemoryPlan::Lasting& state : plan_.states())
        state_views_.push_back(states_.view<float>(state.spec.shape, bytes(state.first)));
}

Tensor NetworkMemory::view(const MemoryPlan::Slot& slot, std::int64_t n, std::int64_t offset) const {
    const Shape shape = slot.per_row ? slot.shape.first_rows(n) : slot.shape;
    return arena_.view<float>(shape, bytes(offset + slot.first));
}

}  // namespace deepfreq
