// Images of ten shapes, drawn from a seed: a data set that needs no download. Datasets & Problem Spaces; hosted.
//
// One shape per image in a random colour, place, size, rotation and proportion, on a gradient with clutter, partly
// covered, under noise. All of it is integer arithmetic, so a seed gives the same bytes with every compiler and on
// every machine. 64ths of a pixel measure the image, 1024ths of its radius a shape.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <dlas/datasets/labeled_images.hpp>
#include <dlas/datasets/problems.hpp>

namespace dlas {

/// The classes; the index is the label.
inline constexpr std::array<std::string_view, shapes10::classes> shapes10_names = {
    "checkerboard", "circle", "crescent", "cross", "frame", "ring", "square", "star", "stripes", "triangle"};

/// The test split: make_shapes10(shapes10_test_count, shapes10_test_seed).
inline constexpr int shapes10_test_count = 1000;
inline constexpr std::uint64_t shapes10_test_seed = 2;

/// The seed of the images that networks are trained on and calibrated with: none of them is in the test split.
inline constexpr std::uint64_t shapes10_training_seed = 1;

namespace shapes10_drawing {

using color = std::array<int, 3>;  // red, green, blue; 0 to 255 except under noise

/// SplitMix64 (Steele, Lea, Flood, 2014), as numbers in a range.
class random_numbers {
public:
    constexpr explicit random_numbers(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next() {
        std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    /// Both ends can come up.
    constexpr int between(int lowest, int highest) {
        const auto values = static_cast<std::uint64_t>(highest - lowest + 1);
        return lowest + static_cast<int>((next() >> 32) * values >> 32);
    }

    constexpr color any_color() {
        color result{};
        for (int& channel : result) channel = between(0, 255);
        return result;
    }

private:
    std::uint64_t state_;
};

/// The largest integer whose square is not above `value`.
constexpr int square_root(int value) {
    int root = 0;
    for (int bit = 1 << 15; bit > 0; bit /= 2)
        if (static_cast<std::int64_t>(root + bit) * (root + bit) <= value) root += bit;
    return root;
}

/// A unit vector, in 4096ths.
struct direction {
    int x = 4096;
    int y = 0;
};

/// Uniform over all angles: a point of a disc, moved to the unit circle.
constexpr direction any_direction(random_numbers& random) {
    for (;;) {
        const int x = random.between(-1000, 1000);
        const int y = random.between(-1000, 1000);
        const int squared = x * x + y * y;
        if (squared < 100 * 100 || squared > 1000 * 1000) continue;
        const int length = square_root(squared * 256);  // 16 times the length, for its precision
        return {x * (16 * 4096) / length, y * (16 * 4096) / length};
    }
}

/// Where a shape's own coordinates (u, v), in 1024ths, lie in the image.
struct placement {
    int x = 0;  // of the centre and the radius, in 64ths of a pixel
    int y = 0;
    int radius = 64;
    direction u_axis = {};
    int aspect = 256;  // extent along v as 256ths of that along u
};

/// The image while it is drawn.
struct canvas {
    static constexpr int height = shapes10::input.height;
    static constexpr int width = shapes10::input.width;

    std::array<color, static_cast<std::size_t>(height * width)> pixels{};

    constexpr color& at(int row, int column) { return pixels[static_cast<std::size_t>(row * width + column)]; }

    /// Blends `paint` over all points with inside(u, v), which must be less than 1536 from the centre; 16 samples
    /// per pixel. Opacity in 256ths.
    template <class Inside>
    constexpr void draw(const placement& place, const color& paint, int opacity, Inside inside) {
        const int u_per_x = place.u_axis.x * 256 / place.radius;  // 1024 * 1024ths of the radius per 64th of a pixel
        const int u_per_y = place.u_axis.y * 256 / place.radius;
        const int v_per_x = -u_per_y * 256 / place.aspect;
        const int v_per_y = u_per_x * 256 / place.aspect;

        const int reach = place.radius * 3 / 2;
        const int top = std::max(0, (place.y - reach) / 64);
        const int bottom = std::min(height - 1, (place.y + reach) / 64);
        const int left = std::max(0, (place.x - reach) / 64);
        const int right = std::min(width - 1, (place.x + reach) / 64);
        for (int row = top; row <= bottom; ++row)
            for (int column = left; column <= right; ++column) {
                int covered = 0;
                for (int sample = 0; sample < 16; ++sample) {
                    const int x = column * 64 + sample % 4 * 16 + 8 - place.x;
                    const int y = row * 64 + sample / 4 * 16 + 8 - place.y;
                    covered += inside((x * u_per_x + y * u_per_y) / 1024, (x * v_per_x + y * v_per_y) / 1024);
                }
                color& pixel = at(row, column);
                for (std::size_t channel = 0; channel < 3; ++channel)
                    pixel[channel] += (paint[channel] - pixel[channel]) * covered * opacity / (16 * 256);
            }
    }
};

constexpr bool in_disc(int u, int v, int radius) { return u * u + v * v < radius * radius; }
constexpr bool in_box(int u, int v, int half_u, int half_v) { return -half_u < u && u < half_u && -half_v < v && v < half_v; }

/// Whether a point belongs to the shape of a class. `variant`, 0 to 255, goes through what one class may look like.
constexpr bool in_shape(std::string_view name, int variant, int u, int v) {
    if (name == "checkerboard") {
        const int cells = 3 + variant % 3;
        return in_box(u, v, 900, 900) && ((u + 900) * cells / 1800 + (v + 900) * cells / 1800) % 2 == 0;
    }
    if (name == "circle") return in_disc(u, v, 950);
    if (name == "crescent") return in_disc(u, v, 1000) && !in_disc(u - 380 - variant, v, 900);
    if (name == "cross") {
        const int arm = 220 + variant / 2;
        return in_box(u, v, 1000, arm) || in_box(u, v, arm, 1000);
    }
    if (name == "frame") return in_box(u, v, 850, 850) && !in_box(u, v, 300 + variant, 300 + variant);
    if (name == "ring") return in_disc(u, v, 1000) && !in_disc(u, v, 350 + variant);
    if (name == "square") return in_box(u, v, 830, 830);
    if (name == "star") {
        // A pentagram is what lies on the inner side of at least four of its five lines.
        constexpr int normals[5][2] = {{0, 1024}, {974, 316}, {602, -828}, {-602, -828}, {-974, 316}};
        int sides = 0;
        for (const auto& [along_u, along_v] : normals) sides += (u * along_u + v * along_v) / 1024 < 340;
        return sides >= 4;
    }
    if (name == "stripes") {
        const int bands = 5 + variant % 2 * 2;
        return in_box(u, v, 900, 900) && (u + 900) * bands / 1800 % 2 == 0;
    }
    constexpr int normals[3][2] = {{0, 1024}, {887, -512}, {-887, -512}};
    return std::ranges::all_of(normals, [&](const auto& normal) { return (u * normal[0] + v * normal[1]) / 1024 < 540; });
}

/// How far two colours are apart: the sum over the channels.
constexpr int contrast(const color& a, const color& b) {
    int sum = 0;
    for (std::size_t channel = 0; channel < 3; ++channel) sum += std::abs(a[channel] - b[channel]);
    return sum;
}

/// A bar or a small disc.
inline void draw_clutter(canvas& image, random_numbers& random, int opacity) {
    placement place;
    place.x = random.between(0, canvas::width * 64);
    place.y = random.between(0, canvas::height * 64);
    place.u_axis = any_direction(random);
    const color paint = random.any_color();
    if (random.between(0, 1) == 0) {
        place.radius = random.between(6 * 64, 16 * 64);
        const int half_width = 1024 * random.between(24, 72) / place.radius;
        image.draw(place, paint, opacity, [&](int u, int v) { return in_box(u, v, 1024, half_width); });
    } else {
        place.radius = random.between(64, 4 * 64);
        image.draw(place, paint, opacity, [](int u, int v) { return in_disc(u, v, 1024); });
    }
}

/// A gradient; returns the colours at its ends.
inline std::array<color, 2> draw_background(canvas& image, random_numbers& random) {
    const color first = random.any_color();
    color second{};
    for (std::size_t channel = 0; channel < 3; ++channel)
        second[channel] = std::clamp(first[channel] + random.between(-80, 80), 0, 255);

    const direction along = any_direction(random);
    for (int row = 0; row < canvas::height; ++row)
        for (int column = 0; column < canvas::width; ++column) {
            const int x = 2 * column - canvas::width + 1;
            const int y = 2 * row - canvas::height + 1;
            const int share = std::clamp(128 + (x * along.x + y * along.y) * 3 / 4096, 0, 256);
            for (std::size_t channel = 0; channel < 3; ++channel)
                image.at(row, column)[channel] = first[channel] + (second[channel] - first[channel]) * share / 256;
        }
    return {first, second};
}

/// One image of class `label`.
inline canvas draw(int label, random_numbers random) {
    // These ranges decide how hard the set is: a small network gets about 96 % right.
    constexpr int least_contrast = 100;

    canvas image;
    const std::array<color, 2> background = draw_background(image, random);
    for (int pieces = random.between(0, 3); pieces > 0; --pieces) draw_clutter(image, random, 140);

    placement place;
    place.radius = random.between(9 * 64 / 2, 23 * 64 / 2);
    const int margin = place.radius * 3 / 4;
    place.x = random.between(margin, canvas::width * 64 - margin);
    place.y = random.between(margin, canvas::height * 64 - margin);
    place.u_axis = any_direction(random);
    place.aspect = random.between(180, 256);
    color paint = random.any_color();
    while (std::min(contrast(paint, background[0]), contrast(paint, background[1])) < least_contrast) paint = random.any_color();
    const int variant = random.between(0, 255);
    const std::string_view name = shapes10_names[static_cast<std::size_t>(label)];
    image.draw(place, paint, 256, [&](int u, int v) { return in_shape(name, variant, u, v); });

    for (int pieces = random.between(0, 3); pieces > 0; --pieces) draw_clutter(image, random, 256);

    const int noise = random.between(5, 29);
    for (color& pixel : image.pixels)
        for (int& channel : pixel) {
            channel += random.between(-noise, noise);
            channel += random.between(-noise, noise);
        }
    return image;
}

}  // namespace shapes10_drawing

/// Draws `count` 32x32 RGB images, HWC. The label of image `index` is index % 10, and its pixels depend on `seed`
/// and `index` alone: a shorter set is the beginning of a longer one.
inline labeled_images make_shapes10(int count, std::uint64_t seed) {
    labeled_images images{shapes10::input, {}, {}};
    images.pixels.reserve(static_cast<std::size_t>(count) * static_cast<std::size_t>(shapes10::input.elements()));
    images.labels.reserve(static_cast<std::size_t>(count));

    shapes10_drawing::random_numbers image_seeds(seed);
    for (int index = 0; index < count; ++index) {
        const int label = index % shapes10::classes;
        images.labels.push_back(label);
        for (const auto& pixel : shapes10_drawing::draw(label, shapes10_drawing::random_numbers(image_seeds.next())).pixels)
            for (const int channel : pixel) images.pixels.push_back(static_cast<std::uint8_t>(std::clamp(channel, 0, 255)));
    }
    return images;
}

}  // namespace dlas
