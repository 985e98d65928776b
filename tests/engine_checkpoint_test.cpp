#include "engine/checkpoint.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <bit>
#include <cstring>
#include <limits>

#include "common/error.h"
#include "tests/file_size_limit.h"
#include "tests/files.h"

using namespace deepfreq;
namespace fs = std::filesystem;

namespace {

Checkpoint some_checkpoint() {
    return {{{"network", "dense 2-1 tanh"}, {"epoch", 12}, {"lr", 1e-5}}, {1.5F, -0.0F, 3e-42F, 1e30F}};
}

/// The sentence of the InputError that reading throws; anything else fails the test.
std::string refusal(const fs::path& path) {
    try {
        read_checkpoint(path);
    } catch (const InputError& error) {
        return error.what();
    } catch (const std::exception& error) {
        FAIL("not an InputError: " << std::string(error.what()));
    }
    FAIL("no error");
    return {};
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename().string());
    return names;
}

}  // namespace

TEST_CASE("engine/checkpoint: what was written is read, to the bit") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    Checkpoint checkpoint = some_checkpoint();
    checkpoint.values.push_back(std::numeric_limits<float>::quiet_NaN());
    write_checkpoint(path, checkpoint);
    const Checkpoint found = read_checkpoint(path);
    CHECK(found.header == checkpoint.header);
    REQUIRE(found.values.size() == checkpoint.values.size());
    for (std::size_t i = 0; i < found.values.size(); ++i)
        CHECK(std::bit_cast<std::uint32_t>(found.values[i]) ==
              std::bit_cast<std::uint32_t>(checkpoint.values[i]));
    CHECK(names_in(folder.path) == std::vector<std::string>{"checkpoint"});
}

TEST_CASE("engine/checkpoint: a checkpoint replaces the one before; one without values is whole, too") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    write_checkpoint(path, some_checkpoint());
    write_checkpoint(path, {{{"epoch", 13}}, {}});
    const Checkpoint found = read_checkpoint(path);
    CHECK(found.header.at("epoch") == 13);
    CHECK(found.values.empty());
}

TEST_CASE("engine/checkpoint: the file is laid out as documented") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    write_checkpoint(path, some_checkpoint());
    const Bytes bytes = read_file(path);
    const std::string header = some_checkpoint().header.dump();
    REQUIRE(bytes.size() == 16 + header.size() + 4 * sizeof(float) + 4);
    CHECK(std::memcmp(bytes.data(), "DEEPFREQ\1\0\0\0", 12) == 0);
    CHECK(std::memcmp(bytes.data() + 16, header.data(), header.size()) == 0);
    std::uint32_t header_bytes = 0, sum = 0;
    std::memcpy(&header_bytes, bytes.data() + 12, 4);
    std::memcpy(&sum, bytes.data() + bytes.size() - 4, 4);
    CHECK(header_bytes == header.size());
    CHECK(sum == crc32_z(0, bytes.data(), bytes.size() - 4));
}

TEST_CASE("engine/checkpoint: a missing file or a folder is refused by its name") {
    const TemporaryFolder folder;
    const fs::path missing = folder.path / "missing";
    CHECK(refusal(missing) ==
          missing.string() + ": no checkpoint can be read here: No such file or directory");
    CHECK(contains(refusal(folder.path), folder.path.string()));
}

TEST_CASE("engine/checkpoint: cut short anywhere, it is refused") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    write_checkpoint(path, some_checkpoint());
    const Bytes bytes = read_file(path);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        CAPTURE(length);
        write_file(path, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)));
        const std::string sentence = refusal(path);
        CHECK(contains(sentence, path.string() + ": checkpoint cut short"));
        CHECK(contains(sentence, "expected"));
    }
}

TEST_CASE("engine/checkpoint: with any one byte damaged, or bytes too many, it is refused") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    write_checkpoint(path, some_checkpoint());
    const Bytes bytes = read_file(path);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        CAPTURE(i);
        Bytes damaged = bytes;
        damaged[i] ^= 0x10;
        write_file(path, damaged);
        CHECK(contains(refusal(path), path.string()));
    }
    Bytes longer = bytes;
    longer.push_back(0);
    write_file(path, longer);
    CHECK(contains(refusal(path), "its checksum is"));
}

TEST_CASE("engine/checkpoint: files of others and of newer programs are told apart") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    const std::string text = "network,epoch,train_loss,train_accuracy\n";
    write_file(path, Bytes(text.begin(), text.end()));
    CHECK(refusal(path) == path.string() + ": not a checkpoint: it does not begin with DEEPFREQ");

    write_checkpoint(path, some_checkpoint());
    Bytes newer = read_file(path);
    newer[8] = 2;
    newer.resize(newer.size() - 4);
    const auto sum = static_cast<std::uint32_t>(crc32_z(0, newer.data(), newer.size()));
    for (const unsigned shift : {0U, 8U, 16U, 24U}) newer.push_back(static_cast<std::uint8_t>(sum >> shift));
    write_file(path, newer);
    CHECK(refusal(path) ==
          path.string() + ": checkpoint of version 2, this program reads up to 1: use a newer deepfreq");
}

TEST_CASE("engine/checkpoint: a place that cannot be written is refused, and nothing is left there") {
    const TemporaryFolder folder;
    const fs::path file = folder.path / "file";
    write_file(file, {1, 2, 3});
    CHECK_THROWS_WITH_AS(write_checkpoint(file / "checkpoint", some_checkpoint()),
                         ((file / "checkpoint").string() + ": cannot be written: Not a directory").c_str(),
                         InputError);
    CHECK_THROWS_AS(write_checkpoint(folder.path / "missing" / "checkpoint", some_checkpoint()), InputError);
    CHECK(names_in(folder.path) == std::vector<std::string>{"file"});
    CHECK(read_file(file) == Bytes{1, 2, 3});
}

TEST_CASE("engine/checkpoint: a name that a folder has taken fails the run, and leaves the folder alone") {
    const TemporaryFolder folder;
    const fs::path taken = folder.path / "checkpoint";
    fs::create_directories(taken);
    CHECK_THROWS_AS(write_checkpoint(taken, some_checkpoint()), RunError);
    CHECK(names_in(folder.path) == std::vector<std::string>{"checkpoint"});
}

TEST_CASE("engine/checkpoint: a full disk fails the run, and the earlier checkpoint stays") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    write_checkpoint(path, some_checkpoint());
    const Bytes before = read_file(path);
    Checkpoint large = some_checkpoint();
    large.values.resize(100000);
    std::string sentence;
    try {
        const FileSizeLimit full(65536);
        write_checkpoint(path, large);
    } catch (const RunError& error) {
        sentence = error.what();
    }
    CHECK(sentence == path.string() + ": writing failed: File too large");
    CHECK(read_file(path) == before);
    CHECK(names_in(folder.path) == std::vector<std::string>{"checkpoint"});
}
