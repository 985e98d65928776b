#include "models/mlp.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "common/error.h"
#include "engine/layers/dense.h"
#include "engine/layers/residual_dense.h"

namespace deepfreq {
namespace {

constexpr std::int64_t widest = 1 << 20;
constexpr std::int64_t deepest = 1 << 16;

// A whole number in [1, limit], or 0 when the text is not one.
std::int64_t whole_number(std::string_view text, std::int64_t limit) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good =
        error == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= limit;
    return good ? value : 0;
}

}  // namespace

std::vector<std::unique_ptr<Layer>> mlp(const MlpParams& params) {
    std::vector<std::unique_ptr<Layer>> layers;
    const auto span = static_cast<std::size_t>(params.residual_span);
    std::int64_t width = params.inputs, able = 0;
    for (std::size_t l = 0; l < params.hidden.size(); ++l) {
        const std::int64_t next = params.hidden[l];
        const auto spanned = std::span(params.hidden).subspan(l, std::min(span, params.hidden.size() - l));
        const bool fits = spanned.size() == span && std::ranges::count(spanned, width) == std::ssize(spanned);
        if (params.residual_every > 0 && fits && ++able % params.residual_every == 0) {
            layers.push_back(std::make_unique<ResidualDense>(width, params.activation, params.residual_span));
            l += span - 1;
        } else {
            layers.push_back(std::make_unique<Dense>(width, next, params.activation,
                                                     Dense::output_role + static_cast<std::uint32_t>(l) + 1));
        }
        width = next;
    }
    layers.push_back(
        std::make_unique<Dense>(width, params.outputs, Activation::Identity, Dense::output_role));
    return layers;
}

std::vector<std::int64_t> parse_widths(std::string_view text) {
    std::vector<std::int64_t> widths;
    for (std::string_view rest = text;;) {
        const std::string_view item = rest.substr(0, rest.find(','));
        const std::size_t times = item.find('x');
        const std::int64_t width = whole_number(item.substr(0, times), widest);
        const std::int64_t count =
            times == std::string_view::npos ? 1 : whole_number(item.substr(times + 1), deepest);
        if (width == 0 || count == 0)
            throw InputError("the hidden layers are '{}', expected widths as in 500x5 or 500,300,100", text);
        widths.insert(widths.end(), static_cast<std::size_t>(count), width);
        if (item.size() == rest.size()) return widths;
        rest.remove_prefix(item.size() + 1);
    }
}

}  // namespace deepfreq
