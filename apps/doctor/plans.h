#pragma once

#include <string>

namespace deepfreq {

/// Shows which plans cuDNN has for every convolution used by the networks and the table of cases, on a GPU
/// that need not be present: the one whose properties are in the JSON file `properties`, or each of those
/// supplied with the program if that is empty. Returns how many convolutions have no plan. Throws InputError
/// with the remedy where plans cannot be made, and with cuDNN's reason for properties that it rejects.
int show_plans(const std::string& properties);

}  // namespace deepfreq
