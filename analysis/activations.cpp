#include "analysis/activations.h"

#include <algorithm>

#include "common/error.h"

namespace deepfreq {

void collect_activations(Network& network, ConstTensor inputs, int l, Tensor rows,
                         const std::function<bool()>& stop, int from) {
    for (std::int64_t first = 0; first < inputs.rows(); first += network.batch()) {
        if (stop && stop()) throw Interrupted();
        const std::int64_t n = std::min(network.batch(), inputs.rows() - first);
        network.forward(inputs.slice(first, n), l, rows.slice(first, n), from);
    }
}

}  // namespace deepfreq
