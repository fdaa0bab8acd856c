// The procedural set: the same bytes from every compiler and machine, and what the classes look like.
#include <dlas/datasets/shapes10.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <string_view>
#include <vector>

namespace {

using namespace dlas::shapes10_drawing;

/// 64-bit FNV-1a.
std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
    return hash;
}

/// How many points of a 64x64 grid over the shape's square lie inside.
int area(std::string_view name, int variant) {
    int inside = 0;
    for (int v = -1008; v < 1024; v += 32)
        for (int u = -1008; u < 1024; u += 32) inside += in_shape(name, variant, u, v);
    return inside;
}

}  // namespace

TEST_CASE("shapes10: a seed means the same bytes everywhere") {
    // Changing an image makes the trained weights and every accuracy measured with them another experiment's.
    CHECK(checksum(dlas::make_shapes10(dlas::shapes10_test_count, dlas::shapes10_test_seed).pixels) == 0x88705e4726e8ca73);
    CHECK(checksum(dlas::make_shapes10(100, dlas::shapes10_training_seed).pixels) == 0x026d978a0e9ce401);
}

TEST_CASE("shapes10: HWC images with balanced labels") {
    const dlas::labeled_images images = dlas::make_shapes10(50, 7);
    CHECK(images.image == dlas::shapes10::input);
    CHECK(images.count() == 50);
    CHECK(images.pixels.size() == 50 * 32 * 32 * 3);
    for (int label = 0; label < dlas::shapes10::classes; ++label) CHECK(std::ranges::count(images.labels, label) == 5);

    CHECK(dlas::make_shapes10(0, 7).count() == 0);
    CHECK(dlas::make_shapes10(0, 7).pixels.empty());
}

TEST_CASE("shapes10: a shorter set begins a longer one") {
    const dlas::labeled_images shorter = dlas::make_shapes10(13, 7);
    const dlas::labeled_images longer = dlas::make_shapes10(20, 7);
    CHECK(std::ranges::equal(shorter.labels, std::span(longer.labels).first(13)));
    CHECK(std::ranges::equal(shorter.pixels, std::span(longer.pixels).first(shorter.pixels.size())));
}

TEST_CASE("shapes10: no image comes twice, neither in a split nor in both") {
    const dlas::labeled_images test = dlas::make_shapes10(100, dlas::shapes10_test_seed);
    const dlas::labeled_images training = dlas::make_shapes10(100, dlas::shapes10_training_seed);
    std::set<std::uint64_t> seen;
    for (int index = 0; index < 100; ++index) {
        seen.insert(checksum(test[index]));
        seen.insert(checksum(training[index]));
    }
    CHECK(seen.size() == 200);
}

TEST_CASE("shapes10: names, one for each class") {
    CHECK(std::set(dlas::shapes10_names.begin(), dlas::shapes10_names.end()).size() == dlas::shapes10::classes);
    CHECK(std::ranges::is_sorted(dlas::shapes10_names));
}

TEST_CASE("shapes10: every variant of a shape is neither empty nor all of its square") {
    for (const std::string_view name : dlas::shapes10_names)
        for (int variant = 0; variant < 256; variant += 5) {
            CAPTURE(name);
            CAPTURE(variant);
            CHECK(area(name, variant) > 64 * 64 / 10);
            CHECK(area(name, variant) < 64 * 64 * 9 / 10);
        }
}

TEST_CASE("shapes10: drawn inside the placement, blended by opacity, clipped by the image") {
    const auto everywhere = [](int u, int v) { return in_box(u, v, 1024, 1024); };
    canvas image;
    image.draw({.x = 16 * 64, .y = 8 * 64, .radius = 4 * 64}, {200, 100, 50}, 256, everywhere);
    CHECK(image.at(8, 16) == color{200, 100, 50});
    CHECK(image.at(4, 12) == color{200, 100, 50});
    CHECK(image.at(11, 19) == color{200, 100, 50});
    CHECK(image.at(3, 16) == color{0, 0, 0});
    CHECK(image.at(8, 20) == color{0, 0, 0});

    image.draw({.x = 16 * 64, .y = 8 * 64, .radius = 4 * 64}, {0, 0, 50}, 128, everywhere);
    CHECK(image.at(8, 16) == color{100, 50, 50});

    image.draw({.x = 0, .y = 32 * 64, .radius = 4 * 64}, {9, 9, 9}, 256, everywhere);
    CHECK(image.at(31, 0) == color{9, 9, 9});
    CHECK(image.at(27, 0) == color{0, 0, 0});
}

TEST_CASE("shapes10: numbers stay in their range and reach both ends") {
    random_numbers random(3);
    std::set<int> seen;
    for (int draw = 0; draw < 1000; ++draw) seen.insert(random.between(-2, 2));
    CHECK(seen == std::set{-2, -1, 0, 1, 2});

    // The published first values of SplitMix64 from seed 0.
    random_numbers zero(0);
    CHECK(zero.next() == 0xe220a8397b1dcdaf);
    CHECK(zero.next() == 0x6e789e6aa1b965f4);
}

TEST_CASE("shapes10: directions are unit vectors into every quadrant") {
    random_numbers random(3);
    std::array<int, 4> quadrants{};
    for (int draw = 0; draw < 400; ++draw) {
        const direction d = any_direction(random);
        CHECK(std::abs(square_root(d.x * d.x + d.y * d.y) - 4096) <= 8);
        ++quadrants[static_cast<std::size_t>((d.x < 0) + 2 * (d.y < 0))];
    }
    CHECK(std::ranges::all_of(quadrants, [](int count) { return count > 60; }));
}

TEST_CASE("shapes10: the integer square root rounds down") {
    for (int root = 0; root <= 46340; root += 7) {
        CHECK(square_root(root * root) == root);
        if (root > 0) CHECK(square_root(root * root - 1) == root - 1);
    }
    CHECK(square_root(2147483647) == 46340);
}
