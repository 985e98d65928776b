#include "data/functions.h"

#include <fmt/core.h>
#include <muParser.h>

#include <cmath>
#include <numbers>

#include "common/error.h"

namespace deepfreq {
namespace {

void check(const std::string& name, const Grid& grid) {
    if (grid.n < 2) throw InputError("{}: {} points were asked for, at least 2 expected", name, grid.n);
    if (!std::isfinite(grid.low) || !std::isfinite(grid.high) || grid.low >= grid.high)
        throw InputError("{}: range [{}, {}] found, two finite numbers low < high expected", name, grid.low,
                         grid.high);
}

template <class Function>
RegressionSet sample(std::string name, const Grid& grid, Function f) {
    check(name, grid);
    RegressionSet set{std::move(name), grid.n, 1, {}, {}};
    for (const double x : points_of(grid)) {
        set.inputs.push_back(static_cast<float>(x));
        set.targets.push_back(static_cast<float>(f(x)));
    }
    return set;
}

/// A formula ready to be evaluated. muParser keeps pointers to x and k, so the object must not be moved.
class Formula {
  public:
    Formula(const std::string& text, double k) : text_(text), k_(k), given_k_(k) {
        try {
            parser_.DefineConst("pi", std::numbers::pi);
            parser_.DefineVar("x", &x_);
            parser_.DefineVar("k", &k_);
            parser_.SetExpr(text);
            uses_k_ = parser_.GetUsedVar().contains("k");
            (*this)(0.0);
        } catch (const mu::ParserError& error) {
            throw refusal(error);
        }
    }
    Formula(const Formula&) = delete;
    Formula& operator=(const Formula&) = delete;

    bool uses_k() const { return uses_k_; }

    double operator()(double x) {
        x_ = x;
        double value = 0.0;
        try {
            value = parser_.Eval();
        } catch (const mu::ParserError& error) {
            throw refusal(error);
        }
        if (parser_.GetNumResults() != 1)
            throw InputError("the formula '{}' has {} values, one expected", text_, parser_.GetNumResults());
        if (x_ != x || k_ != given_k_)
            throw InputError("the formula '{}' assigns to x or k, an expression in them expected", text_);
        return value;
    }

  private:
    InputError refusal(const mu::ParserError& error) const {
        std::string reason = error.GetMsg();
        while (reason.ends_with('.') || reason.ends_with(' ')) reason.pop_back();
        return InputError(
            "the formula '{}' cannot be read: {}; an expression in x, k and pi expected, as sin(k*pi*x)",
            text_, reason);
    }

    std::string text_;
    double x_ = 0.0, k_, given_k_;
    bool uses_k_ = false;
    mu::Parser parser_;
};

}  // namespace

RegressionSet sample_sin_k_pi(double k, const Grid& grid) {
    return sample(fmt::format("sin({} pi x)", k), grid,
                  [k](double x) { return std::sin(k * std::numbers::pi * x); });
}

RegressionSet sample_cos_k(double k, const Grid& grid) {
    return sample(fmt::format("cos({} x)", k), grid, [k](double x) { return std::cos(k * x); });
}

RegressionSet sample_cos3_plus_cos5(const Grid& grid) {
    return sample("cos(3 x) + cos(5 x)", grid,
                  [](double x) { return std::cos(3.0 * x) + std::cos(5.0 * x); });
}

RegressionSet sample_formula(const std::string& formula, double k, const Grid& grid) {
    Formula f(formula, k);
    const std::string name = f.uses_k() ? fmt::format("{} with k = {}", formula, k) : formula;
    return sample(name, grid, [&](double x) {
        const double y = f(x);
        if (!std::isfinite(static_cast<float>(y)))
            throw InputError("{}: {} found at x = {}, a finite number in single precision expected", name, y,
                             x);
        return y;
    });
}

std::vector<double> formula_values(const std::string& formula, double k, const Grid& grid) {
    check(formula, grid);
    Formula f(formula, k);
    std::vector<double> values = points_of(grid);
    for (double& value : values) {
        const double x = value;
        value = f(x);
        if (!std::isfinite(value))
            throw InputError("{}: {} found at x = {}, a finite number expected", formula, value, x);
    }
    return values;
}

std::vector<double> points_of(const Grid& grid) {
    std::vector<double> points;
    const double step = 1.0 / static_cast<double>(grid.n - 1);
    for (std::int64_t i = 0; i < grid.n; ++i)
        points.push_back(std::lerp(grid.low, grid.high, static_cast<double>(i) * step));
    return points;
}

double share_between_points(const std::string& formula, double k, const Grid& grid) {
    const std::vector<double> x = points_of(grid), values = formula_values(formula, k, grid);
    Formula f(formula, k);
    // The golden section: no frequency has a zero at this position between all pairs of points.
    constexpr double place = 0.381966;
    double sum = 0.0, squares = 0.0, missed = 0.0, count = 0.0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
        const double y = f(std::lerp(x[i], x[i + 1], place));
        if (!std::isfinite(y)) continue;
        const double line = std::lerp(values[i], values[i + 1], place);
        for (const double value : {y, values[i]}) {
            const double from_first = value - values.front();  // the variance of this loses fewer digits
            sum += from_first;
            squares += from_first * from_first;
        }
        missed += (y - line) * (y - line);
        ++count;
    }
    const double variance = (squares - sum * sum / (2.0 * count)) / 2.0;
    return variance > 0.0 ? missed / variance : 0.0;
}

bool formula_uses_k(const std::string& formula) {
    return Formula(formula, 1.0).uses_k();
}

RegressionSet sample_parity(std::int64_t bits) {
    constexpr std::int64_t most_bits = 20;  // 84 MB of inputs
    if (bits < 1 || bits > most_bits)
        throw InputError("parity: {} bits were asked for, 1 to {} expected", bits, most_bits);
    RegressionSet set{fmt::format("parity of {} bits", bits), std::int64_t{1} << bits, bits, {}, {}};
    for (std::int64_t i = 0; i < set.samples; ++i) {
        float product = 1.0F;
        for (std::int64_t j = 0; j < bits; ++j) {
            const float coordinate = (i >> j & 1) != 0 ? -1.0F : 1.0F;
            set.inputs.push_back(coordinate);
            product *= coordinate;
        }
        set.targets.push_back(product);
    }
    return set;
}

}  // namespace deepfreq
