#pragma once

#include <vector>

namespace deepfreq {

/// A point of a glyph: x to the right, y downwards; a digit fills about [-0.6, 0.6] × [-1, 1].
struct Point {
    double x = 0.0;
    double y = 0.0;
};

using Polyline = std::vector<Point>;

/// What the pen draws without being lifted: through its control points, straight or along a smooth curve.
struct Stroke {
    bool curved = false;
    Polyline controls;
};

using Glyph = std::vector<Stroke>;

/// The ways to write a digit 0 … 9; at least one each.
const std::vector<Glyph>& glyphs_of(int digit);

/// The stroke as straight pieces; a curved one is the Catmull-Rom spline through its control points.
Polyline flatten(const Stroke& stroke);

}  // namespace deepfreq
