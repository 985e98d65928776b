#include "data/synthetic_images.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "common/error.h"
#include "data/draws.h"
#include "data/files.h"

namespace deepfreq {
namespace {

constexpr int image_side = 32;
constexpr int channels = 3;
constexpr std::size_t image_bytes = image_side * image_side * channels;

// Everything is computed in double and rounded to bytes at the end: the last bits, in which compilers and
// mathematical libraries differ, hardly ever reach the pixels.

constexpr double pi = std::numbers::pi;
using Colour = std::array<double, channels>;

enum Pattern {
    HorizontalStripes,
    VerticalStripes,
    RisingStripes,
    FallingStripes,
    Checks,
    Disc,
    Ring,
    Cross,
    Gradient,
    Blobs,
    patterns
};

const std::vector<std::string> pattern_names = {"horizontal stripes",
                                                "vertical stripes",
                                                "rising stripes",
                                                "falling stripes",
                                                "checks",
                                                "disc",
                                                "ring",
                                                "cross",
                                                "gradient",
                                                "blobs"};

// 0 to 1 across the edge of a shape: `inside` is how far within it a point lies, in pixels.
double coverage(double inside) {
    return std::clamp(0.5 + inside, 0.0, 1.0);
}

// A plane wave: sin(kx x + ky y + phase).
class Wave {
  public:
    Wave(Draws& draws, double angle, double wavelength)
        : kx_(2.0 * pi / wavelength * std::cos(angle)),
          ky_(2.0 * pi / wavelength * std::sin(angle)),
          phase_(draws.between(0.0, 2.0 * pi)) {}
    double operator()(double x, double y) const { return std::sin(kx_ * x + ky_ * y + phase_); }

  private:
    double kx_, ky_, phase_;
};

// The direction in which a pattern of stripes varies.
double stripes_angle(Pattern pattern) {
    switch (pattern) {
        case HorizontalStripes:
            return 0.5 * pi;
        case RisingStripes:
            return 0.25 * pi;
        case FallingStripes:
            return 0.75 * pi;
        default:
            return 0.0;
    }
}

// How much of the second colour a point has, 0 to 1; everything but the class is drawn at random.
class Mask {
  public:
    Mask(Draws& draws, Pattern pattern)
        : pattern_(pattern),
          angle_(pattern == Gradient ? draws.within(pi) : stripes_angle(pattern) + draws.within(0.3)),
          cos_(std::cos(angle_)),
          sin_(std::sin(angle_)),
          x_(image_side / 2.0 + draws.within(5.0)),
          y_(image_side / 2.0 + draws.within(5.0)),
          radius_(draws.between(5.0, 11.0)),
          half_width_(draws.between(1.0, 2.5)),
          waves_{any_wave(draws), any_wave(draws), any_wave(draws)},
          along_(draws, angle_, draws.between(5.0, 12.0)),
          across_(draws, angle_ + 0.5 * pi, draws.between(5.0, 12.0)) {}

    double operator()(double x, double y) const {
        const double dx = x - x_;
        const double dy = y - y_;
        switch (pattern_) {
            case Checks:
                return coverage(2.0 * along_(x, y) * across_(x, y));
            case Disc:
                return coverage(radius_ - std::sqrt(dx * dx + dy * dy));
            case Ring:
                return coverage(half_width_ - std::abs(std::sqrt(dx * dx + dy * dy) - radius_));
            case Cross:
                return cross(std::abs(cos_ * dx + sin_ * dy), std::abs(cos_ * dy - sin_ * dx));
            case Gradient:
                return coverage((cos_ * dx + sin_ * dy) / image_side);
            case Blobs:
                return coverage(waves_[0](x, y) + waves_[1](x, y) + waves_[2](x, y));
            default:
                return coverage(2.0 * along_(x, y));
        }
    }

