#pragma once

#include <array>
#include <cstddef>
#include <dnnl.hpp>
#include <optional>

#include "common/error.h"
#include "kernels/buffer.h"
#include "kernels/cpu/workspace.h"
#include "kernels/types.h"

// What all our uses of oneDNN's primitives have in common.

namespace deepfreq::onednn {

const dnnl::engine& engine();

/// The stream on which primitives run one after the other.
dnnl::stream& stream();

/// Whether oneDNN uses these instructions (dnnl_cpu_isa_t) on this processor.
bool has(dnnl_cpu_isa_t instructions);

/// Whether this processor multiplies bfloat16 (AVX512_BF16 or AMX). If not, bf16 means float32 arithmetic on
/// factors rounded beforehand: the same products, but slower than plain float32.
bool multiplies_bfloat16();

/// The type in which primitives take the factors of products.
dnnl::memory::data_type factor_type(Precision precision);

/// An argument of a primitive, and its conversion between our layout and type and the primitive's.
class Operand {
  public:
    Operand(int argument, const dnnl::memory::desc& ours, const dnnl::memory::desc& chosen)
        : argument_(argument), ours_(ours), chosen_(chosen) {}

    int argument() const { return argument_; }
    std::int64_t elements() const { return static_cast<std::int64_t>(ours_.get_size() / sizeof(float)); }
    /// 0 where ours is what the primitive takes.
    std::size_t bytes_of_copy() const;
    dnnl::memory ours(const float* data) const;
    dnnl::memory chosen(const float* data, std::byte* copy) const;
    dnnl::reorder from_ours() const { return dnnl::reorder({engine(), ours_, engine(), chosen_}); }
    dnnl::reorder to_ours() const { return dnnl::reorder({engine(), chosen_, engine(), ours_}); }

  private:
    int argument_;
    dnnl::memory::desc ours_, chosen_;
};

/// A primitive of two factors, with the copies needed before and after: result = primitive(left, right).
class Pass {
  public:
    Pass(Precision precision, dnnl::primitive primitive, const Operand& left, const Operand& right,
         const Operand& result);

    /// Factors and result are in our layout. The result is overwritten.
    void run(const float* left, const float* right, float* result, Workspace& workspace) const;

  private:
    std::size_t bytes() const;

    bool rounds_;  // the factors, before the primitive sees them
    dnnl::primitive primitive_;
    std::array<Operand, 3> operands_;
    std::array<std::optional<dnnl::reorder>, 3> reorders_;
};

/// Calls `work` and turns oneDNN's errors into RunError. `what` names an operation, of a with b.
template <class Work>
void guarded(const char* what, const Shape& a, const Shape& b, const Work& work) {
    try {
        work();
    } catch (const dnnl::error& error) {
        throw RunError("oneDNN: {} of {} with {} failed with status {} ({}), expected 0", what, a.text(),
                       b.text(), static_cast<int>(error.status), error.what());
    }
}

}  // namespace deepfreq::onednn
