#include <doctest/doctest.h>
#include <fmt/core.h>
#include <omp.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>

#include "data/files.h"
#include "tests/image_folders.h"

using namespace deepfreq;
using namespace deepfreq::image_folders;
namespace fs = std::filesystem;

TEST_CASE("data/image_folder: train and test, in the order of the names, and other files are no images") {
    ImageFolderTest test;
    test.add("train/dog/2.png", some_png(1));
    test.add("train/dog/10.PNG", some_png(0));
    test.add("train/cat/a.png", some_png(2));
    test.add("test/cat/z.png", some_png(3));
    test.add("test/dog/y.png", some_png(4));
    test.add("train/cat/notes.txt", {1, 2});
    test.add("train/cat/._a.png", {});
    test.add("train/.hidden/a.png", {});
    test.add("train/readme.png", {});
    const ImageSets images = test.load();

    CHECK(images.train.classes == std::vector<std::string>{"cat", "dog"});
    CHECK(images.train.height == height);
    CHECK(images.train.width == width);
    CHECK(images.train.channels == 3);
    CHECK(images.train.samples() == 3);
    CHECK(images.train.features() == 36);
    CHECK(images.train.labels == Bytes{0, 1, 1});
    CHECK(images.train.pixels == joined({some_pixels(2), some_pixels(0), some_pixels(1)}));
    CHECK(images.train.checksum == md5(images.train.pixels) + ", " + md5(images.train.labels));
    CHECK(images.train.name == test.folder.path.filename().string());
    CHECK(images.test.labels == Bytes{0, 1});
    CHECK(images.test.pixels == joined({some_pixels(3), some_pixels(4)}));
    CHECK(images.source == "images of " + test.folder.path.string());
    CHECK(has_image_folder(test.folder.path));
}

TEST_CASE("data/image_folder: without train/ the classes are one set") {
    ImageFolderTest test;
    CHECK_FALSE(has_image_folder(test.folder.path));
    test.add("b/1.png", some_png(1));
    test.add("a/1.png", some_png(0));
    const ImageSets images = test.load();
    CHECK(images.train.pixels == joined({some_pixels(0), some_pixels(1)}));
    CHECK(images.test.samples() == 0);
    CHECK(has_image_folder(test.folder.path));
    CHECK_FALSE(has_image_folder(test.folder.path / "none"));
}

TEST_CASE("data/image_folder: val/ goes before test/") {
    ImageFolderTest test;
    test.add("train/a/1.png", some_png(0));
    test.add("test/a/1.png", some_png(1));
    test.add("val/a/1.png", some_png(2));
    CHECK(test.load().test.pixels == some_pixels(2));
}

TEST_CASE("data/image_folder: JPEG, coloured and grey, and PNG with transparency become the same colours") {
    ImageFolderTest test;
    test.add("a/0.jpg", jpeg(height, width, 3, one_colour({200, 100, 30}, height, width)));
    test.add("a/1.JPEG", jpeg(height, width, 1, one_colour({77}, height, width)));
    test.add("a/2.png", png(height, width, 4, one_colour({200, 100, 30, 9}, height, width)));
    test.add("a/3.png", png(height, width, 2, one_colour({77, 9}, height, width)));
    const ImageSet images = test.load().train;
    REQUIRE(images.pixels.size() == 4 * 36);
    const Bytes exact =
        joined({one_colour({200, 100, 30}, height, width), one_colour({77, 77, 77}, height, width)});
    for (std::size_t j = 0; j < exact.size(); ++j) {
        CHECK(images.pixels[72 + j] == exact[j]);
        // Two roundings to steps of a quantiser of 2 or less, and that of the colours.
        CHECK(std::abs(images.pixels[j] - exact[j]) <= 3);
    }
}

