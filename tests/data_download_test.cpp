#include <doctest/doctest.h>
#include <zlib.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "common/error.h"
#include "data/download.h"
#include "data/files.h"
#include "data/mnist.h"
#include "tests/files.h"
#include "tests/http_server.h"

using namespace deepfreq;
namespace fs = std::filesystem;

namespace {

// A server with the file "digits" (and the same packed, "digits.gz"), and a folder to download into.
struct DownloadTest {
    TemporaryFolder served;
    TemporaryFolder target;
    ScopedVariable direct{"no_proxy", "127.0.0.1"};
    Bytes content = Bytes(300000, 0);
    std::string checksum;
    fs::path path = target.path / "digits";
    DownloadOptions impatient{.connect_seconds = 1, .stalled_seconds = 1};

    DownloadTest() {
        for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::uint8_t>(i * i / 7);
        checksum = md5(content);
        write_file(served.path / "digits", content);
        const gzFile packed = gzopen((served.path / "digits.gz").c_str(), "wb");
        REQUIRE(gzwrite(packed, content.data(), static_cast<unsigned>(content.size())) ==
                std::ssize(content));
        REQUIRE(gzclose(packed) == Z_OK);
    }

    // The message of the RunError that download() throws; "" if it does not.
    std::string failure(const std::vector<std::string>& urls) const {
        try {
            download(urls, path, checksum, impatient);
        } catch (const RunError& error) {
            return error.what();
        }
        return "";
    }
};

}  // namespace

TEST_CASE("data/download: a good file arrives whole, with progress") {
    DownloadTest test;
    const HttpServer server(test.served.path);
    std::int64_t last = 0;
    std::int64_t total = 0;
    test.impatient.progress = [&](std::int64_t received, std::int64_t expected) {
        CHECK(received >= last);
        last = received;
        total = expected;
    };
    download({server.at("good") + "digits"}, test.path, test.checksum, test.impatient);
    CHECK(read_file(test.path) == test.content);
    CHECK(last == 300000);
    CHECK(total == 300000);
    for (const auto& entry : fs::directory_iterator(test.path.parent_path()))
        CHECK(entry.path().extension() != ".part");
}

TEST_CASE("data/download: of a gzip file the MD5 is that of its content, and redirections are followed") {
    const DownloadTest test;
    const HttpServer server(test.served.path);
    download({server.at("redirect") + "digits.gz"}, test.path, test.checksum, test.impatient);
    CHECK(read_file(test.path) == read_file(test.served.path / "digits.gz"));
    CHECK(read_unpacked(test.path) == test.content);
}

TEST_CASE("data/download: an MD5 can be that of the packed file") {
    const DownloadTest test;
    const HttpServer server(test.served.path);
    const std::string url = server.at("good") + "digits.gz";
    const Bytes packed = read_file(test.served.path / "digits.gz");
    CHECK_THROWS_AS(download({url}, test.path, test.checksum, test.impatient, Md5Of::File), RunError);
    download({url}, test.path, md5(packed), test.impatient, Md5Of::File);
    CHECK(read_file(test.path) == packed);
}

TEST_CASE("data/download: each way a mirror fails is named, and nothing is left behind") {
    const DownloadTest test;
    const HttpServer server(test.served.path);
    const auto check_failure = [&](const std::string& url, const std::string& reason) {
        const std::string message = test.failure({url});
        CAPTURE(message);
        CHECK(contains(message, test.path.string() + ": could not be downloaded from " + url + " ("));
        CHECK(contains(message, reason));
        CHECK(fs::is_empty(test.target.path));
    };
    check_failure(server.at("truncated") + "digits", "150000 bytes remaining");
    check_failure(server.at("wrong") + "digits",
                  fmt::format("MD5 {} found, {} expected", md5(Bytes(300000, 0)), test.checksum));
    check_failure(server.at("good") + "other", "404");
    check_failure("http://127.0.0.1:1/digits", "Failed to connect");
    check_failure("file://" + (test.served.path / "digits").string(), "rotocol");
    check_failure("nonsense", "");
}

