#include "apps/common/result_folder.h"

#include <system_error>

#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {

namespace fs = std::filesystem;

ResultFolder::ResultFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    for (fs::path folder = fs::absolute(path_).lexically_normal(); !fs::exists(folder, error);
         folder = folder.parent_path())
        made_.push_back(folder);
    fs::create_directories(path_, error);
    if (error) throw InputError("{}: the folder cannot be made: {}", path_.string(), error.message());
    if (const fs::directory_iterator found(path_); found != fs::directory_iterator())
        throw InputError("{}: holds {} already, a new or an empty folder expected", path_.string(),
                         found->path().filename().string());
}

ResultFolder::~ResultFolder() {
    if (kept_) return;
    std::error_code ignored;
    for (const fs::path& file : written_) fs::remove(file, ignored);
    for (const fs::path& folder : made_) fs::remove(folder, ignored);
}

void ResultFolder::write(const std::string& name, std::string_view text) {
    AtomicFile file(path_ / name);
    file.write(text.data(), text.size());
    file.commit();
    written_.push_back(path_ / name);
}

}  // namespace deepfreq
