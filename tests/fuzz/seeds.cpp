#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <zlib.h>

#include <numeric>

#include "engine/checkpoint.h"
#include "runs/csv_file.h"
#include "tests/files.h"
#include "tests/image_files.h"
#include "tests/npy_files.h"

// What the fuzz targets begin with, in the folder $DEEPFREQ_SEEDS: one folder a target.

namespace deepfreq {
namespace {

const std::filesystem::path& seeds() {
    static const std::filesystem::path folder = std::getenv("DEEPFREQ_SEEDS");
    return folder;
}

void seed(const std::string& target, const std::string& name, const Bytes& bytes) {
    write_file(seeds() / target / name, bytes);
}

void seed(const std::string& target, const std::string& name, const std::string& text) {
    seed(target, name, Bytes(text.begin(), text.end()));
}

Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

Bytes words(std::initializer_list<std::uint32_t> big_endian) {
    Bytes bytes;
    for (const std::uint32_t word : big_endian)
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<std::uint8_t>(word >> shift));
    return bytes;
}

/// Two parts of an input: the first two bytes say where it is divided.
Bytes in_two(const Bytes& first, const Bytes& second) {
    return joined(
        {{static_cast<std::uint8_t>(first.size() % 256), static_cast<std::uint8_t>(first.size() / 256)},
         first,
         second});
}

Bytes gzip(const Bytes& bytes) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    Bytes packed(bytes.size() + 100);
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

Bytes counted(std::size_t size) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    return bytes;
}

}  // namespace

TEST_CASE("idx") {
    const Bytes images = joined({words({2051, 2, 28, 28}), counted(2 * 784)}),
                labels = joined({words({2049, 2}), {3, 9}});
    seed("idx", "plain", in_two(images, labels));
    seed("idx", "gzip", in_two(gzip(images), gzip(labels)));
}

TEST_CASE("npy") {
    seed("npy", "f4", npy<float>({1, 2, 3, 4, 5, 6}, {3, 2}));
    seed("npy", "f8", npy<double>({1, 2, 3}, {3}));
    seed("npy", "i1", npy<std::int8_t>({1, -2, 3}, {3}));
    seed("npy", "u8", npy<std::uint64_t>({1, 2, 3}, {3, 1}));
    seed("npy", "fortran",
         npy_bytes("{'descr': '<f4', 'fortran_order': True, 'shape': (3L, 1L), }", Bytes(12)));
    seed("npy", "structured",
         npy_bytes("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", Bytes(12)));
}

TEST_CASE("cifar10") {
    Bytes record = counted(3073);
    record[0] = 7;
    seed("cifar10", "two", joined({record, record}));
    seed("cifar10", "short", record);
}

TEST_CASE("image") {
    const Bytes grey = counted(12), colour = counted(36);
    for (const std::uint8_t flag : Bytes{0, 1}) {
        const std::string name = flag == 0 ? "" : "-mended";
        seed("image", "png-grey" + name, joined({{flag}, png(3, 4, 1, grey)}));
        seed("image", "png-colour" + name, joined({{flag}, png(3, 4, 3, colour)}));
        seed("image", "png-transparent" + name, joined({{flag}, png(3, 4, 4, counted(48))}));
        seed("image", "jpeg-grey" + name, joined({{flag}, jpeg(3, 4, 1, grey)}));
        seed("image", "jpeg-colour" + name, joined({{flag}, jpeg(3, 4, 3, colour)}));
    }
}

TEST_CASE("checkpoint") {
    Checkpoint checkpoint{
        {{"run", {{"name", "mlp"}, {"csv", {{"metrics.csv", {{"bytes", 3}, {"crc32", 7}}}}}}}},
        {{"layers.1.weight", {1, 2}}, {"layers.1.bias", {1}}},
        {1.0F, 2.0F, 3.0F}};
    const std::filesystem::path path = seeds() / "checkpoint" / "whole";
    seed("checkpoint", "whole", Bytes{});
    write_checkpoint(path, checkpoint);
    const Bytes whole = read_file(path);
    seed("checkpoint", "whole", joined({{0}, whole}));
    seed("checkpoint", "mended", joined({{1}, whole}));
}

TEST_CASE("config") {
    seed("config", "run",
         "hidden=\"500x5\"\nseed=0\nlearning-rate=1e-05\nno-figures=true\nresidual=\"no\"\n");
    seed("config", "person",
         "\xEF\xBB\xBF# mine\r\nhidden = [50, 30, 4]\r\nlr = 0.25\r\nno-gradient-norms = true\r\n");
    seed("config", "bytes", "data = { percent-encoded = \"caf%E9\" }\nresidual = true\n");
    seed("config", "refused", "[table]\nhidden: 4\n{\"seed\": 1, \"lr\": 0,25}\n");
}

TEST_CASE("csv") {
    const auto text = [](const std::string& t) { return Bytes(t.begin(), t.end()); };
    seed("csv", "whole", in_two(text("epoch,loss\n1,0.5\n2,0.25\n"), {17}));
    seed("csv", "changed", in_two(text("epoch,loss\r\n1,0.5\r\n"), {17, 1}));
    seed("csv", "cut", in_two(text("epo"), {}));
    seed("csv", "epochs",
         "panel,setting,seed,epochs,converged,error\na,1,0,100,1,0.00999\nb,2.5,3,7,0,nan\n");
}

}  // namespace deepfreq
