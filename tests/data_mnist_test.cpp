#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "common/error.h"
#include "data/files.h"
#include "data/idx.h"
#include "data/mnist.h"
#include "data/places.h"
#include "tests/files.h"

using namespace deepfreq;
namespace fs = std::filesystem;

namespace {

void write_gzip(const fs::path& path, const Bytes& bytes) {
    fs::create_directories(path.parent_path());
    const gzFile file = gzopen(path.c_str(), "wb");
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
            static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
}

void append_word(Bytes& bytes, std::uint32_t word) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
}

Bytes idx_header(std::initializer_list<std::uint32_t> words) {
    Bytes bytes;
    for (const std::uint32_t word : words) append_word(bytes, word);
    return bytes;
}

// `count` images whose pixel j of image i is (7 i + j) mod 256, and labels i mod 10.
Bytes some_images(std::uint32_t count, std::uint32_t magic = 2051) {
    Bytes bytes = idx_header({magic, count, 28, 28});
    for (std::uint32_t i = 0; i < count; ++i)
        for (std::uint32_t j = 0; j < 784; ++j) bytes.push_back(static_cast<std::uint8_t>(7 * i + j));
    return bytes;
}

Bytes some_labels(std::uint32_t count, std::uint32_t magic = 2049) {
    Bytes bytes = idx_header({magic, count});
    for (std::uint32_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(i % 10));
    return bytes;
}

// A whole small MNIST in a folder: `train` and `validation` samples.
void write_mnist(const fs::path& folder, std::uint32_t train, std::uint32_t validation = 2) {
    write_file(folder / "train-images-idx3-ubyte", some_images(train));
    write_gzip(folder / "train-labels-idx1-ubyte.gz", some_labels(train));
    write_gzip(folder / "t10k-images-idx3-ubyte.gz", some_images(validation));
    write_file(folder / "t10k-labels-idx1-ubyte", some_labels(validation));
}

// The message of the InputError that reading this pair throws; "" if it does not.
std::string refusal(const fs::path& images, const fs::path& labels) {
    try {
        read_idx(images, labels);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

// The same with the images (or the labels) replaced by other bytes, and a good file beside them.
std::string refusal_of_images(const TemporaryFolder& folder, const Bytes& images) {
    write_file(folder.path / "images", images);
    write_file(folder.path / "labels", some_labels(3));
    return refusal(folder.path / "images", folder.path / "labels");
}

std::string refusal_of_labels(const TemporaryFolder& folder, const Bytes& labels) {
    write_file(folder.path / "images", some_images(3));
    write_file(folder.path / "labels", labels);
    return refusal(folder.path / "images", folder.path / "labels");
}

}  // namespace

TEST_CASE("data/idx: a pair is read, plain and gzip alike") {
    const TemporaryFolder folder;
    write_file(folder.path / "images", some_images(12));
    write_file(folder.path / "labels", some_labels(12));
    write_gzip(folder.path / "images.gz", some_images(12));
    write_gzip(folder.path / "labels.gz", some_labels(12));
    const Dataset plain = read_idx(folder.path / "images", folder.path / "labels");
    const Dataset packed = read_idx(folder.path / "images.gz", folder.path / "labels.gz");

    CHECK(plain.name == "mnist");
    CHECK(plain.samples == 12);
    CHECK(plain.features == 784);
    CHECK(plain.classes == 10);
    REQUIRE(plain.inputs.size() == 12 * 784);
    CHECK(plain.inputs[0] == 0.0F);
    CHECK(plain.inputs[255] == 1.0F);
    CHECK(plain.inputs[5 * 784 + 3] == 38.0F / 255.0F);
    CHECK(plain.labels == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1});
    CHECK(packed.inputs == plain.inputs);
    CHECK(packed.labels == plain.labels);
    CHECK(packed.checksum == plain.checksum);
    CHECK(plain.checksum == md5(some_images(12)) + ", " + md5(some_labels(12)));
}

