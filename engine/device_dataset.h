#pragma once

#include <cstdint>
#include <span>

#include "data/dataset.h"
#include "data/functions.h"
#include "kernels/backend.h"

namespace deepfreq {

/// A data set in device memory: inputs[n,d] and targets[n,c]. For a labelled set, the targets are one-hot and
/// labels[n] are stored too; for a function, the targets are its values and there are no labels.
class DeviceDataset {
  public:
    /// Copies the set to the device. Throws InputError when memory is short.
    DeviceDataset(Backend& backend, const Dataset& data);
    DeviceDataset(Backend& backend, const RegressionSet& data);

    std::int64_t samples() const { return inputs().rows(); }
    ConstTensor inputs() const { return inputs_.view<float>(inputs_shape_); }
    /// The inputs as images [n,h,w,c]; absent if the set is not made of images.
    ConstTensor images() const {
        return image_shape_.rank() == 0 ? ConstTensor{} : ConstTensor(inputs_.view<float>(image_shape_));
    }
    ConstTensor targets() const { return targets_.view<float>(targets_shape_); }
    /// Absent if the targets are the values of a function.
    TensorView<const std::int32_t> labels() const {
        if (labels_.bytes() == 0) return {};
        return labels_.view<std::int32_t>({inputs_shape_[0]});
    }

  private:
    void upload(Backend& backend, std::span<const float> inputs, std::span<const float> targets);

    Shape inputs_shape_, targets_shape_, image_shape_;
    Buffer inputs_, targets_, labels_;
};

}  // namespace deepfreq
