#pragma once

#include <string>

namespace deepfreq {

/// Shows which plans cuDNN has for every convolution that the networks and the table of cases ask for, on a
/// GPU that need not be here: one whose properties are in the JSON file `properties`, or each of those that
/// come with the program if that is empty. Returns how many convolutions have no plan. Throws InputError with
/// the cure where plans cannot be made, with cuDNN's reason for properties that it refuses.
int show_plans(const std::string& properties);

}  // namespace deepfreq
