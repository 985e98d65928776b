// Stands in for download.cpp in a build without downloads (DEEPFREQ_DOWNLOADS=OFF).
#include "common/error.h"
#include "data/download.h"

namespace deepfreq {

void download(const std::vector<std::string>& urls, const std::filesystem::path& path,
              const std::string& /*expected_md5*/, const DownloadOptions& /*options*/, Md5Of /*md5_of*/) {
    throw RunError("{}: not there, and this build has no downloads: expected the file of {}", path.string(),
                   urls.empty() ? "a mirror" : urls.front());
}

}  // namespace deepfreq
