#include <zlib.h>

#include <vector>

#include "engine/checkpoint.h"
#include "tests/fuzz/input_file.h"

// Checkpoints. The first byte says whether the checksum is put right, which no input that the fuzzer changed
// would have.

using namespace deepfreq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::InputFile file;
    if (size == 0) return 0;
    std::vector<std::uint8_t> bytes(data + 1, data + size);
    if (data[0] % 2 == 1) {
        const uLong sum = crc32_z(0, bytes.data(), bytes.size());
        for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(sum >> shift));
    }
    fuzz::refuse_or([&] {
        const Checkpoint checkpoint = read_checkpoint(file.holding(bytes));
        fuzz::require(checkpoint.values.size() * sizeof(float) <= size);
    });
    return 0;
}
