#pragma once

#include <functional>

#include "engine/network.h"

namespace deepfreq {

/// rows[n,width(l)] = f[l](x_i) for all inputs[n,d] (eq. 8), l as in Network::layer_index. The tapped layer
/// writes straight into `rows`, batch by batch; nothing is copied. Overwrites rows and the network's arena.
/// `stop` is called before each batch; when it returns true, Interrupted is thrown. The inputs are
/// f[from](x_i), by default x_i.
void collect_activations(Network& network, ConstTensor inputs, int l, Tensor rows,
                         const std::function<bool()>& stop = {}, int from = 0);

}  // namespace deepfreq
