#pragma once

#include <cstdint>
#include <span>

#include "data/dataset.h"
#include "kernels/kernels.h"

namespace deepfreq {

/// A labelled data set in device memory: inputs[n,d], one-hot targets[n,classes], labels[n].
class DeviceDataset {
  public:
    /// Copies the set to the device. Throws RunError when memory is short.
    DeviceDataset(Kernels& kernels, const Dataset& data);

    std::int64_t samples() const { return inputs().rows(); }
    ConstTensor inputs() const { return inputs_.view<float>(inputs_shape_); }
    /// The inputs as images [n,h,w,c]; absent where the set says of none.
    ConstTensor images() const {
        return image_shape_.rank() == 0 ? ConstTensor{} : ConstTensor(inputs_.view<float>(image_shape_));
    }
    ConstTensor targets() const { return targets_.view<float>(targets_shape_); }
    TensorView<const std::int32_t> labels() const { return labels_.view<std::int32_t>({inputs_shape_[0]}); }

  private:
    Shape inputs_shape_, targets_shape_, image_shape_;
    Buffer inputs_, targets_, labels_;
};

}  // namespace deepfreq
