#include "engine/device_dataset.h"

namespace deepfreq {

DeviceDataset::DeviceDataset(Kernels& kernels, const Dataset& data)
    : inputs_shape_{data.samples, data.features}, targets_shape_{data.samples, data.classes} {
    if (data.height > 0) image_shape_ = {data.samples, data.height, data.width, data.channels};
    const std::vector<float> targets = one_hot(data.labels, data.classes);
    inputs_ = kernels.allocate(data.inputs.size() * sizeof(float));
    targets_ = kernels.allocate(targets.size() * sizeof(float));
    labels_ = kernels.allocate(data.labels.size() * sizeof(std::int32_t));
    kernels.upload(std::span<const float>(data.inputs), inputs_.view<float>(inputs_shape_));
    kernels.upload(std::span<const float>(targets), targets_.view<float>(targets_shape_));
    kernels.upload(std::span<const std::int32_t>(data.labels), labels_.view<std::int32_t>({data.samples}));
}

}  // namespace deepfreq
