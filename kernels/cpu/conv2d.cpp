#include <memory>
#include <optional>

#include "kernels/cpu/convolutions.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/onednn.h"
#include "kernels/cpu/winograd.h"

namespace deepfreq {
namespace {

using dnnl::memory;
using onednn::engine;
using onednn::Operand;
using onednn::Pass;

/// [n,h,w,c] or [out,kh,kw,in] as oneDNN names extents, in our layout or one of its choice.
memory::desc description(const Shape& shape, bool ours, memory::data_type type = memory::data_type::f32) {
    const auto layout = ours ? memory::format_tag::nhwc : memory::format_tag::any;
    return {{shape[0], shape[3], shape[1], shape[2]}, type, layout};
}

/// How oneDNN does a convolution. Images stay in our layout or not, filters never do: they are small beside
/// the images, and each direction wants them differently.
struct Choice {
    dnnl::convolution_forward::primitive_desc forward;
    dnnl::convolution_backward_data::primitive_desc data;
    dnnl::convolution_backward_weights::primitive_desc weights;

    Choice(memory::data_type factors, bool images_as_ours, const Shape& x_shape, const Shape& w_shape,
           const Shape& y_shape, const Conv2dParams& params) {
        const auto algorithm = dnnl::algorithm::convolution_direct;
        const memory::desc x = description(x_shape, images_as_ours, factors);
        const memory::desc w = description(w_shape, false, factors);
        const memory::desc dy = description(y_shape, images_as_ours, factors);
        const memory::desc y = description(y_shape, images_as_ours);
        const memory::desc dx = description(x_shape, images_as_ours);
        const memory::desc dw = description(w_shape, false);
        const memory::dims strides{params.stride, params.stride};
        const memory::dims padding{params.padding, params.padding};
        const auto kind = dnnl::prop_kind::forward_training;
        forward = {{kind, algorithm, x, w, y, strides, padding, padding}, engine()};
        data = {{algorithm, dx, w, dy, strides, padding, padding}, engine(), forward};
        weights = {{algorithm, x, dw, dy, strides, padding, padding}, engine(), forward};
    }
};

/// Whether oneDNN 2.6 gets 1×1 convolutions wrong when the images stay in our layout. In a layout of its own
/// choice, channels are padded and both cases below are correct:
/// - Strided, it gathers the pixels first, and writes past the end of where it gathers them unless the
///   channels fill its blocks, of 8 or 16: wrong gradients of the filters, crashes, hangs
///   (github.com/uxlfoundation/oneDNN/issues/6035).
/// - In bfloat16, which it multiplies in pairs, the gradients of the images are wrong for an odd number of
///   filters and 30, 59, 60, 89, 90, … pixels (found here, on a Zen 4).
bool wrong_in_our_layout(memory::data_type factors, const Shape& w, const Conv2dParams& params) {
    const bool writes_too_far = params.stride > 1 && w[3] % 16 != 0;
    const bool lacks_half_a_pair = factors == memory::data_type::bf16 && w[0] % 2 != 0;
    return w[1] == 1 && w[2] == 1 && (writes_too_far || lacks_half_a_pair);
}

/// A convolution by oneDNN's direct algorithms.
class DirectConvolution final : public Convolution {
  public:
    DirectConvolution(Precision precision, const Shape& x, const Shape& w, const Shape& y,
                      const Conv2dParams& params)
        : precision_(precision),
          choice_(onednn::factor_type(precision),
                  !wrong_in_our_layout(onednn::factor_type(precision), w, params), x, w, y, params),
          x_(description(x, true)),
          w_(description(w, true)),
          y_(description(y, true)) {}

    void forward(const float* x, const float* w, float* y, Workspace& workspace) override {
        const auto& chosen = choice_.forward;
        if (!forward_)
            forward_.emplace(precision_, dnnl::convolution_forward(chosen),
                             Operand(DNNL_ARG_SRC, x_, chosen.src_desc()),
                             Operand(DNNL_ARG_WEIGHTS, w_, chosen.weights_desc()),
                             Operand(DNNL_ARG_DST, y_, chosen.dst_desc()));
        forward_->run(x, w, y, workspace);
    }

