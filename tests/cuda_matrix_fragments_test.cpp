#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "common/philox.h"
#include "kernels/cuda/half_bits.h"
#include "kernels/cuda/spectrum_tile.h"

// How a warp shares matrices: kernels/cuda/matrix_fragments.h.

namespace deepfreq::tests {
namespace {

using namespace cuda;
using namespace cuda::spectrum;

/// The registers of a warp: [lane][register][half].
using Registers = std::array<std::array<std::array<float, 2>, 4>, 32>;

/// ldmatrix.x4, as PTX has it: a lane points at 8 halves; what it receives is of the rows that others point
/// at.
template <class Address>
Registers load(const std::vector<std::uint16_t>& memory, const Address& address) {
    Registers registers;
    for (int lane = 0; lane < 32; ++lane)
        for (int m = 0; m < 4; ++m)
            for (int h = 0; h < 2; ++h) {
                const auto [from, half] = fragments::loaded(lane, m, h);
                registers[lane][m][h] = half_value(memory[address(from) + half]);
            }
    return registers;
}

/// mma.m16n8k16: sums[16][8] of the first factor and of `side` 0 or 1 of the two second ones.
std::array<std::array<double, 8>, 16> multiply(const Registers& first, const Registers& second, int side) {
    double a[16][16];
    double b[16][8];
    for (int lane = 0; lane < 32; ++lane)
        for (int h = 0; h < 2; ++h) {
            for (int i = 0; i < 4; ++i) {
                const auto [row, k] = fragments::first_factor(lane, i, h);
                a[row][k] = static_cast<double>(first[lane][i][h]);
            }
            for (int i = 0; i < 2; ++i) {
                const auto [k, column] = fragments::second_factor(lane, i, h);
                b[k][column] = static_cast<double>(second[lane][2 * side + i][h]);
            }
        }
    std::array<std::array<double, 8>, 16> sums{};
    for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 8; ++column)
            for (int k = 0; k < 16; ++k) sums[row][column] += a[row][k] * b[k][column];
    return sums;
}

}  // namespace

TEST_CASE("cuda/fragments: what the warps load and multiply are the products of a stage's rows and columns") {
    const Philox random(3, RandomUse::Functions);
    std::vector<std::uint16_t> stage(stage_halves);
    for (std::size_t i = 0; i < stage.size(); ++i) stage[i] = half_bits(static_cast<float>(random.normal(i)));
    for (const int part : {0, low_part})
        for (int warp = 0; warp < tile_rows / 32; ++warp)
            for (int a = 0; a < fragments_down; ++a)
                for (int b = 0; b < fragments_across; ++b) {
                    const auto rows =
                        load(stage, [&](int lane) { return row_address(32 * warp + lane, a) + part; });
                    const auto columns =
                        load(stage, [&](int lane) { return column_address(32 * warp + lane, b / 2 * 2); });
                    const auto sums = multiply(rows, columns, b % 2);
                    for (int lane = 0; lane < 32; ++lane)
                        for (int i = 0; i < 4; ++i) {
                            const auto [row, column] = product_place(32 * warp + lane, a, b, i);
                            double expected = 0.0;
                            for (int k = 0; k < chunk; ++k)
                                expected +=
                                    static_cast<double>(half_value(stage[stage_of_row(row) + part + k])) *
                                    static_cast<double>(half_value(stage[stage_of_column(column) + k]));
                            const auto place = fragments::sum(lane, i);
                            REQUIRE(sums[place.row][place.column] == expected);
                        }
                }
}

TEST_CASE("cuda/fragments: eight rows that ldmatrix reads at a time are in different banks") {
    const auto banks_of = [](const auto& address, int first_lane) {
        std::set<int> banks;
        for (int lane = first_lane; lane < first_lane + 8; ++lane)
            for (int word = 0; word < 4; ++word) banks.insert((address(lane) / 2 + word) % 32);
        return banks.size();
    };
    for (int lane = 0; lane < 32; lane += 8) {
        CHECK(banks_of([](int l) { return row_address(l, 0); }, lane) == 32);
        CHECK(banks_of([](int l) { return column_address(l, 0); }, lane) == 32);
    }
}

TEST_CASE("cuda/fragments: CuTe describes the same instructions alike") {
    const std::filesystem::path script =
        std::filesystem::path(DEEPFREQ_TEST_DIR).parent_path() / "tools/check_fragments";
    if (!std::filesystem::exists(script)) {
        MESSAGE("skipped: " << script.string() << " is not there");
        return;
    }
    std::FILE* const pipe = popen(fmt::format("'{}' 2>&1", script.string()).c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
    const int status = pclose(pipe);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        MESSAGE(output);
        return;
    }
    CAPTURE(output);
    CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace deepfreq::tests
