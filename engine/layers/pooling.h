#pragma once

#include "engine/layer.h"
#include "engine/layers/image_shape.h"

namespace deepfreq {

/// Averages an image down to a grid of rows × columns, channel by channel; the grid must divide the image.
class AveragePooling final : public Layer {
  public:
    /// Throws InputError when the grid does not divide the image.
    AveragePooling(const ImageShape& input, std::int64_t rows, std::int64_t columns);

    const ImageShape& output_shape() const { return output_; }
    std::string description() const override;
    std::int64_t inputs() const override { return input_.elements(); }
    std::int64_t outputs() const override { return output_.elements(); }
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    PoolParams window() const;

    ImageShape input_, output_;
};

}  // namespace deepfreq