TEST_CASE("data/files: MD5 as published for the empty text and for abc") {
    CHECK(md5({}) == "d41d8cd98f00b204e9800998ecf8427e");
    const Bytes abc = {'a', 'b', 'c'};
    CHECK(md5(abc) == "900150983cd24fb0d6963f7d28e17f72");
}

TEST_CASE("data/idx: a missing file is refused") {
    const TemporaryFolder folder;
    write_file(folder.path / "images", some_images(1));
    CHECK(refusal(folder.path / "images", folder.path / "none") ==
          (folder.path / "none").string() + ": cannot be read: No such file or directory");
    CHECK(contains(refusal(folder.path, folder.path / "none"), "cannot be read: Is a directory"));
}

TEST_CASE("data/idx: a truncated or over-long file is refused") {
    const TemporaryFolder folder;
    const std::string images_name = (folder.path / "images").string();
    const std::string labels_name = (folder.path / "labels").string();
    Bytes images = some_images(3);
    images.pop_back();
    CHECK(refusal_of_images(folder, images) ==
          images_name + ": truncated: 2367 bytes found, 2368 expected for its 3 items");
    images.insert(images.end(), {1, 2});
    CHECK(refusal_of_images(folder, images) ==
          images_name + ": too long: 2369 bytes found, 2368 expected for its 3 items");
    images.resize(15);
    CHECK(refusal_of_images(folder, images) ==
          images_name + ": truncated: 15 bytes found, a header of 16 expected");
    CHECK(refusal_of_images(folder, {}) ==
          images_name + ": truncated: 0 bytes found, a header of 16 expected");

    Bytes labels = some_labels(3);
    labels.pop_back();
    CHECK(refusal_of_labels(folder, labels) ==
          labels_name + ": truncated: 10 bytes found, 11 expected for its 3 items");
    labels.insert(labels.end(), {1, 2});
    CHECK(refusal_of_labels(folder, labels) ==
          labels_name + ": too long: 12 bytes found, 11 expected for its 3 items");
}

TEST_CASE("data/idx: a header that claims more than memory holds is refused as truncated") {
    const TemporaryFolder folder;
    CHECK(contains(refusal_of_images(folder, idx_header({2051, 0xFFFFFFFF, 28, 28})),
                   "truncated: 16 bytes found, 3367254359296 expected for its 4294967295 items"));
}

TEST_CASE("data/idx: a wrong magic number is refused") {
    const TemporaryFolder folder;
    CHECK(refusal_of_images(folder, some_images(3, 2049)) ==
          (folder.path / "images").string() + ": magic number 2049 found, 2051 expected");
    CHECK(refusal_of_labels(folder, some_labels(3, 7)) ==
          (folder.path / "labels").string() + ": magic number 7 found, 2049 expected");
}

TEST_CASE("data/idx: wrong counts are refused") {
    const TemporaryFolder folder;
    CHECK(refusal_of_images(folder, some_images(0)) ==
          (folder.path / "images").string() + ": a count of 0 items found, at least 1 expected");
    CHECK(refusal_of_labels(folder, some_labels(0)) ==
          (folder.path / "labels").string() + ": a count of 0 items found, at least 1 expected");
    CHECK(refusal_of_labels(folder, some_labels(4)) == (folder.path / "labels").string() +
                                                           ": 4 labels found, 3 expected (the images in " +
                                                           (folder.path / "images").string() + ")");
}

TEST_CASE("data/idx: a label above 9 and images of another size are refused") {
    const TemporaryFolder folder;
    Bytes labels = some_labels(3);
    labels.back() = 10;
    CHECK(refusal_of_labels(folder, labels) ==
          (folder.path / "labels").string() + ": label 10 found at item 2, 0 to 9 expected");
    Bytes images = idx_header({2051, 3, 32, 28});
    images.resize(16 + 3 * 32 * 28);
    CHECK(refusal_of_images(folder, images) ==
          (folder.path / "images").string() + ": images of 32x28 found, 28x28 expected");
}

