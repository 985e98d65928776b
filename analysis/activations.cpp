#include "analysis/activations.h"

#include <algorithm>

namespace deepfreq {

void collect_activations(Network& network, ConstTensor inputs, int l, Tensor rows) {
    for (std::int64_t first = 0; first < inputs.rows(); first += network.batch()) {
        const std::int64_t n = std::min(network.batch(), inputs.rows() - first);
        network.forward(inputs.slice(first, n), l, rows.slice(first, n));
    }
}

}  // namespace deepfreq
