#include "runs/result_folder.h"

#include <system_error>
#include <utility>

#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

// Creates it with all folders above it; returns those that did not exist, the innermost first.
std::vector<fs::path> make_folders(const fs::path& path) {
    std::vector<fs::path> made;
    std::error_code error;
    for (fs::path folder = fs::absolute(path).lexically_normal(); !fs::exists(folder, error);
         folder = folder.parent_path())
        made.push_back(folder);
    fs::create_directories(path, error);
    if (error) throw InputError("{}: the folder cannot be made: {}", path.string(), error.message());
    return made;
}

}  // namespace

ResultFolder::ResultFolder(std::vector<fs::path> made, OwnedFolder owned)
    : made_(std::move(made)), owned_(std::move(owned)), path_(owned_->path()) {
    for (const fs::directory_entry& entry : fs::directory_iterator(path_))
        if (entry.path().filename() != OwnedFolder::lock_name)
            throw InputError("{}: holds {} already, a new or an empty folder expected", path_.string(),
                             entry.path().filename().string());
}

// In braces, whose elements are evaluated in order.
ResultFolder::ResultFolder(const fs::path& path) : ResultFolder{make_folders(path), OwnedFolder(path)} {}

ResultFolder ResultFolder::next(const fs::path& stem) {
    std::vector<fs::path> made = make_folders(stem.parent_path());
    OwnedFolder owned = OwnedFolder::next(stem);
    made.insert(made.begin(), owned.path());
    return {std::move(made), std::move(owned)};
}

ResultFolder::~ResultFolder() {
    if (kept_) return;
    std::error_code ignored;
    for (const fs::path& file : written_) fs::remove(file, ignored);
    owned_.reset();  // its lock file is in the folder
    for (const fs::path& folder : made_) fs::remove(folder, ignored);
}

void ResultFolder::write(const std::string& name, std::string_view text) {
    write_whole(path_ / name, text);
    written_.push_back(path_ / name);
}

}  // namespace deepfreq
