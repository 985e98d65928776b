#include <zlib.h>

#include <fstream>

#include "apps/fit_functions/epochs_table.h"
#include "runs/csv_file.h"
#include "tests/fuzz/input_file.h"

// The CSV files that a run goes on with. The first part of the input is the file, the second says how far the
// checkpoint knows it. What is refused is not touched; what is not keeps what it had, and goes on after it.

using namespace deepfreq;

namespace {

constexpr std::string_view header = "epoch,loss";

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::uint32_t checksum(const std::string& bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<z_size_t>(bytes.size())));
}

void go_on(const std::filesystem::path& path, fuzz::Input extent) {
    const std::string before = content(path);
    CsvFile csv(path, header);
    if (content(path) != before) {  // a header that was cut short is written anew, and nothing else
        fuzz::require(before.size() <= header.size() && content(path) == std::string(header) + '\n');
        return;
    }
    const std::size_t bytes = extent.empty() ? before.size() : extent[0];
    const bool right = extent.size() < 2 || extent[1] % 2 == 0;
    const std::uint32_t sum = checksum(before.substr(0, bytes)) ^ (right ? 0U : 1U);
    try {
        csv.cut_back({static_cast<std::int64_t>(bytes), sum});
    } catch (const InputError&) {
        fuzz::require(content(path) == before && (!right || bytes > before.size()));
        return;
    }
    fuzz::require(right && content(path) == before.substr(0, bytes));
    csv.row("1,0.5");
    fuzz::require(content(path) == before.substr(0, bytes) + "1,0.5\n");
    const CsvExtent settled = csv.settle();
    fuzz::require(settled.crc32 == checksum(content(path)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::InputFile file, epochs;
    static const std::filesystem::path folder = [] {
        static const fuzz::Folder made;
        std::filesystem::create_symlink(epochs.holding({}), made.path / "epochs.csv");
        return made.path;
    }();
    const auto [first, second] = fuzz::in_two({data, size});
    fuzz::refuse_or([&, a = first, b = second] { go_on(file.holding(a), b); });
    fuzz::refuse_or([&] {
        epochs.holding({data, size});
        read_epochs(folder);
    });
    return 0;
}
