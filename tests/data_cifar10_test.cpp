#include <doctest/doctest.h>
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>

#include "common/error.h"
#include "data/cifar10.h"
#include "data/cifar10_files.h"
#include "data/files.h"
#include "tests/files.h"
#include "tests/http_server.h"
#include "tests/image_files.h"

using namespace deepfreq;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t records = 3;  // a file; 10000 in the real ones
constexpr std::int64_t record_bytes = 3073;

// Value j (of the planes red, green, blue) of record i of file number `file`.
std::uint8_t stored(std::int64_t file, std::int64_t i, std::int64_t j) {
    return static_cast<std::uint8_t>(17 * file + 5 * i + j + j / 251);
}

// Labels are (file + i) mod 10.
Bytes some_batch(std::int64_t file) {
    Bytes bytes;
    for (std::int64_t i = 0; i < records; ++i) {
        bytes.push_back(static_cast<std::uint8_t>((file + i) % 10));
        for (std::int64_t j = 0; j < 3072; ++j) bytes.push_back(stored(file, i, j));
    }
    return bytes;
}

void write_cifar10(const fs::path& folder) {
    for (std::size_t file = 0; file < cifar10_files.size(); ++file)
        write_file(folder / cifar10_files[file], some_batch(static_cast<std::int64_t>(file)));
}

