#pragma once

#include <string>

#include "common/error.h"

namespace deepfreq {

/// The error's sentence, followed by which option or command would help.
std::string with_advice(const Error& error);

}  // namespace deepfreq
