// Extents of feature maps and windows. Core: words that every layer of the stack uses.
#pragma once

namespace dlas {

/// Extents of one feature map (batch 1), stored NHWC: channels innermost, counted in elements.
struct shape {
    int height = 1;
    int width = 1;
    int channels = 1;

    constexpr bool operator==(const shape&) const = default;
    constexpr int pixels() const { return height * width; }
    constexpr int elements() const { return height * width * channels; }
};

/// Rows and columns of a window, a stride or a dilation. One number means both.
struct extent {
    int height = 1;
    int width = 1;

    constexpr extent() = default;
    constexpr extent(int both) : height(both), width(both) {}  // NOLINT: `.kernel = 3` is the usual spelling
    constexpr extent(int rows, int columns) : height(rows), width(columns) {}

    constexpr bool operator==(const extent&) const = default;
    constexpr int area() const { return height * width; }
};

/// Rows and columns around a feature map: padding of a window, halo of a buffer. One number means all four sides.
struct border {
    int top = 0;
    int bottom = 0;
    int left = 0;
    int right = 0;

    constexpr border() = default;
    constexpr border(int all) : top(all), bottom(all), left(all), right(all) {}  // NOLINT: `.padding = 1`
    constexpr border(int rows, int columns) : top(rows), bottom(rows), left(columns), right(columns) {}
    constexpr border(int above, int below, int before, int after) : top(above), bottom(below), left(before), right(after) {}

    constexpr bool operator==(const border&) const = default;
    constexpr bool empty() const { return top == 0 && bottom == 0 && left == 0 && right == 0; }
};

}  // namespace dlas
