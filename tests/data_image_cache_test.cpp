#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "common/atomic_file.h"
#include "tests/image_folders.h"

using namespace deepfreq;
using namespace deepfreq::image_folders;
namespace fs = std::filesystem;

TEST_CASE("data/image_folder: decoded once, and again when a file is added or changed") {
    ImageFolderTest test;
    test.add("train/a/0.png", some_png(0));
    test.add("train/b/0.png", some_png(1));
    test.add("val/a/0.png", some_png(2));
    test.add("val/b/0.png", some_png(3));
    const std::string decoding = "decoding 4 images of " + test.folder.path.string();
    const ImageSets decoded = test.load();
    CHECK(test.notices == std::vector<std::string>{decoding});
    const ImageSets cached = test.load();
    CHECK(test.notices.size() == 1);
    for (const auto& [one, other] :
         {std::pair(&decoded.train, &cached.train), std::pair(&decoded.test, &cached.test)}) {
        CHECK(one->name == other->name);
        CHECK(one->height == other->height);
        CHECK(one->width == other->width);
        CHECK(one->channels == other->channels);
        CHECK(one->classes == other->classes);
        CHECK(one->pixels == other->pixels);
        CHECK(one->labels == other->labels);
        CHECK(one->checksum == other->checksum);
    }
    CHECK(decoded.source == cached.source);

    test.add("train/a/1.png", some_png(4));
    CHECK(test.load().train.samples() == 3);
    REQUIRE(test.notices.size() == 2);
    CHECK(test.notices[1] == "decoding 5 images of " + test.folder.path.string());

    const fs::path changed = test.folder.path / "val/b/0.png";
    fs::last_write_time(changed, fs::last_write_time(changed) + std::chrono::seconds(1));
    test.load();
    CHECK(test.notices.size() == 3);
    test.load();
    CHECK(test.notices.size() == 3);
}

TEST_CASE("data/image_folder: decoded again when images are relabelled, exchanged or their class renamed") {
    ImageFolderTest test;
    for (int k = 0; k < 3; ++k) {
        test.add(fmt::format("cat/{}.png", k), some_png(k));
        test.add(fmt::format("dog/{}.png", k), some_png(10 + k));
    }
    const auto move = [&](const char* from, const char* to) { fs::rename(test.path(from), test.path(to)); };
    const auto pixels_of_first = [&] {
        const ImageSet set = test.load().train;
        return Bytes(set.pixels.begin(), set.pixels.begin() + set.features());
    };
    CHECK(pixels_of_first() == some_pixels(0));
    move("cat/0.png", "dog/9.png");  // one each way: as many files as before, with their dates
    move("dog/1.png", "cat/9.png");
    const ImageSet relabelled = test.load().train;
    CHECK(relabelled.labels == Bytes{0, 0, 0, 1, 1, 1});
    CHECK(Bytes(relabelled.pixels.end() - relabelled.features(), relabelled.pixels.end()) == some_pixels(0));
    move("cat", "wolf");
    CHECK(test.load().train.classes == std::vector<std::string>{"dog", "wolf"});
    // A file of the same size and an older date in the place of another.
    const auto date = fs::last_write_time(test.path("dog/0.png")) - std::chrono::hours(1);
    test.add("dog/0.png", some_png(40));
    fs::last_write_time(test.path("dog/0.png"), date);
    CHECK(pixels_of_first() == some_pixels(40));
    // Of the same size and date even: the date of its last change cannot be set.
    test.add("dog/0.png", some_png(50));
    fs::last_write_time(test.path("dog/0.png"), date);
    CHECK(pixels_of_first() == some_pixels(50));
    CHECK(test.notices.size() == 5);
    test.load();
    CHECK(test.notices.size() == 5);
}

TEST_CASE("common/atomic_file: several at once do not disturb each other, and what was left behind goes") {
    const TemporaryFolder folder;
    const fs::path name = folder.path / "file";
    {
        AtomicFile one(name), other(name);
        one.write("one", 3);
        other.write("other", 5);
        one.commit();
        CHECK(text_of(name) == "one");
        other.commit();
        CHECK(text_of(name) == "other");
        const AtomicFile never(name);
        CHECK(never.part_path() != name);
    }
    CHECK(text_of(name) == "other");
    CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
    CHECK((fs::status(name).permissions() & fs::perms::all) ==
          fs::status(folder.path / "file").permissions());

    write_file(folder.path / "checkpoint.a1B2c3.part", {1});
    write_file(folder.path / "mine.part", {1});
    write_file(folder.path / "of.notours.part", {1});
    remove_abandoned_parts(folder.path, std::chrono::hours(1));
    CHECK(fs::exists(folder.path / "checkpoint.a1B2c3.part"));  // another may be writing it
    remove_abandoned_parts(folder.path, std::chrono::seconds(0));
    CHECK(!fs::exists(folder.path / "checkpoint.a1B2c3.part"));
    CHECK(fs::exists(folder.path / "mine.part"));
    CHECK(fs::exists(folder.path / "of.notours.part"));
}

TEST_CASE("data/image_folder: a damaged cache is made anew") {
    ImageFolderTest test;
    test.add("a/0.png", some_png(0));
    const ImageSet good = test.load().train;
    const fs::path cache = test.cache_file();
    const Bytes whole = read_file(cache);
    const auto check_remade = [&](const Bytes& bytes) {
        write_file(cache, bytes);
        test.notices.clear();
        CHECK(test.load().train.pixels == good.pixels);
        CHECK(test.notices.size() == 1);  // decoded
        CHECK(read_file(cache) == whole);
    };
    for (std::size_t i = 0; i < whole.size(); ++i) {
        Bytes damaged = whole;
        damaged[i] ^= 0x80;
        check_remade(damaged);
    }
    for (std::size_t kept = 0; kept < whole.size(); kept += 7)
        check_remade(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept)));
    check_remade(joined({whole, {0}}));
}

TEST_CASE("data/image_folder: without a cache folder images are decoded each time, saying why") {
    ImageFolderTest test;
    test.add("a/0.png", some_png(0));
    write_file(test.cache.path / "file", {1});
    const ScopedVariable variable("XDG_CACHE_HOME", (test.cache.path / "file").string());
    CHECK(test.load().train.pixels == some_pixels(0));
    REQUIRE(test.notices.size() == 2);
    CHECK(contains(test.notices[0], "images are not cached: "));
    CHECK(contains(test.notices[0], "cannot be created: Not a directory"));
}
