#pragma once

#include <string>

#include "data/dataset.h"

namespace deepfreq {

/// load_mnist() of the folder that --data names, telling the log where the digits come from and the terminal
/// how a download goes.
TrainValidation load_mnist_telling(const std::string& place);

}  // namespace deepfreq
