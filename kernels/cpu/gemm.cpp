#include "kernels/cpu/gemm.h"

#include "kernels/cpu/bfloat16.h"
#include "kernels/cpu/onednn.h"

namespace deepfreq {
namespace {

using dnnl::memory;
using onednn::engine;

/// A stored matrix that is rows x columns once its form is applied.
memory::desc stored(Transpose transpose, std::int64_t rows, std::int64_t columns, memory::data_type type) {
    const auto layout = transpose == Transpose::No ? memory::format_tag::ab : memory::format_tag::ba;
    return {{rows, columns}, type, layout};
}

/// Factors stay in the layout in which they are stored. In a layout of its own choice oneDNN multiplies 4 %
/// faster, but converting bfloat16 to it takes half as long as the product (benchmarks/results/cpu.md).
struct Descriptions {
    memory::desc a, b, c;

    Descriptions(const GemmTask& task, memory::data_type factors)
        : a(stored(task.transpose_a, task.m, task.k, factors)),
          b(stored(task.transpose_b, task.k, task.n, factors)),
          c(stored(Transpose::No, task.m, task.n, memory::data_type::f32)) {}
};

dnnl::matmul product(const Descriptions& of, bool add) {
    dnnl::post_ops after;
    if (add) after.append_sum();
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(after);
    return dnnl::matmul({{of.a, of.b, of.c}, attributes, engine()});
}

}  // namespace

void Gemm::operator()(const GemmTask& task, const float* a, const float* b, float* c) {
    onednn::guarded("matrix product", {task.m, task.k}, {task.k, task.n}, [&] {
        if (precision_ != Precision::BFloat16)
            multiply(task, a, b, c);
        else if (onednn::multiplies_bfloat16())
            multiply_rounded<std::uint16_t>(task, a, b, c);
        else
            multiply_rounded<float>(task, a, b, c);
    });
}

template <class T>
void Gemm::multiply_rounded(const GemmTask& task, const float* a, const float* b, float* c) {
    const std::int64_t elements_a = task.m * task.k, elements_b = task.k * task.n;
    T* const rounded_a = rounded_a_.room<T>(elements_a);
    T* const rounded_b = rounded_b_.room<T>(elements_b);
    round_to_bfloat16(a, elements_a, rounded_a);
    round_to_bfloat16(b, elements_b, rounded_b);
    multiply(task, rounded_a, rounded_b, c);
}

void Gemm::multiply(const GemmTask& task, const void* a, const void* b, float* c) {
    const Descriptions of(task, onednn::factor_type(precision_));
    auto known = products_.find(task);
    if (known == products_.end()) known = products_.emplace(task, product(of, task.add)).first;
    const auto memory_of = [](const memory::desc& description, const void* data) {
        return memory(description, engine(), const_cast<void*>(data));  // oneDNN's handles have no const
    };
    known->second.execute(onednn::stream(), {{DNNL_ARG_SRC, memory_of(of.a, a)},
                                             {DNNL_ARG_WEIGHTS, memory_of(of.b, b)},
                                             {DNNL_ARG_DST, memory_of(of.c, c)}});
}

}  // namespace deepfreq
