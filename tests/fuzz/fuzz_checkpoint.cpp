#include <string>
#include <vector>

#include "engine/checkpoint.h"
#include "tests/fuzz/input_file.h"

// Checkpoints. The first byte says whether the checksum is put right, which no input that the fuzzer changed
// would have.

using namespace deepfreq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::InputFile file;
    if (size == 0) return 0;
    std::string text(data + 1, data + size);
    if (data[0] % 2 == 1) put_checksum(text);
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    fuzz::refuse_or([&] {
        const Checkpoint checkpoint = read_checkpoint(file.holding(bytes));
        fuzz::require(checkpoint.values.size() * sizeof(float) <= size);
    });
    return 0;
}
