#include <fstream>

#include "data/cifar10_files.h"
#include "tests/fuzz/input_file.h"

// CIFAR-10's binary files, of two records each: the input is the last of them.

using namespace deepfreq;

namespace {

/// The other five, and a link to the last.
struct Files : fuzz::Folder {
    explicit Files(const std::filesystem::path& last) {
        for (const char* name : cifar10_files) std::ofstream(path / name) << std::string(2 * 3073, '\1');
        std::filesystem::remove(path / cifar10_files.back());
        std::filesystem::create_symlink(last, path / cifar10_files.back());
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::InputFile file;
    static const Files files(file.holding({}));
    file.holding({data, size});
    fuzz::refuse_or([&] {
        const ImageSets sets = read_cifar10(files.path, 2);
        fuzz::require(sets.test.samples() == 2);
        for (const std::uint8_t label : sets.test.labels) fuzz::require(label < 10);
    });
    return 0;
}
