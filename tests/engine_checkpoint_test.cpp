#include "engine/checkpoint.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/error.h"
#include "tests/file_size_limit.h"
#include "tests/files.h"

using namespace deepfreq;
namespace fs = std::filesystem;

namespace {

Checkpoint some_checkpoint() {
    return {{{"network", "dense 2-1 tanh"}, {"epoch", 12}, {"lr", 1e-5}},
            {{"layers.1.weight", {1, 3}}, {"layers.1.bias", {1}}},
            {1.5F, -0.0F, 3e-42F, 1e30F}};
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

/// The file with one text in its header in place of another, and a checksum and a length that are right.
fs::path changed(const fs::path& path, const std::string& from, const std::string& to) {
    write_checkpoint(path, some_checkpoint());
    const Bytes before = read_file(path);
    std::string bytes(before.begin(), before.end());
    const std::size_t at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    bytes.replace(at, from.size(), to);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    length += to.size() - from.size();
    std::memcpy(bytes.data(), &length, sizeof length);
    put_checksum(bytes);
    write_file(path, Bytes(bytes.begin(), bytes.end()));
    return path;
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
    checkpoint.values[2] = std::numeric_limits<float>::quiet_NaN();
    write_checkpoint(path, checkpoint);
    const Checkpoint found = read_checkpoint(path);
    CHECK(found.header == checkpoint.header);
    CHECK(found.tensors == checkpoint.tensors);
    REQUIRE(found.values.size() == checkpoint.values.size());
    for (std::size_t i = 0; i < found.values.size(); ++i)
        CHECK(std::bit_cast<std::uint32_t>(found.values[i]) ==
              std::bit_cast<std::uint32_t>(checkpoint.values[i]));
    CHECK(names_in(folder.path) == std::vector<std::string>{"checkpoint"});
}

TEST_CASE("engine/checkpoint: a checkpoint replaces the one before, and one without values is whole, too") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    write_checkpoint(path, some_checkpoint());
    write_checkpoint(path, {{{"epoch", 13}}});
    const Checkpoint found = read_checkpoint(path);
    CHECK(found.header.at("epoch") == 13);
    CHECK(found.values.empty());
}

TEST_CASE("engine/checkpoint: the file is a safetensors file, laid out as documented") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    write_checkpoint(path, some_checkpoint());
    Bytes bytes = read_file(path);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    CHECK(length % 8 == 0);
    REQUIRE(bytes.size() == 8 + length + 4 * sizeof(float));
    const std::vector<float> values = some_checkpoint().values;
    CHECK(std::memcmp(bytes.data() + 8 + length, values.data(), values.size() * sizeof(float)) == 0);
    const auto header =
        nlohmann::json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(length));
    CHECK(header.at("layers.1.weight") ==
          nlohmann::json{{"dtype", "F32"}, {"shape", {1, 3}}, {"data_offsets", {0, 12}}});
    CHECK(header.at("layers.1.bias").at("data_offsets") == nlohmann::json{12, 16});
    const nlohmann::json& metadata = header.at("__metadata__");
    CHECK(metadata.at("version") == "2");
    CHECK(nlohmann::json::parse(metadata.at("deepfreq").get<std::string>()) == some_checkpoint().header);
    const std::string sum = metadata.at("crc32");
    const std::string text(bytes.begin(), bytes.end());
    std::ranges::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(text.find(sum)), 8, '0');
    CHECK(sum == fmt::format("{:08x}", crc32_z(0, bytes.data(), bytes.size())));
}

TEST_CASE("engine/checkpoint: tensors and numbers that do not belong together are not written") {
    const TemporaryFolder folder;
    Checkpoint checkpoint = some_checkpoint();
    checkpoint.values.push_back(0.0F);
    CHECK_THROWS_AS(write_checkpoint(folder.path / "checkpoint", checkpoint), InputError);
    CHECK(names_in(folder.path).empty());
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
    CHECK(refusal(path) ==
          path.string() + R"(: not a checkpoint: its header does not begin with {"__metadata__":{"crc32":")");

    const std::string old = "DEEPFREQ" + std::string("\1\0\0\0\2\0\0\0{}\0\0\0\0", 14);
    write_file(path, Bytes(old.begin(), old.end()));
    CHECK(refusal(path) == path.string() +
                               ": checkpoint of version 1, this program reads version 2: finish the run with "
                               "the deepfreq that began it, or begin it anew");

    CHECK(refusal(changed(path, R"("version":"2")", R"("version":"3")")) ==
          path.string() + ": checkpoint of version 3, this program reads up to 2: use a newer deepfreq");
}

TEST_CASE("engine/checkpoint: headers that are no checkpoint's are refused, whatever their checksum") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "checkpoint";
    const std::vector<std::array<std::string, 3>> cases = {
        {R"("F32")", R"("F16")", "tensor 'layers.1.weight' is not of type F32 with a shape"},
        {R"("shape":[1,3])", R"("shape":{"a":3})", "is not of type F32 with a shape"},
        {"[1,3]", "[3,3]", "tensor 'layers.1.weight' is not where its shape puts it"},
        {"[1,3]", "[-1,3]", "is not where its shape puts it"},
        {"[1,3]", "[18446744073709551615,18446744073709551615]", "is not where its shape puts it"},
        {"[0,12]", "[4,16]", "is not where its shape puts it"},
        {"[12,16]", "[12,20]", "is not where its shape puts it"},
        {"[1],", "[0],", "is not where its shape puts it"},
        {R"("layers.1.bias":{"dtype":"F32","shape":[1],"data_offsets":[12,16]})", R"("layers.1.bias":7)",
         "tensor 'layers.1.bias' is not of type F32"},
        {R"(,"layers.1.bias":{"dtype":"F32","shape":[1],"data_offsets":[12,16]})", "",
         "its tensors have 12 bytes of 16"},
        {R"("version")", R"("vision")", "its metadata have no 'version'"},
        {R"("deepfreq":"{)", R"("deepfreq":"[{)", "its facts are no JSON object"},
        {R"(}})", R"(}]})", "its header is not JSON"},
    };
    for (const auto& [from, to, sentence] : cases) {
        CAPTURE(to);
        CHECK(contains(refusal(changed(path, from, to)), path.string() + ": checkpoint damaged: "));
        CHECK(contains(refusal(path), sentence));
    }
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
    const Checkpoint large{some_checkpoint().header, {{"weight", {100000}}}, std::vector<float>(100000)};
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
