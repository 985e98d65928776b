#pragma once

#include <string>

#include "common/error.h"

namespace deepfreq {

/// The error message, followed by the option or command that would help.
std::string with_advice(const Error& error);

}  // namespace deepfreq