// The message of the InputError that reading the folder throws; "" if it does not.
std::string refusal(const fs::path& folder) {
    try {
        read_cifar10(folder, records);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

// Nothing to be had but what a test puts somewhere.
struct CifarTest {
    TemporaryFolder folder;
    TemporaryFolder cache;
    ScopedVariable data{"DEEPFREQ_DATA", std::nullopt};
    ScopedVariable cache_variable{"XDG_CACHE_HOME", cache.path.string()};
    ScopedVariable direct{"no_proxy", "127.0.0.1"};
    std::vector<std::string> notices;
    Cifar10Options options{.mirrors = {},
                           .batch_records = records,
                           .download = {.connect_seconds = 1, .stalled_seconds = 1},
                           .synthetic = {.train = 20, .test = 10},
                           .notice = [this](const std::string& line) { notices.push_back(line); }};

    fs::path cache_path() const { return cache.path / "deepfreq" / "cifar10"; }
    ImageSets load(const std::string& from = "") {
        options.data = from;
        return load_cifar10(options);
    }
    // Serves an archive of what the folder holds: its published MD5 becomes that.
    fs::path pack() {
        fs::path archive = folder.path / "cifar-10-binary.tar.gz";
        const std::string command =
            fmt::format("tar -C '{}' -czf '{}' cifar-10-batches-bin", folder.path.string(), archive.string());
        REQUIRE(std::system(command.c_str()) == 0);
        options.archive_md5 = md5(read_file(archive));
        return archive;
    }
};

/// What is told of files that have not the published checksums.
std::string own_images_from(const fs::path& folder) {
    return "images from " + folder.string() + ", which are not CIFAR-10: other checksums than published";
}

}  // namespace

TEST_CASE("data/cifar10: planes become pixels of three channels") {
    const TemporaryFolder folder;
    write_cifar10(folder.path);
    const ImageSets images = read_cifar10(folder.path, records);
    CHECK(images.source == own_images_from(folder.path));
    CHECK(images.train.name == "images in the format of CIFAR-10");
    CHECK(images.train.height == 32);
    CHECK(images.train.width == 32);
    CHECK(images.train.channels == 3);
    CHECK(images.train.classes.size() == 10);
    CHECK(images.train.classes[6] == "frog");
    CHECK(images.train.labels == Bytes{0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6});
    CHECK(images.test.labels == Bytes{5, 6, 7});
    REQUIRE(images.train.pixels.size() == 15 * 3072);
    REQUIRE(images.test.pixels.size() == 3 * 3072);
    std::int64_t wrong = 0;
    for (std::int64_t k = 0; k < 18; ++k)
        for (std::int64_t pixel = 0; pixel < 1024; ++pixel)
            for (std::int64_t c = 0; c < 3; ++c) {
                const Bytes& pixels = k < 15 ? images.train.pixels : images.test.pixels;
                const std::int64_t image = k < 15 ? k : k - 15;
                wrong += pixels[image * 3072 + pixel * 3 + c] != stored(k / 3, k % 3, c * 1024 + pixel);
            }
    CHECK(wrong == 0);
    CHECK(images.test.checksum == md5(some_batch(5)));
    CHECK(images.train.checksum == fmt::format("{}, {}, {}, {}, {}", md5(some_batch(0)), md5(some_batch(1)),
                                               md5(some_batch(2)), md5(some_batch(3)), md5(some_batch(4))));
}

TEST_CASE("data/cifar10: a truncated, over-long or missing file is refused") {
    const TemporaryFolder folder;
    write_cifar10(folder.path);
    const fs::path file = folder.path / "data_batch_3.bin";
    Bytes bytes = some_batch(2);
    bytes.pop_back();
    write_file(file, bytes);
    CHECK(refusal(folder.path) ==
          file.string() + ": truncated: 9218 bytes found, 9219 expected for its 3 records");
    write_file(file, {});
    CHECK(refusal(folder.path) ==
          file.string() + ": truncated: 0 bytes found, 9219 expected for its 3 records");
    bytes.insert(bytes.end(), {1, 2});
    write_file(file, bytes);
    CHECK(refusal(folder.path) ==
          file.string() + ": too long: 9220 bytes found, 9219 expected for its 3 records");
    fs::remove(file);
    CHECK(refusal(folder.path) == file.string() + ": cannot be read: No such file or directory");
    fs::create_directory(file);
    CHECK(refusal(folder.path) == file.string() + ": cannot be read: Is a directory");
}

TEST_CASE("data/cifar10: a label above 9 is refused") {
    const TemporaryFolder folder;
    write_cifar10(folder.path);
    Bytes bytes = some_batch(5);
    bytes[2 * record_bytes] = 10;
    write_file(folder.path / "test_batch.bin", bytes);
    CHECK(refusal(folder.path) ==
          (folder.path / "test_batch.bin").string() + ": label 10 found in record 2, 0 to 9 expected");
}

TEST_CASE("data/cifar10: --data is a folder of the binary files, or of images, or nothing") {
    CifarTest test;
    const std::string asked = test.folder.path.string();
    CHECK_THROWS_WITH_AS(
        test.load(asked),
        (asked + ": no CIFAR-10 found there or in its cifar-10-batches-bin/, the files data_batch_1.bin, "
                 "data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5.bin, test_batch.bin "
                 "expected; nor PNG or JPEG images in folders of classes, below train/ or at once")
            .c_str(),
        InputError);
    CHECK_THROWS_AS(test.load(asked + "/none"), InputError);

    write_file(test.folder.path / "cat" / "1.png", png(1, 2, 3, {1, 2, 3, 4, 5, 6}));
    write_file(test.folder.path / "cat" / "2.png", {});
    CHECK_THROWS_AS(test.load(asked), InputError);
    test.options.skip_bad_images = true;
    CHECK(test.load(asked).train.pixels == Bytes{1, 2, 3, 4, 5, 6});
    CHECK(test.notices.size() == 2);

    for (const fs::path below : {"cifar10/cifar-10-batches-bin", "cifar10", "cifar-10-batches-bin", "."}) {
        write_cifar10(test.folder.path / below);
        const ImageSets images = test.load(asked);
        CHECK(images.train.samples() == 15);
        CHECK(images.source == own_images_from(below == "." ? fs::path(asked) : test.folder.path / below));
        fs::remove(test.folder.path / below / "test_batch.bin");  // five of six are none
    }
}

TEST_CASE("data/cifar10: without --data, $DEEPFREQ_DATA goes before the cache folder") {
    CifarTest test;
    const ScopedVariable data("DEEPFREQ_DATA", test.folder.path.string());
    write_cifar10(test.cache_path() / "cifar-10-batches-bin");
    CHECK(test.load().source == own_images_from(test.cache_path() / "cifar-10-batches-bin"));
    REQUIRE(test.notices.size() == 1);  // the place passed over is named
    CHECK(contains(test.notices[0], "$DEEPFREQ_DATA = " + test.folder.path.string() + ": no CIFAR-10 found"));
    write_cifar10(test.folder.path);
    CHECK(test.load().source == own_images_from(test.folder.path));
    CHECK(test.notices.size() == 1);

    write_file(test.folder.path / "test_batch.bin", {1});  // bad is not missing
    CHECK_THROWS_AS(test.load(), InputError);
}

TEST_CASE("data/cifar10: the archive is downloaded and unpacked into the cache once") {
    CifarTest test;
    write_cifar10(test.folder.path / "cifar-10-batches-bin");
    write_file(test.folder.path / "cifar-10-batches-bin" / "readme.html", {1});
    test.pack();
    {
        const HttpServer server(test.folder.path);
        test.options.mirrors = {server.at("nowhere"), server.at("good")};
        CHECK(test.load().test.labels == Bytes{5, 6, 7});
        REQUIRE(test.notices.size() == 1);
        CHECK(test.notices[0] ==
              "downloading cifar-10-binary.tar.gz (170 MB) to " + test.cache_path().string());
    }
    const ImageSets cached = test.load();  // the server is gone
    CHECK(cached.train.samples() == 15);
    CHECK(test.notices.size() == 1);
    const auto entries = [](const fs::path& folder) {
        return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
    };
    CHECK(entries(test.cache_path()) == 1);
    CHECK(entries(test.cache_path() / "cifar-10-batches-bin") == 6);
}

TEST_CASE("data/cifar10: another archive than the published one, or a damaged one, is not taken for it") {
    CifarTest test;
    write_cifar10(test.folder.path / "cifar-10-batches-bin");
    const fs::path archive = test.pack();
    const HttpServer server(test.folder.path);
    test.options.mirrors = {server.at("good")};

    test.options.archive_md5 = Cifar10Options{}.archive_md5;
    CHECK(contains(test.load().source, "NOT CIFAR-10: "));
    CHECK(contains(test.load().source, "c32a1d4ab5d03f1284b67883e8d87530 expected"));

    const auto reason_for = [&](const Bytes& bytes) {
        write_file(archive, bytes);
        test.options.archive_md5 = md5(bytes);
        fs::remove_all(test.cache_path());
        return test.load().source;
    };
    Bytes bytes = read_file(archive);
    const std::string packed = (test.cache_path() / "cifar-10-binary.tar.gz").string();
    const std::string not_cifar = "synthetic images made by deepfreq, seed 0, NOT CIFAR-10: " + packed;
    CHECK(contains(reason_for({1, 2, 3}), not_cifar + ": cannot be unpacked: Unrecognized archive format"));
    bytes.resize(bytes.size() / 2);
    CHECK(contains(reason_for(bytes), not_cifar));
    CHECK_FALSE(fs::exists(test.cache_path() / "cifar-10-batches-bin" / "test_batch.bin"));

    fs::remove(test.folder.path / "cifar-10-batches-bin" / "test_batch.bin");
    test.pack();
    CHECK(reason_for(read_file(archive)) == not_cifar + ": test_batch.bin is not in it, but was expected");
}

TEST_CASE("data/cifar10: with no network the synthetic images take its place, saying why") {
    CifarTest test;
    test.options.mirrors = {"http://127.0.0.1:1/"};  // nobody's: the connection is refused at once
    const ImageSets images = test.load();
    CHECK(images.train.name == "synthetic images");
    CHECK(images.train.samples() == 20);
    CHECK(images.test.samples() == 10);
    CHECK(contains(images.source, "synthetic images made by deepfreq, seed 0, NOT CIFAR-10: "));
    CHECK(contains(images.source, "http://127.0.0.1:1/cifar-10-binary.tar.gz (Failed to connect"));

    const ScopedVariable no_cache("XDG_CACHE_HOME", std::nullopt);
    const ScopedVariable no_home("HOME", std::nullopt);
    CHECK(contains(test.load().source, "neither $XDG_CACHE_HOME nor $HOME is set"));
}

TEST_CASE("data/cifar10: synthetic images can be asked for, before everything else") {
    CifarTest test;
    write_cifar10(test.folder.path);
    const ScopedVariable data("DEEPFREQ_DATA", test.folder.path.string());
    CHECK(test.load("synthetic").source == "synthetic images made by deepfreq, seed 0");
}
