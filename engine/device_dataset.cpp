#include "engine/device_dataset.h"

namespace deepfreq {

DeviceDataset::DeviceDataset(Backend& backend, const Dataset& data)
    : inputs_shape_{data.samples, data.features}, targets_shape_{data.samples, data.classes} {
    if (data.height > 0) image_shape_ = {data.samples, data.height, data.width, data.channels};
    upload(backend, data.inputs, one_hot(data.labels, data.classes));
    labels_ = backend.allocate(data.labels.size() * sizeof(std::int32_t));
    backend.upload(std::span<const std::int32_t>(data.labels), labels_.view<std::int32_t>({data.samples}));
}

DeviceDataset::DeviceDataset(Backend& backend, const RegressionSet& data)
    : inputs_shape_{data.samples, data.features}, targets_shape_{data.samples, 1} {
    upload(backend, data.inputs, data.targets);
}

void DeviceDataset::upload(Backend& backend, std::span<const float> inputs, std::span<const float> targets) {
    inputs_ = backend.allocate(inputs.size_bytes());
    targets_ = backend.allocate(targets.size_bytes());
    backend.upload(inputs, inputs_.view<float>(inputs_shape_));
    backend.upload(targets, targets_.view<float>(targets_shape_));
}

}  // namespace deepfreq
