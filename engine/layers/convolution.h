#pragma once

#include <string_view>

#include "engine/layer.h"
#include "engine/layers/image_shape.h"

namespace deepfreq {

struct ConvolutionSize {
    std::int64_t channels = 1;  ///< of the output
    std::int64_t kernel = 3;    ///< rows and columns; odd. Padding keeps the image's size at stride 1
    std::int64_t stride = 1;
};

/// z = conv(x, w); y = activation(batch_norm(z) [+ residual]): the building block of residual networks, also
/// a layer of its own (ConvolutionUnit) as their stem.
class NormalizedConvolution {
  public:
    /// Throws InputError when a size is below 1 or the kernel is even.
    NormalizedConvolution(const ImageShape& input, const ConvolutionSize& size,
                          const BatchNormParams& batch_norm = {});

    const ImageShape& input_shape() const { return input_; }
    const ImageShape& output_shape() const { return output_; }

    /// Plans filters, scale and shift; running mean and variance; z and the batch statistics. The tensors'
    /// names begin with `prefix`; `role` is the role of the filters (ParameterSpec::role).
    void plan(MemoryPlan& plan, std::string_view prefix, std::uint32_t role);

    /// Overwrites y and what is saved; residual may be absent.
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x, ConstTensor residual,
                 Activation activation, Tensor y) const;

    /// dy becomes the gradient with respect to the sum before the activation, which is also the gradient with
    /// respect to the residual; dz is overwritten with the gradient with respect to the convolution's output;
    /// dx (may be absent) is overwritten.
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                  Activation activation, Tensor dy, Tensor dz, Tensor dx, GradMode grad) const;

  private:
    Conv2dParams params() const;

    ImageShape input_, output_;
    ConvolutionSize size_;
    BatchNormParams batch_norm_;
    Parameter filters_, scale_, shift_;
    State running_mean_, running_variance_;
    Saved z_, mean_, inv_std_;
};

/// y = activation(batch_norm(conv(x))).
class ConvolutionUnit final : public Layer {
  public:
    ConvolutionUnit(const ImageShape& input, const ConvolutionSize& size,
                    Activation activation = Activation::Relu, const BatchNormParams& batch_norm = {});

    const ImageShape& output_shape() const { return convolution_.output_shape(); }
    std::string description() const override;
    std::int64_t inputs() const override { return convolution_.input_shape().elements(); }
    std::int64_t outputs() const override { return output_shape().elements(); }
    void plan(MemoryPlan& plan) override;
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    ConvolutionSize size_;
    Activation activation_;
    NormalizedConvolution convolution_;
    Scratch dz_;
};

}  // namespace deepfreq