TEST_CASE("data/image_folder: images are grey when all are, whichever comes first") {
    ImageFolderTest test;
    test.add("train/a/0.png", png(height, width, 1, some_pixels(1, 1)));
    test.add("test/a/0.png", png(height, width, 2, one_colour({5, 0}, height, width)));
    const ImageSets grey = test.load();
    CHECK(grey.train.channels == 1);
    CHECK(grey.test.channels == 1);
    CHECK(grey.train.pixels == some_pixels(1, 1));
    CHECK(grey.test.pixels == Bytes(12, 5));

    test.add("test/a/1.png", some_png(0));
    const ImageSets coloured = test.load();
    CHECK(coloured.train.channels == 3);
    REQUIRE(coloured.train.pixels.size() == 36);
    for (std::size_t j = 0; j < 36; ++j) CHECK(coloured.train.pixels[j] == some_pixels(1, 1)[j / 3]);
    CHECK(coloured.test.pixels == joined({one_colour({5, 5, 5}, height, width), some_pixels(0)}));
}

TEST_CASE("data/image_folder: any number of threads gives the same") {
    ImageFolderTest test;
    for (int k = 0; k < 300; ++k) test.add(fmt::format("class{}/{:03}.png", k % 3, k), some_png(k));
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const ImageSet one = load_image_folder(test.folder.path, {.cache = false}).train;
    omp_set_num_threads(4);
    const ImageSet four = load_image_folder(test.folder.path, {.cache = false}).train;
    omp_set_num_threads(threads);
    CHECK(one.pixels == four.pixels);
    CHECK(one.labels == four.labels);
    CHECK(one.checksum == four.checksum);
    CHECK(fs::is_empty(test.cache.path));
}

TEST_CASE("data/image_folder: images of two sizes are refused, both named") {
    ImageFolderTest test;
    test.add("a/0.png", some_png(0));
    test.add("a/1.png", some_png(1));
    test.add("b/0.png", png(width, height, 3, some_pixels(2)));
    CHECK(test.refusal(true) ==
          test.path("b/0.png") + ": an image of 4x3 found, 3x4 expected as " + test.path("a/0.png") + " has");
}

TEST_CASE("data/image_folder: images that cannot be read are counted and named, or skipped when asked") {
    ImageFolderTest test;
    const Bytes photo = jpeg(height, width, 3, some_pixels(0));
    test.add("a/0.jpg", {});
    test.add("a/1.png", some_png(1));
    fs::create_symlink("nowhere.jpg", test.folder.path / "a" / "2.jpg");
    test.add("a/3.jpg", {'t', 'e', 'x', 't'});
    test.add("b/0.jpg", Bytes(photo.begin(), photo.end() - 40));
    test.add("b/1.png", some_png(2));
    test.add("b/2.png", Bytes(photo.begin(), photo.begin() + 10));
    const std::string named = test.path("a/0.jpg") + ": 0 bytes found, a PNG or JPEG image expected; " +
                              test.path("a/2.jpg") + ": cannot be read: No such file or directory; " +
                              test.path("a/3.jpg") +
                              ": no PNG or JPEG image found (unknown image type), one expected";
    CHECK(test.refusal() == test.folder.path.string() + ": 5 of 7 images cannot be read (" + named + ")");

    const ImageSets images = test.load(true);
    CHECK(images.train.labels == Bytes{0, 1});
    CHECK(images.train.pixels == joined({some_pixels(1), some_pixels(2)}));
    CHECK(images.source == "images of " + test.folder.path.string() +
                               ", without 5 of 7 images that cannot be read (" + named + ")");
    CHECK(test.load(true).source == images.source);           // from the cache too
    CHECK(contains(test.refusal(), "5 of 7 images cannot"));  // which is not for those who do not skip
}

