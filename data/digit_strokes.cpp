#include "data/digit_strokes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace deepfreq {
namespace {

Stroke line(Polyline controls) {
    return {false, std::move(controls)};
}

Stroke curve(Polyline controls) {
    return {true, std::move(controls)};
}

// Strokes that two ways of writing a digit share.
const Stroke loop_of_0 = curve({{0.05, -1.0},
                                {-0.4, -0.65},
                                {-0.55, 0.0},
                                {-0.4, 0.7},
                                {0.0, 1.0},
                                {0.42, 0.65},
                                {0.55, 0.0},
                                {0.42, -0.65},
                                {0.05, -1.0}});
const Stroke arch_of_2 =
    curve({{-0.5, -0.6}, {-0.2, -0.95}, {0.3, -0.95}, {0.5, -0.5}, {0.2, 0.1}, {-0.55, 0.95}});
const Stroke belly_of_3 = curve({{-0.1, -0.08}, {0.4, 0.15}, {0.5, 0.6}, {0.05, 1.0}, {-0.5, 0.8}});
const Stroke belly_of_5 =
    curve({{-0.4, -0.15}, {0.1, -0.3}, {0.5, 0.1}, {0.42, 0.7}, {-0.05, 1.0}, {-0.5, 0.8}});
const Stroke loop_of_9 = curve(
    {{0.42, -0.6}, {0.1, -1.0}, {-0.35, -0.85}, {-0.45, -0.4}, {-0.15, -0.05}, {0.3, -0.2}, {0.42, -0.6}});

// For each digit, its ways of writing.
const std::array<std::vector<Glyph>, 10> glyphs = {{
    // 0
    {{loop_of_0}},
    // 1
    {{line({{0.0, -1.0}, {0.0, 1.0}})},
     {line({{-0.3, -0.65}, {0.0, -1.0}, {0.0, 1.0}})},
     {line({{-0.3, -0.65}, {0.0, -1.0}, {0.0, 1.0}}), line({{-0.35, 1.0}, {0.35, 1.0}})}},
    // 2
    {{arch_of_2, line({{-0.55, 0.95}, {0.55, 0.95}})},
     {arch_of_2, curve({{-0.55, 0.95}, {-0.35, 0.65}, {0.05, 0.9}, {0.6, 0.8}})}},
    // 3
    {{curve({{-0.5, -0.8}, {0.0, -1.0}, {0.42, -0.7}, {0.35, -0.3}, {-0.1, -0.08}}), belly_of_3},
     {line({{-0.45, -1.0}, {0.45, -1.0}, {-0.1, -0.08}}), belly_of_3}},
    // 4
    {{line({{-0.4, -0.9}, {-0.5, 0.15}, {0.55, 0.1}}), line({{0.32, -0.7}, {0.22, 1.0}})},
     {line({{0.22, 1.0}, {0.25, -1.0}, {-0.55, 0.3}, {0.6, 0.3}})}},
    // 5
    {{line({{0.5, -1.0}, {-0.3, -1.0}, {-0.4, -0.15}}), belly_of_5},
     {line({{-0.3, -0.9}, {-0.4, -0.15}}), belly_of_5, line({{-0.3, -0.9}, {0.55, -0.95}})}},
    // 6
    {{curve({{0.4, -0.95},
             {-0.1, -0.65},
             {-0.45, 0.0},
             {-0.42, 0.65},
             {0.0, 1.0},
             {0.42, 0.7},
             {0.35, 0.2},
             {-0.05, 0.05},
             {-0.42, 0.4}})},
     {curve({{0.05, -1.0},
             {-0.3, -0.4},
             {-0.42, 0.4},
             {-0.15, 0.95},
             {0.3, 0.9},
             {0.4, 0.45},
             {0.05, 0.15},
             {-0.42, 0.4}})}},
    // 7
    {{line({{-0.5, -0.95}, {0.5, -0.95}, {-0.1, 1.0}})},
     {line({{-0.5, -0.7}, {-0.45, -0.95}, {0.5, -0.95}}), curve({{0.5, -0.95}, {0.1, 0.0}, {-0.1, 1.0}})},
     {line({{-0.5, -0.95}, {0.5, -0.95}, {-0.15, 1.0}}), line({{-0.25, 0.05}, {0.4, 0.0}})}},
    // 8
    {{curve({{0.4, -0.7},
             {0.0, -1.0},
             {-0.4, -0.7},
             {-0.2, -0.25},
             {0.25, 0.15},
             {0.45, 0.6},
             {0.0, 1.0},
             {-0.45, 0.6},
             {-0.2, 0.15},
             {0.25, -0.25},
             {0.4, -0.7}})}},
    // 9
    {{loop_of_9, curve({{0.42, -0.6}, {0.4, 0.1}, {0.2, 1.0}})},
     {loop_of_9, curve({{0.42, -0.6}, {0.45, 0.3}, {0.1, 0.95}, {-0.4, 0.8}})}},
}};

// Point at t in [0, 1] of the span from b to c, with a before and d after it.
Point catmull_rom(Point a, Point b, Point c, Point d, double t) {
    const auto coordinate = [t](double p, double q, double r, double s) {
        return 0.5 *
               (2.0 * q + t * (r - p + t * (2.0 * p - 5.0 * q + 4.0 * r - s + t * (3.0 * (q - r) + s - p))));
    };
    return {coordinate(a.x, b.x, c.x, d.x), coordinate(a.y, b.y, c.y, d.y)};
}

}  // namespace

const std::vector<Glyph>& glyphs_of(int digit) {
    return glyphs.at(static_cast<std::size_t>(digit));
}

Polyline flatten(const Stroke& stroke) {
    constexpr int curve_pieces = 5;
    constexpr int line_pieces = 8;  // a straight line is bent later by the elastic deformation
    const Polyline& p = stroke.controls;
    Polyline points = {p.front()};
    for (std::size_t i = 0; i + 1 < p.size(); ++i) {
        const Point before = stroke.curved ? p[i == 0 ? 0 : i - 1] : p[i];
        const Point after = stroke.curved ? p[std::min(i + 2, p.size() - 1)] : p[i + 1];
        const int pieces = stroke.curved ? curve_pieces : line_pieces;
        for (int k = 1; k <= pieces; ++k)
            points.push_back(catmull_rom(before, p[i], p[i + 1], after, static_cast<double>(k) / pieces));
    }
    return points;
}

}  // namespace deepfreq