  private:
    static Wave any_wave(Draws& draws) {
        const double angle = draws.within(pi);
        const double wavelength = draws.between(9.0, 18.0);
        return {draws, angle, wavelength};
    }
    // Of two bars of length 2 radius and width 2 half_width.
    double cross(double along, double across) const {
        const double first = std::min(radius_ - along, half_width_ - across);
        const double second = std::min(radius_ - across, half_width_ - along);
        return coverage(std::max(first, second));
    }

    Pattern pattern_;
    double angle_, cos_, sin_;
    double x_, y_, radius_, half_width_;
    std::array<Wave, 3> waves_;
    Wave along_, across_;
};

Colour any_colour(Draws& draws) {
    const double red = draws.between(0.0, 1.0);
    const double green = draws.between(0.0, 1.0);
    return {red, green, draws.between(0.0, 1.0)};
}

double difference(const Colour& a, const Colour& b) {
    return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

// Draws one image into 32×32×3 bytes.
void draw_image(std::uint64_t seed, std::uint32_t sample, Pattern pattern, std::uint8_t* pixels) {
    Draws draws(seed, RandomUse::SyntheticImages, sample);
    const Mask mask(draws, pattern);
    const Colour background = any_colour(draws);
    Colour foreground = any_colour(draws);
    while (difference(background, foreground) < 0.6) foreground = any_colour(draws);
    const double light = draws.between(0.0, 0.15);
    const double light_angle = draws.within(pi);
    const Wave lighting(draws, light_angle, draws.between(30.0, 60.0));
    const double noise = draws.between(0.05, 0.30);

    const Philox random(seed, RandomUse::SyntheticImages, sample);
    constexpr std::uint64_t first_noise = std::uint64_t{1} << 32;  // far beyond what was drawn above
    for (int y = 0; y < image_side; ++y)
        for (int x = 0; x < image_side; ++x) {
            const int pixel = y * image_side + x;
            const double part = mask(x + 0.5, y + 0.5);
            const double lit = light * lighting(x, y);
            const auto words = random.words(first_noise + static_cast<std::uint64_t>(pixel));
            for (std::size_t c = 0; c < channels; ++c) {
                const double grain = noise * (words[c] * 0x1p-31 - 1.0);
                const double value = background[c] + part * (foreground[c] - background[c]) + lit + grain;
                pixels[pixel * channels + c] =
                    static_cast<std::uint8_t>(std::rint(255.0 * std::clamp(value, 0.0, 1.0)));
            }
        }
}

// `first_stream` keeps training and test images apart.
ImageSet draw_set(std::int64_t count, std::uint32_t first_stream, std::uint64_t seed) {
    constexpr std::int64_t most = std::int64_t{1} << 31;
    if (count < 1 || count > most)
        throw InputError("synthetic images: {} samples were asked for, 1 to {} expected", count, most);
    ImageSet set{.name = "synthetic images",
                 .height = image_side,
                 .width = image_side,
                 .channels = channels,
                 .classes = pattern_names,
                 .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(count) * image_bytes),
                 .labels = std::vector<std::uint8_t>(static_cast<std::size_t>(count)),
                 .checksum = {}};
#pragma omp parallel for schedule(dynamic, 64)
    for (std::int64_t i = 0; i < count; ++i) {
        set.labels[i] = static_cast<std::uint8_t>(i % patterns);
        draw_image(seed, first_stream + static_cast<std::uint32_t>(i), static_cast<Pattern>(set.labels[i]),
                   set.pixels.data() + static_cast<std::size_t>(i) * image_bytes);
    }
    set.checksum = md5(set.pixels) + ", " + md5(set.labels);
    return set;
}

}  // namespace

ImageSets synthetic_images(const SyntheticImagesOptions& options) {
    return {draw_set(options.train, 0, options.seed),
            draw_set(options.test, std::uint32_t{1} << 31, options.seed),
            fmt::format("synthetic images made by deepfreq, seed {}", options.seed)};
}

}  // namespace deepfreq