TEST_CASE("data/image_folder: a JPEG or PNG file that is cut short or damaged is bad") {
    ImageFolderTest test;
    const Bytes photo = jpeg(height, width, 3, some_pixels(0));
    const Bytes drawing = some_png(1);
    test.add("a/0.png", some_png(0));
    const auto reason = [&](const std::string& name, const Bytes& bytes) {
        test.add("a/" + name, bytes);
        std::string message = test.refusal();
        fs::remove(test.folder.path / "a" / name);
        CAPTURE(message);
        CHECK(contains(message, ": 1 of 2 images cannot be read (" + test.path("a/" + name) + ": "));
        return message;
    };
    CHECK(contains(
        reason("1.jpg", Bytes(photo.begin(), photo.end() - 2)),
        fmt::format("a JPEG image cut short after {} bytes found, its end expected", photo.size() - 2)));
    for (const std::size_t kept : {std::size_t{1}, std::size_t{20}, photo.size() / 2})
        reason("1.jpg", Bytes(photo.begin(), photo.begin() + static_cast<std::ptrdiff_t>(kept)));
    for (const std::size_t kept : {std::size_t{1}, std::size_t{20}, drawing.size() / 2})
        reason("1.png", Bytes(drawing.begin(), drawing.begin() + static_cast<std::ptrdiff_t>(kept)));
    Bytes damaged = drawing;
    damaged[45] ^= 0xFF;  // in the compressed data
    CHECK(
        contains(reason("1.png", damaged), "a damaged PNG image found (wrong CRC-32), a whole one expected"));
    // The same with the checksum made right: 33 bytes are before the compressed data's chunk.
    damaged = drawing;
    damaged[41] = 0;  // its header
    const std::size_t length = drawing.size() - 12 - 33 - 12;
    const auto crc = static_cast<std::uint32_t>(crc32_z(0, damaged.data() + 37, length + 4));
    for (const int shift : {24, 16, 8, 0})
        damaged[41 + length + static_cast<std::size_t>(24 - shift) / 8] =
            static_cast<std::uint8_t>(crc >> shift);
    CHECK(contains(reason("1.png", damaged),
                   "a damaged PNG image found (bad zlib header), a whole one expected"));

    Bytes huge = photo;
    const Bytes frame = {0xFF, 0xC0};  // length and bits a sample follow, then height and width
    const auto at = std::search(huge.begin(), huge.end(), frame.begin(), frame.end());
    REQUIRE(at != huge.end());
    std::fill(at + 5, at + 9, std::uint8_t{0xF0});
    CHECK(
        contains(reason("1.jpg", huge), "an image of 61680x61680 found, at most 2147483647 bytes expected"));
}

TEST_CASE("data/image_folder: skipping leaves neither nothing nor a class without images") {
    ImageFolderTest test;
    test.add("a/0.png", {});
    test.add("b/0.png", {});
    CHECK(contains(test.refusal(true), test.folder.path.string() + ": 2 of 2 images cannot be read ("));
    test.add("a/1.png", some_png(0));
    CHECK(test.refusal(true) ==
          test.path("b") + ": no image of this class can be read, at least one expected");
}

TEST_CASE("data/image_folder: an empty class, no class, no folder and a class of one set only are refused") {
    ImageFolderTest test;
    CHECK(test.refusal() == test.folder.path.string() + ": 0 class folders found, 1 to 256 expected");
    test.add("train/a/0.png", some_png(0));
    test.add("train/b/notes.txt", {1});
    CHECK(test.refusal() ==
          test.path("train/b") +
              ": no images found, at least one .png, .jpg or .jpeg file of this class expected");
    test.add("train/b/0.png", some_png(0));
    test.add("test/b/0.png", some_png(0));
    CHECK(test.refusal() == test.path("test") + ": classes b found, a b expected as in train");
    CHECK_THROWS_WITH_AS(load_image_folder(test.folder.path / "none"),
                         (test.path("none") + ": cannot be read: No such file or directory").c_str(),
                         InputError);
    CHECK_THROWS_WITH_AS(load_image_folder(test.folder.path / "train/a/0.png"),
                         (test.path("train/a/0.png") + ": no such folder, one of images expected").c_str(),
                         InputError);
    for (int k = 0; k < 257; ++k)
        fs::create_directories(test.folder.path / "train" / fmt::format("{:03}", k));
    CHECK(contains(test.refusal(), "259 class folders found, 1 to 256 expected"));
}

