#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {
namespace {

using Archive = std::unique_ptr<archive, decltype(&archive_read_free)>;

// Writes the archive's current file.
void extract(archive* from, const std::filesystem::path& to, const std::string& archive_name) {
    AtomicFile file(to);
    std::vector<char> chunk(1 << 16);
    la_ssize_t read = 0;
    while ((read = archive_read_data(from, chunk.data(), chunk.size())) > 0)
        file.write(chunk.data(), static_cast<std::size_t>(read));
    if (read < 0)
        throw RunError("{}: {} cannot be unpacked: {}", archive_name, to.filename().string(),
                       archive_error_string(from));
    file.commit();
}

}  // namespace

void unpack(const std::filesystem::path& archive_path, std::span<const std::string> names,
            const std::filesystem::path& folder) {
    const Archive opened(archive_read_new(), archive_read_free);
    archive_read_support_filter_all(opened.get());
    archive_read_support_format_tar(opened.get());
    constexpr std::size_t block = 1 << 16;
    if (archive_read_open_filename(opened.get(), archive_path.c_str(), block) != ARCHIVE_OK)
        throw RunError("{}: cannot be unpacked: {}", archive_path.string(),
                       archive_error_string(opened.get()));

    std::vector<std::string> missing(names.begin(), names.end());
    archive_entry* entry = nullptr;
    int status = ARCHIVE_OK;
    while (!missing.empty() && (status = archive_read_next_header(opened.get(), &entry)) == ARCHIVE_OK) {
        const std::string name = std::filesystem::path(archive_entry_pathname(entry)).filename();
        if (std::erase(missing, name) > 0) extract(opened.get(), folder / name, archive_path.string());
    }
    if (status != ARCHIVE_OK && status != ARCHIVE_EOF)
        throw RunError("{}: cannot be unpacked: {}", archive_path.string(),
                       archive_error_string(opened.get()));
    if (!missing.empty())
        throw RunError("{}: {} is not in it, but was expected", archive_path.string(), missing.front());
}

}  // namespace deepfreq
