#pragma once

#include "oracle/experiment.h"

// The experiments with losses, the optimiser and batches, for experiment_of().

namespace deepfreq::oracle {

Experiment mean_squared_error(const Case& c);
Experiment softmax_cross_entropy(const Case& c);
Experiment count_correct(const Case& c);
Experiment adam(const Case& c);
Experiment gather_rows(const Case& c);
Experiment gather_augmented_images(const Case& c);
Experiment random_permutation(const Case& c);
Experiment dropout(const Case& c);
Experiment softmax(const Case& c);

}  // namespace deepfreq::oracle
