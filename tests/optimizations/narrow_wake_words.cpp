// The visual-wake-words model of MLPerf Tiny without its dead channels.
#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <vector>

#include <dlas/models/mobilenet.hpp>
#include <dlas/models/narrowed.hpp>
#include <dlas/optimizations/dead_channels.hpp>
#include <dlas/systems/network.hpp>
#include <dlas/systems/tflite.hpp>

#include "../systems/compiled_networks.hpp"
#include "made_weights.hpp"

namespace {

using wake_words = dlas::mobilenet_v1_quarter<dlas::visual_wake_words>;

/// What follows from the file's weights.
struct kept {
    static constexpr int channels[] = {8, 8, 16, 16, 32, 32, 32, 32, 64, 64, 60, 60, 106, 106, 57, 57, 30, 30, 19, 19, 15, 15, 25, 25, 31, 31, 22, 2};
};

/// Noise in blocks of a size that differs, and of values that differ.
std::vector<std::int8_t> blocks(int size, dlas::seeded_numbers& random) {
    const int low = whole_number(random, -128, 0), high = whole_number(random, low, 127);
    std::vector<std::int8_t> image(96 * 96 * 3);
    for (int row = 0; row < 96; ++row)
        for (int at = 0; at < 96 * 3; ++at) {
            const int from = row / size * size * 96 * 3 + at / 3 / size * size * 3 + at % 3, to = row * 96 * 3 + at;
            image[static_cast<std::size_t>(to)] =
                from == to ? static_cast<std::int8_t>(whole_number(random, low, high)) : image[static_cast<std::size_t>(from)];
        }
    return image;
}

}  // namespace

TEST_CASE("dead channels: visual wake words") {
    using whole_network = dlas::network<wake_words, dlas::stack<dlas::int8_tflite, dlas::scalar>>;
    using narrow_network = dlas::network<dlas::narrowed<wake_words, kept>, dlas::stack<dlas::int8_tflite, dlas::scalar>>;
    const dlas::executable& code = whole_network::code;
    static_assert(std::same_as<typename dlas::narrowed<wake_words, kept>::problem, dlas::visual_wake_words>);
    CAPTURE(label_of(code));
    const auto file = std::filesystem::path(std::getenv("DLAS_DATA")) / "weights" / "vww_96_int8.tflite";
    const dlas::safetensors weights = dlas::import_tflite(code, dlas::tflite_file::read(file));
    const dlas::narrow_network rest = dlas::remove_dead_channels(code, weights);
    CHECK(std::ranges::equal(rest.layers, kept::channels, {}, [](const dlas::kept_layer& layer) { return static_cast<int>(layer.kept.size()); }));

    auto bytes = [](const dlas::safetensors& tensors) {
        std::size_t sum = 0;
        for (const auto& t : tensors.tensors()) sum += t.dtype == "I8" ? t.bytes.size() : 0;
        return sum;
    };
    MESSAGE(label_of(code), ": of ", whole_network::macs, " multiply-accumulates ", narrow_network::macs, " are left, of ", bytes(weights),
            " weights ", bytes(rest.weights), ", of ", whole_network::weight_bytes, " bytes packed ", narrow_network::weight_bytes);
    CHECK(narrow_network::macs * 100 < whole_network::macs * 55);
    CHECK(narrow_network::weight_bytes <= 44 * 1024);

    dlas::host_network a(code, weights), b(narrow_network::code, rest.weights);
    dlas::seeded_numbers random(1);
    const int images = 48;
    int same = 0;
    std::set<std::vector<std::int8_t>> seen;
    for (int i = 0; i < images; ++i) {
        const std::vector<std::int8_t> image = blocks(1 << i % 6, random);
        fill_with_garbage(a);
        fill_with_garbage(b);
        const auto expected = a(std::span(image));
        same += std::ranges::equal(expected, b(std::span(image)));
        seen.emplace(expected.begin(), expected.end());
    }
    CHECK(same == images);
    CHECK(static_cast<int>(seen.size()) > images / 2);
}