TEST_CASE("data/idx: a corrupt or cut gzip file is refused") {
    const TemporaryFolder folder;
    write_gzip(folder.path / "good.gz", some_images(3));
    const Bytes packed = read_file(folder.path / "good.gz");

    Bytes wrong_crc = packed;
    wrong_crc[wrong_crc.size() - 6] ^= 1;
    CHECK(contains(refusal_of_images(folder, wrong_crc), "the gzip stream is corrupt"));
    CHECK(contains(refusal_of_images(folder, wrong_crc), "incorrect data check"));

    Bytes wrong_block = packed;
    wrong_block[10] |= 0x06;  // a block type that does not exist
    CHECK(contains(refusal_of_images(folder, wrong_block), "the gzip stream is corrupt"));

    for (const std::size_t kept : {std::size_t{12}, packed.size() / 2, packed.size() - 1}) {
        const Bytes cut(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(kept));
        CHECK(contains(refusal_of_images(folder, cut), "the gzip stream is cut short"));
    }
}

TEST_CASE("data/dataset: the first samples, and one-hot rows") {
    const TemporaryFolder folder;
    write_mnist(folder.path, 5);
    const Dataset set = load_mnist({.data = folder.path.string()}).train;
    const Dataset part = set.first(2);
    CHECK(part.samples == 2);
    CHECK(part.inputs.size() == 2 * 784);
    CHECK(std::ranges::equal(part.inputs, std::span(set.inputs).first(2 * 784)));
    CHECK(part.labels == std::vector<std::int32_t>{0, 1});
    CHECK(part.checksum == set.checksum);
    CHECK_THROWS_WITH_AS(
        set.first(6),
        "images in the format of MNIST: 6 samples were asked for, 1 to 5 expected (all there are)",
        InputError);
    CHECK_THROWS_AS(set.first(0), InputError);

    const std::vector<std::int32_t> labels = {2, 0};
    CHECK(one_hot(labels, 3) == std::vector<float>{0, 0, 1, 1, 0, 0});
    CHECK_THROWS_WITH_AS(one_hot(labels, 2), "label 2 of sample 0 is out of range, 0 to 1 expected",
                         InputError);
}

TEST_CASE("data/mnist: --data is the folder itself or its mnist/, and never anything else") {
    const TemporaryFolder folder;
    const TemporaryFolder other;
    write_mnist(other.path, 4);
    const ScopedVariable data("DEEPFREQ_DATA", other.path.string());
    const ScopedVariable cache("XDG_CACHE_HOME", other.path.string());

    const std::string asked = folder.path.string();
    CHECK_THROWS_WITH_AS(
        load_mnist({.data = asked}),
        (asked + ": no MNIST found there, in its mnist/ or MNIST/raw/, the files train-images-idx3-ubyte, "
                 "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte "
                 "expected, each plain or .gz")
            .c_str(),
        InputError);
    write_mnist(folder.path / "mnist", 6, 3);
    const TrainValidation below = load_mnist({.data = asked});
    CHECK(below.train.samples == 6);
    CHECK(below.validation.samples == 3);
    CHECK(below.source == "28x28 images from " + (folder.path / "mnist").string() +
                              ", which are not MNIST: other checksums than published");
    CHECK(below.train.name == "images in the format of MNIST");
    write_mnist(folder.path, 7);
    CHECK(load_mnist({.data = asked}).train.samples == 7);
    fs::remove(folder.path / "t10k-labels-idx1-ubyte");  // three of four are none
    CHECK(load_mnist({.data = asked}).train.samples == 6);
}

