#include "data/synthetic_digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "common/error.h"
#include "data/digit_strokes.h"
#include "data/draws.h"
#include "data/files.h"

namespace deepfreq {
namespace {

constexpr int side = 28;
constexpr std::size_t pixels_per_image = side * side;
using Image = std::array<double, pixels_per_image>;

// Everything is computed in double and rounded to bytes at the end: the last bits, in which compilers and
// mathematical libraries differ, never reach the pixels.

// Bends the glyph: a displacement composed of a few plane waves, so that points that touch stay together.
class ElasticMap {
  public:
    ElasticMap(Draws& draws, double amplitude) {
        for (Wave& wave : waves_)
            wave = {draws.within(4.0), draws.within(4.0), draws.between(0.0, 2.0 * std::numbers::pi),
                    draws.within(amplitude), draws.within(amplitude)};
    }
    Point operator()(Point p) const {
        Point moved = p;
        for (const Wave& wave : waves_) {
            const double height = std::sin(wave.kx * p.x + wave.ky * p.y + wave.phase);
            moved.x += wave.dx * height;
            moved.y += wave.dy * height;
        }
        return moved;
    }

  private:
    struct Wave {
        double kx, ky, phase, dx, dy;
    };
    std::array<Wave, 4> waves_{};
};

// Turns, shears, scales and shifts the glyph, into pixel coordinates.
class AffineMap {
  public:
    AffineMap(Draws& draws, double difficulty) {
        const double angle = draws.within(0.30 * difficulty);
        const double shear = draws.within(0.35 * difficulty);
        const double width = 9.5 * (1.0 + draws.within(0.25 * difficulty));
        const double height = 9.5 * (1.0 + draws.within(0.15 * difficulty));
        xx_ = width * std::cos(angle);
        xy_ = height * (shear * std::cos(angle) - std::sin(angle));
        yx_ = width * std::sin(angle);
        yy_ = height * (shear * std::sin(angle) + std::cos(angle));
        shift_ = {side / 2.0 + draws.within(2.0 * difficulty), side / 2.0 + draws.within(2.0 * difficulty)};
    }
    Point operator()(Point p) const {
        return {xx_ * p.x + xy_ * p.y + shift_.x, yx_ * p.x + yy_ * p.y + shift_.y};
    }

  private:
    double xx_, xy_, yx_, yy_;
    Point shift_;
};

double squared_distance_to_segment(Point p, Point from, Point to) {
    const Point along = {to.x - from.x, to.y - from.y};
    const double length2 = along.x * along.x + along.y * along.y;
    const double projection = (p.x - from.x) * along.x + (p.y - from.y) * along.y;
    const double t = length2 > 0.0 ? std::clamp(projection / length2, 0.0, 1.0) : 0.0;
    const double dx = p.x - from.x - t * along.x;
    const double dy = p.y - from.y - t * along.y;
    return dx * dx + dy * dy;
}

// First and one-past-last pixel whose centre may lie within `reach` of [a, b].
std::pair<int, int> pixel_range(double a, double b, double reach) {
    const auto [low, high] = std::minmax(a, b);
    return {std::clamp(static_cast<int>(std::floor(low - reach)), 0, side),
            std::clamp(static_cast<int>(std::ceil(high + reach)), 0, side)};
}

// Squared distance of every pixel centre to the stroke, where that is below reach²; `nearest` is lowered.
void lower_distances(const Polyline& stroke, double reach, Image& nearest) {
    for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
        const auto [x_first, x_end] = pixel_range(stroke[i].x, stroke[i + 1].x, reach);
        const auto [y_first, y_end] = pixel_range(stroke[i].y, stroke[i + 1].y, reach);
        for (int y = y_first; y < y_end; ++y)
            for (int x = x_first; x < x_end; ++x) {
                double& pixel = nearest[static_cast<std::size_t>(y) * side + static_cast<std::size_t>(x)];
                pixel = std::min(pixel,
                                 squared_distance_to_segment({x + 0.5, y + 0.5}, stroke[i], stroke[i + 1]));
            }
    }
}

// Draws one sample into 28×28 bytes and returns its digit.
std::uint8_t draw_sample(std::uint64_t seed, std::uint32_t sample, double difficulty, std::uint8_t* pixels) {
    Draws draws(seed, RandomUse::SyntheticDigits, sample);
    const std::size_t digit = draws.below(10);
    const std::vector<Glyph>& ways = glyphs_of(static_cast<int>(digit));
    const Glyph& glyph = ways[draws.below(ways.size())];
    const ElasticMap elastic(draws, 0.11 * difficulty);
    const AffineMap affine(draws, difficulty);
    const double radius = 1.2 + draws.within(0.6 * std::min(difficulty, 1.0));  // half the pen's width
    const double contrast = 1.0 - draws.between(0.0, 0.4 * difficulty);
    const double noise = draws.between(0.0, 0.3 * difficulty);

    const double reach = radius + 0.5;
    Image nearest;
    nearest.fill(reach * reach);
    for (const Stroke& stroke : glyph) {
        Polyline line = flatten(stroke);
        for (Point& point : line) point = affine(elastic(point));
        lower_distances(line, reach, nearest);
    }
    for (std::size_t i = 0; i < pixels_per_image; ++i) {
        // Anti-aliased: a pixel the pen's edge runs through is inked in part.
        const double ink = std::clamp(reach - std::sqrt(nearest[i]), 0.0, 1.0);
        const double value = std::clamp(contrast * ink + draws.within(noise), 0.0, 1.0);
        pixels[i] = static_cast<std::uint8_t>(std::lround(255.0 * value));
    }
    return static_cast<std::uint8_t>(digit);
}

// `first_stream` keeps training and validation samples apart.
Dataset draw_set(std::int64_t count, std::uint32_t first_stream, const SyntheticDigitsOptions& options) {
    constexpr std::int64_t most = std::int64_t{1} << 31;
    if (count < 1 || count > most)
        throw InputError("synthetic digits: {} samples were asked for, 1 to {} expected", count, most);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * pixels_per_image);
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(count));
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < count; ++i)
        labels[static_cast<std::size_t>(i)] =
            draw_sample(options.seed, first_stream + static_cast<std::uint32_t>(i), options.difficulty,
                        pixels.data() + static_cast<std::size_t>(i) * pixels_per_image);
    return dataset_from_bytes("synthetic digits", 10, pixels, labels, md5(pixels) + ", " + md5(labels));
}

}  // namespace

TrainValidation synthetic_digits(const SyntheticDigitsOptions& options) {
    if (!(options.difficulty >= 0.0 && options.difficulty <= 2.0))
        throw InputError("synthetic digits: difficulty {} found, 0 to 2 expected", options.difficulty);
    return {draw_set(options.train, 0, options),
            draw_set(options.validation, std::uint32_t{1} << 31, options),
            fmt::format("synthetic digits made by deepfreq, seed {}", options.seed)};
}

}  // namespace deepfreq
