#include <algorithm>

#include "data/idx.h"
#include "tests/fuzz/input_file.h"

// MNIST's files: images and labels, plain or gzip.

using namespace deepfreq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::InputFile images, labels;
    const auto [first, second] = fuzz::in_two({data, size});
    fuzz::refuse_or([&, a = first, b = second] {
        const Dataset set = read_idx(images.holding(a), labels.holding(b));
        fuzz::require(set.inputs.size() == static_cast<std::size_t>(set.samples * set.features));
        fuzz::require(std::ranges::all_of(set.labels, [](int label) { return label >= 0 && label < 10; }));
    });
    return 0;
}
