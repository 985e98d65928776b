#pragma once

#include "oracle/experiment.h"

// The experiments with operations on images, for experiment_of().

namespace deepfreq::oracle {

Experiment conv2d_forward(const Case& c);
Experiment conv2d_backward(const Case& c);
Experiment batch_norm_forward_training(const Case& c);
Experiment batch_norm_forward_inference(const Case& c);
Experiment batch_norm_backward(const Case& c);
Experiment average_pool_forward(const Case& c);
Experiment average_pool_backward(const Case& c);
Experiment max_pool_forward(const Case& c);
Experiment max_pool_backward(const Case& c);
Experiment add(const Case& c);

}  // namespace deepfreq::oracle
