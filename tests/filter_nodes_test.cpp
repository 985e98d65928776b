#include "kernels/filter_nodes.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "analysis/filter_grid.h"
#include "common/philox.h"
#include "kernels/cpu/spectrum_vector.h"

namespace deepfreq {
namespace {

constexpr WeightArithmetic arithmetic{.exponential_error = 1.0e-7,
                                      .product_error = 0x1p-24,
                                      .exponential_cost = 11.0,
                                      .sum_cost = 1.0,
                                      .fit_cost = 0.0,
                                      .longest_chain = 32};

/// Exponents of all nodes, as the chains say.
std::vector<double> exponents_of(const FilterNodes& nodes) {
    std::vector<double> all;
    for (const WeightChain& chain : nodes.chains)
        for (int j = 0; j < chain.count; ++j)
            all.push_back(std::numbers::ln2 *
                          (static_cast<double>(chain.first) + j * static_cast<double>(chain.step)));
    return all;
}

/// The largest error of a width's exponential over max(exp(-a D), 1/(8 n)), at random distances.
double worst_error(const FilterNodes& nodes, const std::vector<double>& exponents, std::int64_t n,
                   double largest_distance) {
    const Philox random(1, RandomUse::Functions);
    const std::vector<double> node = exponents_of(nodes);
    double worst = 0.0;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        const double d = i == 0 ? 0.0 : largest_distance * std::exp(-25.0 * random.uniform(i));
        std::vector<double> weight;
        for (const double b : node) weight.push_back(std::exp(-b * d));
        for (std::size_t k = 0; k < exponents.size(); ++k) {
            const FilterNodes::Width& width = nodes.widths[k];
            double sum = width.constant;
            for (int m = 0; m < width.count; ++m)
                sum += nodes.coefficients[width.coefficients + m] * weight[width.first + m];
            const double exact = std::exp(-exponents[k] * d);
            worst = std::max(worst, std::fabs(sum - exact) / std::max(exact, 0.125 / static_cast<double>(n)));
        }
    }
    return worst;
}

}  // namespace

TEST_CASE("kernels/filter nodes: every exponential is as near as they say, whatever the grid") {
    struct Row {
        std::string name;
        std::vector<double> exponents;
        std::int64_t n;
        double largest_distance;
    };
    const std::vector<Row> table = {
        {"even", even_widths(0.2, 20.0, 100), 10000, 2.0},
        {"from 0", even_widths(0.0, 20.0, 100), 100000, 4.0},
        {"400 widths", even_widths(0.05, 20.0, 400), 40000, 2.0},
        {"narrow", even_widths(15.0, 20.0, 100), 30000, 4.0},
        {"far beyond the largest distance", even_widths(10.0, 1000.0, 100), 1000000, 4.0},
        {"a coarse grid over decades", log_widths(0.01, 1e4, 49), 30000, 2.0},
        {"a ratio of 1e12", log_widths(1e-6, 1e6, 100), 10000, 2.0},
        {"one width", {3.0}, 1000, 2.0},
        {"equal widths", {3.0, 3.0, 3.0}, 1000, 2.0},
        {"0 and what is far beyond", {0.0, 1.0, 1.1, 1.2, 1e8}, 10000, 4.0},
        {"weights that are all nearly 1", even_widths(0.001, 0.01, 30), 10000, 1.0},
    };
    for (const Row& row : table) {
        const FilterNodes nodes =
            choose_nodes(row.exponents, row.n, row.largest_distance, arithmetic, FilterSums::AtNodes);
        INFO(row.name, ": ", nodes.count, " nodes, bound ", nodes.error);
        CHECK(!nodes.are_widths());
        CHECK(nodes.error <= FilterNodes::allowed_error);
        CHECK(nodes.widths.size() == row.exponents.size());
        const std::vector<double> node = exponents_of(nodes);
        CHECK(std::ranges::is_sorted(node));
        CHECK(std::ssize(node) == nodes.count);
        CHECK(worst_error(nodes, row.exponents, row.n, row.largest_distance) <= nodes.error);
    }
}

