#include "data/npy.h"

#include <doctest/doctest.h>

#include <limits>

#include "common/error.h"
#include "tests/npy_files.h"

using namespace deepfreq;

namespace {

/// A file that is gone at the end of the test.
struct OneFile {
    explicit OneFile(const Bytes& bytes) : path(folder.path / "x.npy") { write_file(path, bytes); }

    /// The one sentence that opening it ends with, without its name; empty when it opens.
    std::string complaint() const {
        try {
            NpyFile file(path);
            return "";
        } catch (const InputError& error) {
            const std::string sentence = error.what();
            CHECK(sentence.starts_with(path.string() + ": "));
            CHECK(!contains(sentence, "\n"));
            return sentence.substr(path.string().size() + 2);
        }
    }

    TemporaryFolder folder;
    std::filesystem::path path;
};

Bytes header_only(const std::string& header) {
    return npy_bytes(header, Bytes(24));
}

template <class T>
void check_integers() {
    CAPTURE(npy_type<T>());
    const T smallest = std::is_signed_v<T> ? std::numeric_limits<T>::min() : T{0};
    const OneFile one(npy<T>({smallest, T{7}, std::numeric_limits<std::int8_t>::max()}, {3}));
    NpyFile file(one.path);
    CHECK(file.has_integers());
    std::vector<std::int64_t> numbers(3);
    file.read(numbers);
    CHECK(numbers == std::vector<std::int64_t>{static_cast<std::int64_t>(smallest), 7, 127});
}

}  // namespace

TEST_CASE("data/npy: floats are read row by row, the next rows each time") {
    const OneFile one(npy<float>({1, 2, 3, 4, 5, 6}, {3, 2}));
    NpyFile file(one.path);
    CHECK(file.rows() == 3);
    CHECK(file.columns() == 2);
    CHECK(file.dtype() == "<f4");
    CHECK(file.description() == "float32 [3, 2]");
    CHECK_FALSE(file.has_integers());
    std::vector<float> rows(4);
    file.read(rows);
    CHECK(rows == std::vector<float>{1, 2, 3, 4});
    rows.resize(2);
    file.read(rows);
    CHECK(rows == std::vector<float>{5, 6});
    CHECK_THROWS_WITH_AS(
        file.read(rows),
        (one.path.string() + ": truncated: the file ends before its numbers do, a whole .npy file expected")
            .c_str(),
        InputError);
}

TEST_CASE("data/npy: doubles become floats, more of them than are converted at once") {
    std::vector<double> numbers(200000);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 0.1 * static_cast<double>(i);
    const OneFile one(npy(numbers, {std::ssize(numbers)}));
    NpyFile file(one.path);
    CHECK(file.columns() == 1);
    std::vector<float> read(numbers.size());
    file.read(read);
    CHECK(read == std::vector<float>(numbers.begin(), numbers.end()));
}

TEST_CASE("data/npy: integers of every size, with and without a sign") {
    check_integers<std::int8_t>();
    check_integers<std::uint8_t>();
    check_integers<std::int16_t>();
    check_integers<std::uint16_t>();
    check_integers<std::int32_t>();
    check_integers<std::uint32_t>();
    check_integers<std::int64_t>();
    check_integers<std::uint64_t>();
}

TEST_CASE("data/npy: what cannot be read as asked is refused with its place") {
    std::vector<float> rows(6);
    std::vector<std::int64_t> integers(1);
    const auto check = [&](const Bytes& bytes, auto& to, const std::string& words) {
        const OneFile one(bytes);
        NpyFile file(one.path);
        CHECK_THROWS_WITH_AS(file.read(to), (one.path.string() + ": " + words).c_str(), InputError);
    };
    check(npy<float>({1, 2, 3, 4, 5, std::numeric_limits<float>::quiet_NaN()}, {2, 3}), rows,
          "nan found at row 1, column 2, a finite number in single precision expected");
    check(npy<double>({1, 2, 3, 1e39, 5, 6}, {2, 3}), rows,
          "1e+39 found at row 1, column 0, a finite number in single precision expected");
    check(npy<std::int32_t>({1, 2, 3, 4, 5, 6}, {2, 3}), rows,
          "int32 [2, 3] found, floats expected (in NumPy: .astype('f4'))");
    check(npy<float>({1}, {1}), integers, "float32 [1] found, integers expected");
    check(npy<std::uint64_t>({std::uint64_t{1} << 63}, {1}), integers,
          "9223372036854775808 found at row 0, column 0, at most 9223372036854775807 expected");
}

