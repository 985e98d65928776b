#pragma once

#include "engine/network.h"

namespace deepfreq {

/// rows[n,width(l)] = f[l](x_i) for all inputs[n,d] (eq. 8), l as in Network::layer_index. The tapped layer
/// writes straight into `rows`, batch by batch; nothing is copied. Overwrites rows and the network's arena.
void collect_activations(Network& network, ConstTensor inputs, int l, Tensor rows);

}  // namespace deepfreq