TEST_CASE("data/mnist: the files are found in whatever form they are passed on") {
    const TemporaryFolder folder;
    write_mnist(folder.path / "plain", 5);
    const auto files = [&] {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder.path / "plain"))
            names.push_back(entry.path().filename().string());
        return names;
    }();
    REQUIRE(files.size() == 4);
    const auto copies = [&](const std::string& form, const std::function<fs::path(std::string)>& place) {
        for (const std::string& name : files) {
            const fs::path path = folder.path / form / place(name);
            fs::create_directories(path.parent_path());
            fs::copy_file(folder.path / "plain" / name, path);
        }
        CAPTURE(form);
        CHECK(load_mnist({.data = (folder.path / form).string()}).train.samples == 5);
    };
    const auto dotted = [](std::string name) { return name.replace(name.find("-idx"), 1, "."); };
    copies("dots", dotted);
    copies("Kaggle", [](const std::string& name) { return fs::path(name) / name; });
    copies("Kaggle with dots",
           [&](const std::string& name) { return fs::path(dotted(name)) / dotted(name); });
    copies("torchvision", [](const std::string& name) { return fs::path("MNIST/raw") / name; });
    copies("torchvision below", [](const std::string& name) { return fs::path("mnist/MNIST/raw") / name; });
    copies("raw", [](const std::string& name) { return fs::path("raw") / name; });
}

TEST_CASE("data/mnist: a folder that may not be read is said to be so") {
    const TemporaryFolder folder;
    fs::permissions(folder.path, fs::perms::all);
    fs::create_directories(folder.path / "mnist");
    fs::permissions(folder.path / "mnist", fs::perms::none);
    const uid_t user = geteuid();
    if (user == 0) REQUIRE(seteuid(65534) == 0);  // root may read every folder
    CHECK_THROWS_WITH_AS(load_mnist({.data = folder.path.string()}),
                         ((folder.path / "mnist").string() + ": cannot be read: Permission denied").c_str(),
                         InputError);
    if (user == 0) REQUIRE(seteuid(user) == 0);
    fs::permissions(folder.path / "mnist", fs::perms::owner_all);
}

TEST_CASE("data/places: a relative XDG_CACHE_HOME is ignored, as its specification has it") {
    const TemporaryFolder home;
    const ScopedVariable relative("XDG_CACHE_HOME", "cache");
    const ScopedVariable variable("HOME", home.path.string());
    CHECK(cache_folder("mnist") == home.path / ".cache" / "deepfreq" / "mnist");
}

TEST_CASE("data/mnist: without --data, $DEEPFREQ_DATA goes before the cache folder") {
    const TemporaryFolder folder;
    const fs::path data = folder.path / "data";
    std::vector<std::string> notices;
    const MnistOptions options{.data = "",
                               .mirrors = {},
                               .synthetic = {.train = 5, .validation = 1},
                               .notice = [&](const std::string& line) { notices.push_back(line); }};
    const ScopedVariable cache_variable("XDG_CACHE_HOME", (folder.path / "cache").string());
    const ScopedVariable data_variable("DEEPFREQ_DATA", data.string());

    write_mnist(folder.path / "cache" / "deepfreq" / "mnist", 3);
    CHECK(load_mnist(options).train.samples == 3);
    REQUIRE(notices.size() == 1);  // the place passed over is named
    CHECK(contains(notices[0], "$DEEPFREQ_DATA = " + data.string() + ": no MNIST found"));

    write_mnist(data / "mnist", 4);
    CHECK(load_mnist(options).train.samples == 4);
    write_mnist(data, 5);
    CHECK(load_mnist(options).train.samples == 5);
    CHECK(notices.size() == 1);

    const ScopedVariable no_data("DEEPFREQ_DATA", std::nullopt);
    const ScopedVariable no_cache("XDG_CACHE_HOME", std::nullopt);
    const ScopedVariable home("HOME", (folder.path / "home").string());
    write_mnist(folder.path / "home" / ".cache" / "deepfreq" / "mnist", 8);
    CHECK(load_mnist(options).train.samples == 8);
}