TEST_CASE("data/npy: a place is counted from the first row of the file, however it is read") {
    const OneFile one(npy<float>({1, 2, 3, std::numeric_limits<float>::infinity()}, {2, 2}));
    NpyFile file(one.path);
    std::vector<float> row(2);
    file.read(row);
    CHECK_THROWS_WITH_AS(
        file.read(row),
        (one.path.string() + ": inf found at row 1, column 1, a finite number in single precision expected")
            .c_str(),
        InputError);
}

TEST_CASE("data/npy: as Python 2 wrote it, and one column or row in Fortran order") {
    for (const char* header : {"{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 2L), }",
                               "{'descr': '<f4', 'fortran_order': True, 'shape': (6,), }",
                               "{'descr': '<f4', 'fortran_order': True, 'shape': (6, 1), }",
                               "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 6), }"}) {
        CAPTURE(header);
        const OneFile one(header_only(header));  // which six numbers follow
        std::vector<float> read(6);
        NpyFile(one.path).read(read);
    }
}

TEST_CASE("data/npy: other types, orders and ranks are refused by name") {
    const auto check = [](const std::string& header, const std::string& words) {
        CAPTURE(header);
        const std::string complaint = OneFile(header_only(header)).complaint();
        CAPTURE(complaint);
        CHECK(contains(complaint, words));
    };
    check("{'descr': '>f4', 'fortran_order': False, 'shape': (3, 2), }", "the type >f4 found");
    check("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", "the type <c8 found");
    check("{'descr': '<f2', 'fortran_order': False, 'shape': (12,), }", "the type <f2 found");
    check("{'descr': '|b1', 'fortran_order': False, 'shape': (24,), }", "the type |b1 found");
    check("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "the type |O found");
    check("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", "a structured one");
    check("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", "Fortran order found");
    check("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, 1), }", "shape [3, 2, 1] found");
    check("{'descr': '<U3', 'fortran_order': False, 'shape': (3,), }",
          "numpy.unique(x, return_inverse=True)[1]");
    check("{'descr': '|V2', 'fortran_order': False, 'shape': (3,), }",
          "(x.view('<u2').astype('<u4') << 16).view('<f4'), if it is bfloat16");
    check("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "shape [] found");
    check("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }",
          "shape [0, 2] found, at least one number expected");
}

TEST_CASE("data/npy: damaged files are refused") {
    const Bytes good = npy<float>({1, 2, 3, 4, 5, 6}, {3, 2});
    const auto check = [](const Bytes& bytes, const std::string& words) {
        const std::string complaint = OneFile(bytes).complaint();
        CAPTURE(complaint);
        CHECK(contains(complaint, words));
    };
    CHECK(OneFile(good).complaint().empty());
    check({}, "truncated: the file ends before its header does");
    check(Bytes(good.begin(), good.begin() + 30), "truncated: the file ends before its header does");
    check(Bytes(good.begin(), good.end() - 1),
          "truncated: 151 bytes found, 152 expected for its float32 [3, 2]");
    Bytes longer = good;
    longer.push_back(0);
    check(longer, "too long: 153 bytes found, 152 expected");
    Bytes other = good;
    other[0] = 'P';
    check(other, "begins with other bytes than a .npy file");
    Bytes later = good;
    later[6] = 4;
    check(later, ".npy format 4 found, 1 to 3 expected");
    check(header_only("{'fortran_order': False, 'shape': (6,), }"), "it names no descr");
    check(header_only("{'descr': '<f4', 'shape': (6,), }"), "it names no fortran_order");
    check(header_only("{'descr': '<f4', 'fortran_order': False, }"), "it names no shape");
    check(header_only("{'descr': '<f4', 'fortran_order': False, 'shape': (6, -1), }"), "it names no shape");
    check(header_only("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
          "more than any file has");
    const TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(
        NpyFile(folder.path / "none.npy"),
        ((folder.path / "none.npy").string() + ": cannot be read: No such file or directory").c_str(),
        InputError);
}
