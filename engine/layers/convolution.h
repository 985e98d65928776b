#pragma once

#include "engine/layer.h"
#include "engine/layers/image_shape.h"

namespace deepfreq {

struct ConvolutionSize {
    std::int64_t channels = 1;  ///< of the output
    std::int64_t kernel = 3;    ///< rows and columns; odd. Padded so that stride 1 keeps the image's size
    std::int64_t stride = 1;
};

/// z = conv(x, w); y = sigma(batch_norm(z) [+ residual]): what residual networks are made of, and a layer of
/// its own (ConvolutionUnit) as their stem. Uses four tensors of `w` and `dw` (filters, scale, shift), two of
/// `state` (running mean, variance) and three of `kept` (z, mean, inverse deviation), from given indices on.
class NormalizedConvolution {
  public:
    static constexpr int parameter_count = 3;
    static constexpr int state_count = 2;
    static constexpr int kept_count = 3;

    /// Where its tensors begin in those of its layer, and the role of its filters (ParameterSpec::role).
    struct Place {
        std::size_t parameters = 0, state = 0, kept = 0;
        std::uint32_t role = 1;
    };

    /// Throws InputError when a size is below 1 or the kernel is even.
    NormalizedConvolution(const ImageShape& input, const ConvolutionSize& size, Place place,
                          const BatchNormParams& batch_norm = {});

    const ImageShape& input_shape() const { return input_; }
    const ImageShape& output_shape() const { return output_; }
    std::vector<ParameterSpec> parameters() const;
    std::vector<ParameterSpec> state() const;
    std::vector<Shape> kept(std::int64_t n) const;

    /// Overwrites y, and its part of kept; residual may be absent.
    void forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x, ConstTensor residual,
                 Activation sigma, Tensor y) const;

    /// dy becomes the gradient by the sum before sigma, which is the residual's; dz is overwritten by the
    /// gradient by the convolution's output; dx (may be absent) is overwritten.
    void backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y, Activation sigma,
                  Tensor dy, Tensor dz, Tensor dx, GradMode grad) const;

  private:
    Conv2dParams params() const;

    ImageShape input_, output_;
    ConvolutionSize size_;
    Place place_;
    BatchNormParams batch_norm_;
};

/// y = sigma(batch_norm(conv(x))).
class ConvolutionUnit final : public Layer {
  public:
    ConvolutionUnit(const ImageShape& input, const ConvolutionSize& size, Activation sigma = Activation::Relu,
                    const BatchNormParams& batch_norm = {});

    const ImageShape& output_shape() const { return convolution_.output_shape(); }
    std::string description() const override;
    std::int64_t inputs() const override { return convolution_.input_shape().elements(); }
    std::int64_t outputs() const override { return output_shape().elements(); }
    std::vector<ParameterSpec> parameters() const override { return convolution_.parameters(); }
    std::vector<ParameterSpec> state() const override { return convolution_.state(); }
    std::vector<Shape> kept(std::int64_t n) const override { return convolution_.kept(n); }
    std::vector<Shape> scratch(std::int64_t n) const override { return {output_shape().batch(n)}; }
    void forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    ConvolutionSize size_;
    Activation sigma_;
    NormalizedConvolution convolution_;
};

}  // namespace deepfreq
