#pragma once

#include "engine/layer.h"

namespace deepfreq {

/// In training, each element becomes 0 with probability `rate`, and the others are divided by 1 - rate; in
/// evaluation, y = x. Each step draws a new mask, which is not stored: backward draws it again.
class Dropout final : public Layer {
  public:
    /// Dropout layers of one network need different streams. Throws InputError for a rate outside [0, 1).
    Dropout(std::int64_t width, const DropoutParams& params);

    std::string description() const override;
    bool is_identity_in_evaluation() const override { return true; }
    std::int64_t inputs() const override { return width_; }
    std::int64_t outputs() const override { return width_; }
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    std::int64_t width_;
    DropoutParams params_;
};

}  // namespace deepfreq