    void backward_data(const float* w, const float* dy, float* dx, Workspace& workspace) override {
        const auto& chosen = choice_.data;
        if (!data_)
            data_.emplace(precision_, dnnl::convolution_backward_data(chosen),
                          Operand(DNNL_ARG_DIFF_DST, y_, chosen.diff_dst_desc()),
                          Operand(DNNL_ARG_WEIGHTS, w_, chosen.weights_desc()),
                          Operand(DNNL_ARG_DIFF_SRC, x_, chosen.diff_src_desc()));
        data_->run(dy, w, dx, workspace);
    }

    void backward_weights(const float* x, const float* dy, float* dw, Workspace& workspace) override {
        const auto& chosen = choice_.weights;
        if (!weights_)
            weights_.emplace(precision_, dnnl::convolution_backward_weights(chosen),
                             Operand(DNNL_ARG_SRC, x_, chosen.src_desc()),
                             Operand(DNNL_ARG_DIFF_DST, y_, chosen.diff_dst_desc()),
                             Operand(DNNL_ARG_DIFF_WEIGHTS, w_, chosen.diff_weights_desc()));
        weights_->run(x, dy, dw, workspace);
    }

  private:
    Precision precision_;
    Choice choice_;
    memory::desc x_, w_, y_;  // in our layout
    // Created on first use: inference needs only one of them.
    std::optional<Pass> forward_, data_, weights_;
};

/// oneDNN 2.6 has Winograd's algorithm for AVX-512 alone, and 3.x has none. Ours is as fast there, and in bf16
/// as fast as direct convolutions by AVX512_BF16 or faster (benchmarks/results/cpu.md). AMX multiplies bfloat16
/// faster than any algorithm saves.
std::unique_ptr<Convolution> make_convolution(Precision precision, const Shape& x, const Shape& w,
                                              const Shape& y, const Conv2dParams& params) {
    const bool by_amx = precision == Precision::BFloat16 && onednn::has(dnnl_cpu_isa_avx512_core_amx);
    if (!by_amx && Winograd::serves(x, w, params)) return std::make_unique<Winograd>(precision, x, w);
    return std::make_unique<DirectConvolution>(precision, x, w, y, params);
}

}  // namespace

Convolution& Convolutions::of(const Shape& x, const Shape& w, const Shape& y, const Conv2dParams& params) {
    const Key key{x[0], x[1], x[2], x[3], w[0], w[1], w[2], params.stride, params.padding};
    std::unique_ptr<Convolution>& convolution = made_[key];
    if (!convolution) convolution = make_convolution(precision_, x, w, y, params);
    return *convolution;
}

void CpuBackend::execute(const Conv2dForward& op) {
    onednn::guarded("convolution", op.x.shape, op.w.shape, [&] {
        convolutions_.of(op.x.shape, op.w.shape, op.y.shape, op.params)
            .forward(op.x.data, op.w.data, op.y.data, workspace_);
    });
}

void CpuBackend::execute(const Conv2dBackward& op) {
    onednn::guarded("convolution", op.x.shape, op.w.shape, [&] {
        Convolution& convolution = convolutions_.of(op.x.shape, op.w.shape, op.dy.shape, op.params);
        if (op.dx) convolution.backward_data(op.w.data, op.dy.data, op.dx.data, workspace_);
        if (op.mode == GradMode::Overwrite) {
            convolution.backward_weights(op.x.data, op.dy.data, op.dw.data, workspace_);
        } else {  // oneDNN's reorders could add to dw as they copy, but some in 2.6 do it wrongly
            const Tensor term(small_workspace_.room<float>(op.dw.elements()), op.dw.shape);
            convolution.backward_weights(op.x.data, op.dy.data, term.data, workspace_);
            execute(Add{term, op.dw});
        }
    });
}

}  // namespace deepfreq
