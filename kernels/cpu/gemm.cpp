#include "kernels/cpu/gemm.h"

#include "common/error.h"

namespace deepfreq {
namespace {

using dnnl::memory;
using onednn::engine;
using onednn::Operand;

/// A stored matrix that after its form is rows x columns.
memory::desc stored(Form form, std::int64_t rows, std::int64_t columns) {
    const auto layout = form == Form::Plain ? memory::format_tag::ab : memory::format_tag::ba;
    return {{rows, columns}, memory::data_type::f32, layout};
}

/// The same in a layout of oneDNN's choice.
memory::desc factor(Precision precision, std::int64_t rows, std::int64_t columns) {
    return {{rows, columns}, onednn::factor_type(precision), memory::format_tag::any};
}

onednn::Pass product_of_rounded(Precision precision, const GemmTask& task) {
    const memory::desc c = stored(Form::Plain, task.m, task.n);
    dnnl::primitive_attr attributes;
    dnnl::post_ops after;
    if (task.add) after.append_sum();
    attributes.set_post_ops(after);
    const dnnl::matmul::primitive_desc chosen(
        {factor(precision, task.m, task.k), factor(precision, task.k, task.n), c}, attributes, engine());
    return {precision, dnnl::matmul(chosen),
            Operand(DNNL_ARG_SRC, stored(task.form_a, task.m, task.k), chosen.src_desc()),
            Operand(DNNL_ARG_WEIGHTS, stored(task.form_b, task.k, task.n), chosen.weights_desc()),
            Operand(DNNL_ARG_DST, c, chosen.dst_desc())};
}

void multiply_float32(const GemmTask& task, const float* a, const float* b, float* c) {
    const auto letter = [](Form form) { return form == Form::Plain ? 'N' : 'T'; };
    const std::int64_t row_a = task.form_a == Form::Plain ? task.k : task.m;
    const std::int64_t row_b = task.form_b == Form::Plain ? task.n : task.k;
    const dnnl_status_t status = dnnl_sgemm(letter(task.form_a), letter(task.form_b), task.m, task.n, task.k,
                                            1.0F, a, row_a, b, row_b, task.add ? 1.0F : 0.0F, c, task.n);
    if (status != dnnl_success)
        throw RunError("oneDNN: matrix product of [{}, {}] by [{}, {}] failed with status {}, expected 0",
                       task.m, task.k, task.k, task.n, static_cast<int>(status));
}

}  // namespace

void Gemm::operator()(const GemmTask& task, const float* a, const float* b, float* c) {
    if (precision_ != Precision::BFloat16) return multiply_float32(task, a, b, c);
    onednn::guarded("matrix product", {task.m, task.k}, {task.k, task.n},
                    [&] { rounding(task).run(a, b, c, workspace_); });
}

const onednn::Pass& Gemm::rounding(const GemmTask& task) {
    const auto known = passes_.find(task);
    if (known != passes_.end()) return known->second;
    return passes_.emplace(task, product_of_rounded(precision_, task)).first->second;
}

}  // namespace deepfreq