TEST_CASE("kernels/filter nodes: where they do not serve, they are the widths") {
    const std::vector<double> even = even_widths(0.2, 20.0, 100);
    const FilterNodes found = nodes_at_widths(even, arithmetic);
    CHECK(found.are_widths());
    CHECK(found.count == 100);
    CHECK(found.chains.size() == 4);                     // of 32
    CHECK(worst_error(found, even, 1000, 2.0) <= 1e-6);  // the widths are rounded to float
    CHECK(nodes_at_widths(log_widths(0.1, 10.0, 7), arithmetic).chains.size() == 7);

    // What is beyond float stays a width; few widths cost less; features all alike have one distance;
    // arithmetic may be too coarse.
    CHECK(choose_nodes(std::vector<double>{1e300}, 10000, 2.0, arithmetic, FilterSums::AtNodes).are_widths());
    CHECK(choose_nodes(even_widths(0.2, 20.0, 10), 10000, 2.0, arithmetic).are_widths());
    CHECK(choose_nodes(even, 10000, 0.0, arithmetic, FilterSums::AtNodes).are_widths());
    CHECK(choose_nodes(std::vector<double>{0.0, 0.0}, 10000, 2.0, arithmetic, FilterSums::AtNodes)
              .are_widths());
    WeightArithmetic coarse = arithmetic;
    coarse.exponential_error = 1e-5;
    CHECK(choose_nodes(even, 10000, 2.0, coarse, FilterSums::AtNodes).are_widths());
}

TEST_CASE("kernels/filter nodes: the fewer the samples, the more sums or widths make nodes worth their fit") {
    WeightArithmetic one_hot = arithmetic;
    one_hot.fit_cost = 3e6;
    WeightArithmetic general = one_hot;
    general.sum_cost = 11.0;
    const auto at_nodes = [](std::int64_t n, int widths, const WeightArithmetic& with) {
        return !choose_nodes(even_widths(0.2, 20.0, widths), n, 2.0, with).are_widths();
    };
    CHECK(!at_nodes(1000, 100, one_hot));
    CHECK(at_nodes(3000, 100, one_hot));
    CHECK(!at_nodes(1400, 100, one_hot));
    CHECK(at_nodes(1400, 1000, one_hot));
    CHECK(at_nodes(1000, 100, general));
    CHECK(!at_nodes(300, 100, general));
}

TEST_CASE("kernels/filter nodes: widths far from the others cost one node, and 0 none") {
    const std::vector<double> even = even_widths(0.2, 20.0, 100);
    std::vector<double> wider{0.0};
    wider.insert(wider.end(), even.begin(), even.end());
    wider.push_back(1e9);
    const FilterNodes alone = choose_nodes(even, 10000, 2.0, arithmetic, FilterSums::Auto);
    const FilterNodes found = choose_nodes(wider, 10000, 2.0, arithmetic, FilterSums::Auto);
    CHECK(found.count == alone.count + 1);
    CHECK(found.widths.front().constant == 1.0);
    CHECK(found.error == alone.error);
    CHECK(worst_error(found, wider, 10000, 2.0) <= found.error);
}

TEST_CASE("kernels/filter nodes: the number of nodes does not depend on how fine the grid is") {
    const auto count = [](int widths) {
        return choose_nodes(even_widths(0.2, 20.0, widths), 10000, 2.0, arithmetic).count;
    };
    CHECK(count(400) == count(100));
    CHECK(count(1000) == count(100));
}

TEST_CASE("kernels/filter nodes: exponentials of the CPU are as exact as their sums assume") {
    using namespace spectrum;
    const Philox random(2, RandomUse::Functions);
    double worst = 0.0;
    const FlushDenormals flush;
    for (std::uint64_t i = 0; i < 200000; ++i) {
        Vector d{};
        for (int lane = 0; lane < lanes; ++lane)
            d[lane] = static_cast<float>(4.0 * std::exp(-18.0 * random.uniform(lanes * i + lane)));
        const auto b = static_cast<float>(std::exp2(10.0 * random.uniform(i) - 3.0));
        const Vector weight = power_of_half(d, b);
        for (int lane = 0; lane < lanes; ++lane) {
            const double exact = std::exp2(-static_cast<double>(d[lane]) * static_cast<double>(b));
            if (exact >= 1e-30)
                worst = std::max(worst, std::fabs(static_cast<double>(weight[lane]) / exact - 1.0));
        }
    }
    CHECK(worst <= exponential_error);
    MESSAGE("relative error of an exponential: " << worst);
    const Vector edge = power_of_half(Vector{} + 1e38F, 1e30F) + power_of_half(Vector{} + 127.0F, 1.0F);
    CHECK(edge[0] == 0.0F);
    CHECK(power_of_half(Vector{}, 1e38F)[0] == 1.0F);
}

}  // namespace deepfreq