TEST_CASE("data/image_folder: what archive managers and disk stations add is passed over, aloud") {
    ImageFolderTest test;
    test.add("a/0.png", some_png(0));
    test.add("a/1.webp", {1});
    test.add("a/2.bmp", {1});
    test.add("a/notes.txt", {1});
    test.add("b/0.png", some_png(1));
    test.add("__MACOSX/a/._0.png", {1});
    test.add("@eaDir/SYNO@.png", {1});
    fs::create_directory_symlink(test.folder.path, test.folder.path / "back");
    fs::create_directory_symlink(test.folder.path.parent_path(), test.folder.path / "further_back");
    fs::create_symlink("loop", test.folder.path / "loop");
    const ImageSet set = test.load().train;
    CHECK(set.classes == std::vector<std::string>{"a", "b"});
    CHECK(set.samples() == 2);
    REQUIRE(test.notices.size() == 6);
    CHECK(test.notices[0] == test.path("@eaDir") + ": passed over: no folder of a class");
    CHECK(test.notices[1] == test.path("__MACOSX") + ": passed over: no folder of a class");
    CHECK(test.notices[2] == test.path("back") + ": passed over: no folder of a class");
    CHECK(test.notices[3] == test.path("further_back") + ": passed over: no folder of a class");
    CHECK(test.notices[4] ==
          test.path("a") + ": 2 files such as 2.bmp passed over: only PNG and JPEG images are read");
    // A folder elsewhere is a class like any other.
    const TemporaryFolder elsewhere;
    write_file(elsewhere.path / "0.png", some_png(2));
    fs::create_directory_symlink(elsewhere.path, test.folder.path / "c");
    CHECK(test.load().train.classes == std::vector<std::string>{"a", "b", "c"});
    fs::remove(test.path("a/0.png"));
    CHECK(contains(test.refusal(), "no images found but such as 2.bmp"));
}

TEST_CASE("data/image_folder: a folder that may not be read is refused by name") {
    ImageFolderTest test;
    test.add("a/0.png", some_png(0));
    test.add("b/0.png", some_png(0));
    for (const fs::path& folder : {test.folder.path, test.cache.path})
        fs::permissions(folder, fs::perms::all);
    fs::permissions(test.path("b"), fs::perms::none);
    const uid_t user = geteuid();
    if (user == 0) REQUIRE(seteuid(65534) == 0);  // root may read every folder
    const std::string refusal = test.refusal();
    if (user == 0) REQUIRE(seteuid(user) == 0);
    fs::permissions(test.path("b"), fs::perms::owner_all);
    CHECK(refusal == test.path("b") + ": cannot be read: Permission denied");
}

TEST_CASE("data/image_folder: an image that links to itself is a bad one") {
    ImageFolderTest test;
    test.add("a/0.png", some_png(0));
    fs::create_symlink("1.png", test.folder.path / "a" / "1.png");
    CHECK(contains(test.refusal(), "1 of 2 images cannot be read"));
    CHECK(contains(test.refusal(), "a/1.png: cannot be read: Too many levels of symbolic links"));
    CHECK(test.load(true).train.samples() == 1);
}

TEST_CASE(
    "data/image_folder: a JPEG file whose codes are too many, or whose extents its size cannot hold, is "
    "bad") {
    ImageFolderTest test;
    Bytes file = jpeg(8, 8, 1, Bytes(64, 7));
    const Bytes table = {0xFF, 0xC4};  // Huffman codes: length, number of the table, how many of each length
    const auto at = std::search(file.begin(), file.end(), table.begin(), table.end());
    REQUIRE(at != file.end());
    std::fill(at + 5, at + 21, std::uint8_t{0xFF});
    test.add("a/0.jpg", file);
    CHECK(contains(test.refusal(), "0.jpg: a damaged JPEG image found ("));

    Bytes wide = jpeg(8, 8, 1, Bytes(64, 7));
    const Bytes frame = {0xFF, 0xC0};
    const auto extents = std::search(wide.begin(), wide.end(), frame.begin(), frame.end());
    REQUIRE(extents != wide.end());
    std::fill(extents + 5, extents + 9, std::uint8_t{0x40});
    test.add("a/0.jpg", wide);
    CHECK(contains(
        test.refusal(),
        fmt::format("a header of 16448x16448 pixels found, which {} bytes cannot hold", wide.size())));
}

TEST_CASE("data/image_folder: a PNG file in Xcode's form is refused by name") {
    ImageFolderTest test;
    Bytes file = some_png(0);
    const Bytes chunk = {0, 0, 0, 4, 'C', 'g', 'B', 'I', 0x50, 0, 0x20, 2, 0x2B, 0xD5, 0xB3, 0x7F};
    file.insert(file.begin() + 8, chunk.begin(), chunk.end());
    test.add("a/0.png", file);
    CHECK(contains(test.refusal(), "CgBI"));
    CHECK(contains(test.refusal(), "pngcrush"));
}
