#include "data/download.h"

#include <curl/curl.h>

#include <array>
#include <exception>
#include <memory>

#include "common/atomic_file.h"
#include "common/error.h"
#include "data/files.h"

namespace deepfreq {
namespace {

// State for libcurl's callbacks. An exception must not propagate through its C code: it is stored and
// rethrown afterwards.
struct Transfer {
    AtomicFile& file;
    const DownloadOptions& options;
    std::exception_ptr failure;
};

size_t write_body(char* bytes, size_t size, size_t count, void* transfer) {
    auto& state = *static_cast<Transfer*>(transfer);
    try {
        state.file.write(bytes, size * count);
        return size * count;
    } catch (...) {
        state.failure = std::current_exception();
        return 0;
    }
}

int report_progress(void* transfer, curl_off_t total, curl_off_t received, curl_off_t, curl_off_t) {
    auto& state = *static_cast<Transfer*>(transfer);
    try {
        if (state.options.progress) state.options.progress(received, total);
        return 0;
    } catch (...) {
        state.failure = std::current_exception();
        return 1;
    }
}

using Curl = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

Curl open_curl() {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    Curl curl(initialised == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
    if (!curl) throw RunError("libcurl could not be initialised, so that nothing can be downloaded");
    return curl;
}

// Streams one URL into the file. Returns libcurl's error message, or nothing on success. Errors on our side
// (the disk, the progress callback) are thrown, since another mirror would not help.
std::string fetch(const std::string& url, AtomicFile& file, const DownloadOptions& options) {
    const Curl curl = open_curl();
    Transfer transfer{file, options, nullptr};
    std::array<char, CURL_ERROR_SIZE> reason{};
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, options.connect_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, options.stalled_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason.data());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, write_body);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, report_progress);
    curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &transfer);
    const CURLcode code = curl_easy_perform(curl.get());
    if (transfer.failure) std::rethrow_exception(transfer.failure);
    if (code == CURLE_OK) return {};
    return reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
}

// Nothing if the file has that MD5, else what is wrong with it.
std::string verify(const std::filesystem::path& path, const std::string& expected_md5, Md5Of md5_of) {
    try {
        const std::string found = md5(md5_of == Md5Of::File ? read_bytes(path) : read_unpacked(path));
        return found == expected_md5 ? "" : fmt::format("MD5 {} found, {} expected", found, expected_md5);
    } catch (const InputError& damage) {
        return damage.what();
    }
}

}  // namespace

void download(const std::vector<std::string>& urls, const std::filesystem::path& path,
              const std::string& expected_md5, const DownloadOptions& options, Md5Of md5_of) {
    std::string failures;
    for (const std::string& url : urls) {
        AtomicFile file(path);
        std::string failure = fetch(url, file, options);
        if (failure.empty()) failure = verify(file.part_path(), expected_md5, md5_of);
        if (failure.empty()) {
            file.commit();
            return;
        }
        failures += fmt::format("{}{} ({})", failures.empty() ? "" : ", ", url, failure);
    }
    throw RunError("{}: could not be downloaded from {}", path.string(),
                   failures.empty() ? "no URL" : failures);
}

}  // namespace deepfreq
