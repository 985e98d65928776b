#include "engine/device_dataset.h"

namespace deepfreq {

DeviceDataset::DeviceDataset(Kernels& kernels, const Dataset& data)
    : inputs_shape_{data.samples, data.features}, targets_shape_{data.samples, data.classes} {
    if (data.height > 0) image_shape_ = {data.samples, data.height, data.width, data.channels};
    upload(kernels, data.inputs, one_hot(data.labels, data.classes));
    labels_ = kernels.allocate(data.labels.size() * sizeof(std::int32_t));
    kernels.upload(std::span<const std::int32_t>(data.labels), labels_.view<std::int32_t>({data.samples}));
}

DeviceDataset::DeviceDataset(Kernels& kernels, const RegressionSet& data)
    : inputs_shape_{data.samples, data.features}, targets_shape_{data.samples, 1} {
    upload(kernels, data.inputs, data.targets);
}

void DeviceDataset::upload(Kernels& kernels, std::span<const float> inputs, std::span<const float> targets) {
    inputs_ = kernels.allocate(inputs.size_bytes());
    targets_ = kernels.allocate(targets.size_bytes());
    kernels.upload(inputs, inputs_.view<float>(inputs_shape_));
    kernels.upload(targets, targets_.view<float>(targets_shape_));
}

}  // namespace deepfreq
