#pragma once

#include <string>

#include "data/dataset.h"

namespace deepfreq {

/// Calls load_mnist() on the folder given by --data; logs where the digits come from and shows the progress
/// of a download on the terminal.
TrainValidation load_mnist_telling(const std::string& place);

}  // namespace deepfreq
