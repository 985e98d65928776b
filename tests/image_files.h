#pragma once

#include <cstdint>

#include "tests/files.h"

namespace deepfreq {

/// The bytes of a PNG file: `pixels` [height, width, channels] with 1 (grey), 2 (and transparency), 3 or 4
/// channels.
Bytes png(int height, int width, int channels, const Bytes& pixels);

/// The bytes of a JPEG file of quality 95, of 1 or 3 channels.
Bytes jpeg(int height, int width, int channels, const Bytes& pixels);

}  // namespace deepfreq