TEST_CASE("data/mnist: a bad file that was found is an error, not a reason to look further") {
    const TemporaryFolder folder;
    write_mnist(folder.path, 3);
    write_file(folder.path / "t10k-labels-idx1-ubyte", some_labels(9));
    const ScopedVariable data("DEEPFREQ_DATA", folder.path.string());
    CHECK_THROWS_AS(load_mnist({}), InputError);
}

TEST_CASE("data/mnist: with no network the synthetic digits take its place, saying why") {
    const TemporaryFolder folder;
    const ScopedVariable data("DEEPFREQ_DATA", std::nullopt);
    const ScopedVariable cache("XDG_CACHE_HOME", folder.path.string());
    const ScopedVariable direct("no_proxy", "127.0.0.1");
    // Port 1 is nobody's: the connection is refused at once.
    const MnistOptions options{
        .data = "", .mirrors = {"http://127.0.0.1:1/"}, .synthetic = {.train = 5, .validation = 2}};
    const TrainValidation set = load_mnist(options);
    CHECK(set.train.name == "synthetic digits");
    CHECK(set.train.samples == 5);
    CHECK(set.validation.samples == 2);
    CHECK(contains(set.source, "NOT MNIST"));
    CHECK(contains(set.source, "http://127.0.0.1:1/train-images-idx3-ubyte.gz (Failed to connect"));
    CHECK(fs::is_empty(folder.path / "deepfreq" / "mnist"));
}

TEST_CASE("data/mnist: with no cache folder the synthetic digits take its place, saying why") {
    const TemporaryFolder folder;
    const ScopedVariable data("DEEPFREQ_DATA", std::nullopt);
    const MnistOptions options{.data = "", .mirrors = {}, .synthetic = {.train = 5, .validation = 2}};
    {
        write_file(folder.path / "file", {1});
        const ScopedVariable cache("XDG_CACHE_HOME", (folder.path / "file").string());
        CHECK(contains(load_mnist(options).source, "cannot be created: Not a directory"));
    }
    const ScopedVariable no_cache("XDG_CACHE_HOME", std::nullopt);
    const ScopedVariable no_home("HOME", std::nullopt);
    CHECK(contains(load_mnist(options).source, "neither $XDG_CACHE_HOME nor $HOME is set"));
}

TEST_CASE("data/mnist: synthetic digits can be asked for, before everything else") {
    const TemporaryFolder folder;
    write_mnist(folder.path, 3);
    const ScopedVariable data("DEEPFREQ_DATA", folder.path.string());
    const TrainValidation set =
        load_mnist({.data = "synthetic", .mirrors = {}, .synthetic = {.train = 5, .validation = 2}});
    CHECK(set.train.name == "synthetic digits");
    CHECK(set.source == "synthetic digits made by deepfreq, seed 0");
}

TEST_CASE("data/mnist: the real data has the published sizes and checksums") {
    const char* data = std::getenv("DEEPFREQ_DATA");
    if (!data || !fs::exists(fs::path(data) / "mnist")) {
        MESSAGE("skipped: $DEEPFREQ_DATA/mnist is not there");
        return;
    }
    const TrainValidation set = load_mnist({.data = data});
    CHECK(set.train.samples == 60000);
    CHECK(set.validation.samples == 10000);
    CHECK(set.train.checksum == "6bbc9ace898e44ae57da46a324031adb, a25bea736e30d166cdddb491f175f624");
    CHECK(set.validation.checksum == "2646ac647ad5339dbf082846283269ea, 27ae3e4e09519cfbb04c329615203637");
    CHECK(std::ranges::equal(std::span(set.train.labels).first(5), std::vector<std::int32_t>{5, 0, 4, 1, 9}));
    CHECK(*std::ranges::max_element(set.train.inputs) == 1.0F);
    CHECK(*std::ranges::min_element(set.train.inputs) == 0.0F);
}