TEST_CASE("data/download: a server that stops or never answers is given up") {
    const DownloadTest test;
    const HttpServer server(test.served.path);
    for (const char* route : {"hanging", "silent"}) {
        const auto start = std::chrono::steady_clock::now();
        const std::string message = test.failure({server.at(route) + "digits"});
        const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
        CAPTURE(message);
        CHECK(contains(message, "Operation too slow"));
        CHECK(waited.count() > 0.9);
        CHECK(waited.count() < 30.0);
        CHECK(fs::is_empty(test.target.path));
    }
}

TEST_CASE("data/download: the first mirror that has it whole is used, and all are named when none has") {
    const DownloadTest test;
    const HttpServer server(test.served.path);
    const std::string missing = server.at("nowhere") + "digits";
    const std::string wrong = server.at("wrong") + "digits";
    const std::string message = test.failure({missing, wrong});
    CHECK(contains(message, missing + " ("));
    CHECK(contains(message, "), " + wrong + " (MD5 "));
    CHECK(contains(test.failure({}), "no URL"));

    CHECK(test.failure({missing, wrong, server.at("truncated") + "digits", server.at("good") + "digits"})
              .empty());
    CHECK(read_file(test.path) == test.content);
}

TEST_CASE("data/download: a failure leaves an earlier file as it was") {
    const DownloadTest test;
    const HttpServer server(test.served.path);
    write_file(test.path, {1, 2, 3});
    CHECK_FALSE(test.failure({server.at("truncated") + "digits"}).empty());
    CHECK(read_file(test.path) == Bytes{1, 2, 3});
}

TEST_CASE("data/download: what is wrong on our side ends it at once") {
    DownloadTest test;
    const HttpServer server(test.served.path);
    const std::string url = server.at("good") + "digits";
    CHECK_THROWS_AS(download({url}, test.target.path / "none" / "digits", test.checksum), InputError);

    int calls = 0;
    test.impatient.progress = [&](std::int64_t, std::int64_t) {
        ++calls;
        throw std::logic_error("the user gave up");
    };
    CHECK_THROWS_WITH_AS(download({url, url}, test.path, test.checksum, test.impatient), "the user gave up",
                         std::logic_error);
    CHECK(calls == 1);
    CHECK(fs::is_empty(test.target.path));
}

TEST_CASE("data/mnist: a mirror with other files than the published ones is not taken for MNIST") {
    const DownloadTest test;
    const HttpServer server(test.served.path);
    fs::copy(test.served.path / "digits.gz", test.served.path / "train-images-idx3-ubyte.gz");
    const ScopedVariable data("DEEPFREQ_DATA", std::nullopt);
    const ScopedVariable cache("XDG_CACHE_HOME", test.target.path.string());
    const TrainValidation set = load_mnist({.data = "",
                                            .mirrors = {server.at("good")},
                                            .download = test.impatient,
                                            .synthetic = {.train = 5, .validation = 1}});
    CHECK(set.train.name == "synthetic digits");
    CHECK(contains(set.source, "6bbc9ace898e44ae57da46a324031adb expected"));
    CHECK(fs::is_empty(test.target.path / "deepfreq" / "mnist"));
}

TEST_CASE("data/mnist: the published files are downloaded into the cache once") {
    const char* folder = std::getenv("DEEPFREQ_DATA");
    const fs::path real = fs::path(folder ? folder : "") / "mnist";
    if (!folder || !fs::exists(real / "train-images-idx3-ubyte.gz")) {
        MESSAGE("skipped: $DEEPFREQ_DATA/mnist has no gzipped MNIST to serve");
        return;
    }
    const TemporaryFolder home;
    std::vector<std::string> notices;
    MnistOptions options;
    options.notice = [&](const std::string& line) { notices.push_back(line); };
    const ScopedVariable direct("no_proxy", "127.0.0.1");
    const ScopedVariable data("DEEPFREQ_DATA", std::nullopt);
    const ScopedVariable no_cache("XDG_CACHE_HOME", std::nullopt);
    const ScopedVariable home_variable("HOME", home.path.string());
    {
        const HttpServer server(real);
        options.mirrors = {server.at("nowhere"), server.at("good")};
        CHECK(load_mnist(options).train.samples == 60000);
        CHECK(notices.size() == 4);
    }
    const TrainValidation cached = load_mnist(options);  // the server is gone
    CHECK(cached.validation.samples == 10000);
    CHECK(cached.source == "MNIST from " + (home.path / ".cache" / "deepfreq" / "mnist").string());
    CHECK(notices.size() == 4);
}
