#include <cmath>
#include <vector>

#include "data/npy.h"
#include "tests/fuzz/input_file.h"

// Arrays that NumPy saved.

using namespace deepfreq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::InputFile file;
    fuzz::refuse_or([&] {
        NpyFile npy(file.holding({data, size}));
        const auto count = static_cast<std::size_t>(npy.rows() * npy.columns());
        fuzz::require(count <= size);
        if (npy.has_integers()) {
            std::vector<std::int64_t> numbers(count);
            npy.read(numbers);
            return;
        }
        std::vector<double> numbers(count);
        npy.read(numbers);
        for (const double number : numbers) fuzz::require(std::isfinite(number));
        npy.seek(npy.rows() - 1);
        std::vector<float> last(static_cast<std::size_t>(npy.columns()));
        npy.read(last);
    });
    return 0;
}
