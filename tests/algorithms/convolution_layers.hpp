// The convolutions that every algorithm is tested with, and which algorithm runs which of them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include <dlas/core/list.hpp>
#include <dlas/systems/conv2d_kernel.hpp>

#include "../sanitized.hpp"

namespace convolution_layers {

using dlas::activation;
using dlas::conv2d_key;
using dlas::conv2d_layer;

/// Layers that each stand for a way to go wrong.
inline constexpr conv2d_layer named[] = {
    // The smallest there is, and single pixels.
    {.in = {1, 1, 1}, .channels = 1},
    {.in = {1, 1, 17}, .channels = 33, .activation = activation::relu},
    {.in = {1, 1, 299}, .channels = 50, .residual = true},
    {.in = {5, 7, 3}, .channels = 10, .kernel = {5, 7}},
    {.in = {3, 5, 21}, .channels = 70, .kernel = {3, 5}, .activation = activation::relu},
    {.in = {1, 1, 8}, .channels = 15, .kernel = 3, .padding = 1},
    // A window that sees more padding than input.
    {.in = {2, 2, 5}, .channels = 9, .kernel = 5, .padding = 2, .residual = true},
    // Long and short windows; the first layer of MLPerf Tiny's keyword spotting.
    {.in = {25, 10, 1}, .channels = 64, .kernel = {10, 4}, .stride = 2, .padding = dlas::same_padding({25, 10, 1}, {10, 4}, 2),
     .activation = activation::relu},
    {.in = {6, 9, 4}, .channels = 8, .kernel = {1, 3}, .padding = {0, 1}},
    {.in = {9, 6, 4}, .channels = 8, .kernel = {3, 1}, .stride = {2, 1}, .padding = {1, 0}},
    {.in = {15, 15, 3}, .channels = 24, .kernel = 7, .stride = 2, .padding = 3, .activation = activation::relu},
    // Unequal padding: TensorFlow's SAME and all four sides different.
    {.in = {8, 8, 8}, .channels = 16, .kernel = 3, .stride = 2, .padding = dlas::same_padding({8, 8, 8}, 3, 2)},
    {.in = {7, 5, 3}, .channels = 5, .kernel = {3, 5}, .padding = {2, 0, 1, 3}},
    // Strides that leave input behind, and a different one in each direction.
    {.in = {9, 10, 24}, .channels = 40, .stride = 2},
    {.in = {8, 11, 5}, .channels = 7, .kernel = 2, .stride = 3},
    {.in = {8, 9, 6}, .channels = 12, .kernel = 3, .stride = {1, 2}, .padding = 1, .activation = activation::relu6, .residual = true},
    // Dilation.
    {.in = {13, 12, 7}, .channels = 19, .kernel = 3, .dilation = 2, .padding = 2},
    {.in = {11, 10, 4}, .channels = 6, .kernel = {3, 2}, .stride = {2, 1}, .dilation = {2, 3}, .padding = {1, 2}},
    // Groups: channels of a group no multiple of the lanes; more outputs than inputs for each; a pixel of many groups.
    {.in = {7, 6, 12}, .channels = 10, .kernel = 3, .padding = 1, .groups = 2},
    {.in = {6, 5, 36}, .channels = 68, .kernel = 3, .stride = 2, .padding = 1, .groups = 4, .activation = activation::relu},
    {.in = {5, 5, 34}, .channels = 66, .groups = 2, .activation = activation::relu6, .residual = true},
    {.in = {6, 6, 8}, .channels = 16, .kernel = 3, .padding = 1, .groups = 8},
    // One row of all pixels in direct, its blocks of pixels, and blocks of rows.
    {.in = {5, 7, 16}, .channels = 31, .activation = activation::relu, .residual = true},
    {.in = {11, 13, 96}, .channels = 200, .activation = activation::relu, .residual = true},
    // Matrices of one row of pixels by four vectors of channels, of which the last is not whole.
    {.in = {3, 14, 64}, .channels = 125, .residual = true},
    {.in = {11, 13, 96}, .channels = 200, .stride = {1, 2}},
    {.in = {20, 11, 32}, .channels = 72, .kernel = 3, .padding = 1, .activation = activation::relu},
    // Activations that are not piecewise linear.
    {.in = {7, 6, 20}, .channels = 40, .kernel = 3, .padding = 1, .activation = activation::silu, .residual = true},
    {.in = {1, 1, 12}, .channels = 49, .activation = activation::sigmoid},
    // Several blocks of rows, tiles and channels, none of them whole.
    {.in = {28, 28, 32}, .channels = 48, .kernel = 3, .padding = 1, .activation = activation::relu, .residual = true},
};

/// 3x3 windows of stride 1: tiles of Winograd's transforms.
inline constexpr conv2d_layer winograd_tiles[] = {
    {.in = {2, 2, 3}, .channels = 4, .kernel = 3, .padding = 1},
    {.in = {6, 6, 1}, .channels = 1, .kernel = 3},
    {.in = {3, 2, 5}, .channels = 7, .kernel = 3, .padding = 1, .activation = activation::relu, .residual = true},
    {.in = {7, 7, 16}, .channels = 16, .kernel = 3, .padding = 1, .activation = activation::relu},
    {.in = {5, 9, 17}, .channels = 33, .kernel = 3, .padding = 1, .activation = activation::relu6, .residual = true},
    {.in = {4, 4, 64}, .channels = 9, .kernel = 3, .padding = 1},
    {.in = {6, 4, 8}, .channels = 65, .kernel = 3, .padding = {1, 2, 0, 2}},
    // Blocks of tiles, the last of which is smaller.
    {.in = {18, 17, 3}, .channels = 448, .kernel = 3, .padding = 1, .residual = true},
    {.in = {6, 6, 16}, .channels = 16, .kernel = 3, .padding = 1},
    {.in = {8, 13, 7}, .channels = 17, .kernel = 3, .activation = activation::relu},
    {.in = {12, 12, 33}, .channels = 15, .kernel = 3, .padding = 1, .activation = activation::relu6, .residual = true},
    {.in = {13, 7, 20}, .channels = 36, .kernel = 3, .padding = 1, .residual = true},
};

inline constexpr conv2d_layer depthwise_layers[] = {
    {.in = {7, 7, 3}, .channels = 3, .kernel = 3, .padding = 1, .groups = 3},
    {.in = {1, 1, 8}, .channels = 8, .kernel = 3, .padding = 1, .groups = 8, .activation = activation::relu},
    {.in = {9, 8, 16}, .channels = 16, .kernel = 3, .stride = 2, .padding = dlas::same_padding({9, 8, 16}, 3, 2), .groups = 16,
     .activation = activation::relu6},
    {.in = {6, 7, 33}, .channels = 33, .kernel = 5, .padding = 2, .groups = 33, .activation = activation::relu6, .residual = true},
    {.in = {9, 9, 17}, .channels = 17, .kernel = 3, .dilation = 2, .padding = 2, .groups = 17, .residual = true},
    {.in = {8, 13, 4}, .channels = 4, .kernel = 3, .stride = {1, 3}, .dilation = {1, 2}, .padding = {0, 2}, .groups = 4},
    {.in = {3, 61, 5}, .channels = 5, .kernel = {1, 3}, .padding = {0, 1}, .groups = 5},
    {.in = {10, 3, 31}, .channels = 31, .kernel = {3, 1}, .stride = {2, 1}, .padding = {1, 0, 0, 0}, .groups = 31},
    {.in = {9, 8, 9}, .channels = 9, .kernel = 7, .padding = 3, .groups = 9, .activation = activation::relu},
    {.in = {7, 6, 20}, .channels = 20, .kernel = 5, .padding = 2, .groups = 20, .activation = activation::silu},
    {.in = {4, 5, 15}, .channels = 15, .groups = 15},
    // Several blocks of channels by rule, of floats and of bytes.
    {.in = {4, 5, 270}, .channels = 270, .kernel = 3, .padding = 1, .groups = 270, .activation = activation::relu},
    {.in = {5, 6, 80}, .channels = 80, .kernel = {4, 2}, .stride = 2, .padding = {1, 2, 1, 0}, .groups = 80},
};

inline constexpr int generated_count = 26;

/// Combinations that nobody chose. The channels run through all neighbours of the vector widths, the rest is drawn.
constexpr conv2d_layer generated(int index) {
    constexpr int channels[] = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64};
    constexpr int sizes[] = {1, 2, 3, 4, 5, 7, 9, 12};
    constexpr dlas::extent kernels[] = {1, 1, 2, 3, 3, 3, 5, {1, 3}, {3, 1}};
    auto state = static_cast<std::uint32_t>(index) * 2654435761u + 12345u;
    auto draw = [&state](int below) {
        state = state * 1664525u + 1013904223u;
        return static_cast<int>((state >> 16) % static_cast<std::uint32_t>(below));
    };
    auto size_of_input = [&draw](int outputs, int stride, int reach, int before, int after) {
        const int size = (outputs - 1) * stride + reach + draw(stride) - before - after;
        return size < 1 ? 1 : size;
    };
    conv2d_layer layer;
    layer.groups = draw(5) == 0 ? 2 : 1;
    layer.in.channels = channels[index % 13] * layer.groups;
    layer.channels = channels[(index * 5 + 7) % 13] * layer.groups;
    layer.kernel = kernels[draw(9)];
    layer.stride = draw(2) == 0 ? 1 : 1 + draw(3);
    layer.dilation = draw(4) == 0 ? 2 : 1;
    if (draw(3) != 0) layer.padding = {draw(3), draw(3), draw(3), draw(3)};
    const dlas::extent reach = layer.reach();
    layer.in.height = size_of_input(sizes[draw(8)], layer.stride.height, reach.height, layer.padding.top, layer.padding.bottom);
    layer.in.width = size_of_input(sizes[draw(8)], layer.stride.width, reach.width, layer.padding.left, layer.padding.right);
    layer.activation = static_cast<activation>(draw(3));
    layer.residual = draw(3) == 0;
    // An input of one pixel may be larger than the drawn output asks for, never smaller than the window.
    if (layer.in.height + layer.padding.top + layer.padding.bottom < reach.height) layer.in.height = reach.height;
    if (layer.in.width + layer.padding.left + layer.padding.right < reach.width) layer.in.width = reach.width;
    return layer;
}

inline constexpr auto layers = [] {
    dlas::list<conv2d_layer, static_cast<int>(std::size(named) + std::size(winograd_tiles) + std::size(depthwise_layers)) + generated_count> all;
    for (const conv2d_layer& layer : named) all.push(layer);
    for (const conv2d_layer& layer : winograd_tiles) all.push(layer);
    for (const conv2d_layer& layer : depthwise_layers) all.push(layer);
    for (int i = 0; i < generated_count; ++i) all.push(generated(i));
    return all;
}();

/// Pixels of others between the rows of a feature map.
struct margins {
    int in = 0;
    int out = 0;
    int residual = 0;
};

/// Feature maps that are slices of wider ones: `gap` channels of others between pixels, and margins.
constexpr conv2d_key placed(const conv2d_layer& layer, int gap, margins between) {
    const dlas::shape out = layer.out();
    const int in_stride = layer.in.channels + gap;
    const int out_stride = out.channels + gap / 2;
    const int residual_stride = out.channels + 2 * gap;
    return {layer,
            {(layer.padding.left + layer.in.width + layer.padding.right + between.in) * in_stride, in_stride},
            {(out.width + between.out) * out_stride, out_stride},
            layer.residual ? dlas::placement{(out.width + between.residual) * residual_stride, residual_stride} : dlas::placement{}};
}

/// A layer without gaps that runs by a schedule.
constexpr conv2d_key scheduled(const conv2d_layer& layer, const dlas::schedule_options& schedule) {
    const int gap = layer.padding.left + layer.padding.right;
    const dlas::shape out = layer.out();
    const dlas::placement place = {out.width * out.channels, out.channels};
    return {layer, {(layer.in.width + gap) * layer.in.channels, layer.in.channels}, place, layer.residual ? place : dlas::placement{}, schedule};
}

inline constexpr conv2d_key placed_layers[] = {
    placed({.in = {7, 6, 5}, .channels = 19, .kernel = 3, .padding = 1, .activation = activation::relu, .residual = true}, 5, {3, 2, 1}),
    placed({.in = {9, 9, 16}, .channels = 32, .kernel = 3, .padding = {1, 0, 0, 1}, .residual = true}, 0, {1, 2, 3}),
    placed({.in = {6, 7, 12}, .channels = 24, .kernel = 3, .stride = 2, .padding = 1, .groups = 2, .residual = true}, 3, {1, 3, 0}),
    // 1x1 windows: all pixels are one row, although others lie between them; in one of the maps they are not.
    placed({.in = {6, 7, 16}, .channels = 40, .activation = activation::relu6, .residual = true}, 4, {}),
    placed({.in = {6, 7, 16}, .channels = 21}, 4, {.in = 2}),
    placed({.in = {6, 7, 16}, .channels = 21}, 0, {.out = 2}),
    placed({.in = {6, 7, 16}, .channels = 21, .residual = true}, 2, {.residual = 2}),
    placed({.in = {7, 7, 9}, .channels = 16, .stride = 2}, 2, {1, 1, 0}),
    placed({.in = {9, 10, 19}, .channels = 19, .kernel = 3, .padding = 1, .groups = 19, .activation = activation::relu, .residual = true}, 5,
           {3, 1, 2}),
    placed({.in = {9, 16, 16}, .channels = 16, .kernel = 5, .stride = 2, .padding = 2, .groups = 16, .residual = true}, 2, {}),
    // Stated register tiles, every block by itself and all of them; tiles that are not whole, prefetching near and far.
    scheduled({.in = {7, 6, 40}, .channels = 100, .activation = activation::relu, .residual = true}, {.tile = {1, 4, 2}, .pixels = 9, .channels = 32}),
    scheduled({.in = {7, 6, 40}, .channels = 100, .activation = activation::relu, .residual = true}, {.tile = {1, 6, 1}, .inputs = 13}),
    scheduled({.in = {1, 1, 299}, .channels = 40, .activation = activation::relu}, {.tile = {1, 1, 2}, .inputs = 130}),
    scheduled({.in = {8, 6, 21}, .channels = 40, .kernel = 3, .padding = 1, .activation = activation::relu6, .residual = true},
              {.tile = {2, 3, 1}, .pixels = 12, .channels = 16, .inputs = 8, .prefetch = 256}),
    scheduled({.in = {9, 9, 24}, .channels = 56, .kernel = 3, .stride = 2, .padding = 1, .groups = 2}, {.tile = {1, 5, 1}, .inputs = 4, .prefetch = 0}),
    scheduled({.in = {10, 11, 20}, .channels = 33, .kernel = 3, .padding = 1, .activation = activation::relu}, {.tile = {1, 3, 2}, .pixels = 4, .channels = 1}),
    scheduled({.in = {10, 11, 20}, .channels = 33, .kernel = 3, .padding = 1, .residual = true}, {.channels = 16, .prefetch = 64}),
    scheduled({.in = {6, 9, 16}, .channels = 16, .kernel = 3, .padding = 1, .groups = 16}, {.tile = {1, 4, 1}}),
    // Blocks of channels of a depthwise layer: whole ones, one that holds no whole vector, one of more channels than there are.
    scheduled({.in = {6, 9, 48}, .channels = 48, .kernel = 3, .padding = 1, .groups = 48, .activation = activation::relu, .residual = true}, {.channels = 16}),
    scheduled({.in = {7, 5, 37}, .channels = 37, .kernel = 3, .stride = 2, .padding = 1, .groups = 37}, {.tile = {1, 3, 1}, .channels = 32}),
    scheduled({.in = {5, 6, 50}, .channels = 50, .kernel = 5, .padding = 2, .groups = 50, .residual = true}, {.channels = 64}),
    // Room for the largest Winograd tiles.
    placed({.in = {13, 14, 12}, .channels = 20, .kernel = 3, .padding = 1, .activation = activation::relu, .residual = true}, 3, {1, 2, 3}),
};

/// An algorithm of `dlas::algorithms` and a layer of a list, by index.
struct pair {
    int algorithm = 0;
    int layer = 0;
};

template <class Algorithm, class Target>
constexpr bool runs(const conv2d_layer& layer) {
    return dlas::stack<Algorithm, Target>::refuses(layer).empty();
}
template <class Algorithm, class Target>
constexpr bool runs(const conv2d_key& key) {
    return Algorithm::template refuses<Target>(key.layer, key.schedule).empty();
}

/// Whether a target takes a case: what plain and 128-bit vectors have in common is tested by every second case each, what wider ones have by two
/// of three. Under the sanitizers vectors of all kinds take every second.
template <class Target>
constexpr bool takes(int index) {
    if (std::same_as<Target, dlas::scalar>) return index % 2 == 0;
    if (std::same_as<Target, dlas::sse42> || sanitized) return index % 2 != 0;
    if (std::same_as<Target, dlas::avx2>) return index % 3 != 0;
    return std::same_as<Target, dlas::avx512> ? index % 3 != 1 : true;
}

/// The pairs that stacks of this target do not refuse, of which it takes some.
template <class Target, class... Algorithms>
constexpr auto runnable_pairs(dlas::policy_list<Algorithms...>, const auto& list) {
    dlas::list<pair, 128 * static_cast<int>(sizeof...(Algorithms))> pairs;
    int found[sizeof...(Algorithms)] = {};
    for (int layer = 0; layer < static_cast<int>(std::size(list)); ++layer) {
        int algorithm = 0;
        auto add = [&](bool runs) {
            if (runs && takes<Target>(found[algorithm]++)) pairs.push({algorithm, layer});
            ++algorithm;
        };
        (add(runs<Algorithms, Target>(std::begin(list)[layer])), ...);
    }
    return pairs;
}

template <class Target>
inline constexpr auto layer_pairs = runnable_pairs<Target>(dlas::algorithms{}, layers);
template <class Target>
inline constexpr auto placed_pairs = runnable_pairs<Target>(dlas::algorithms{}, placed_layers);

/// A kernel whose feature maps are slices, as plain data.
struct placed_kernel {
    std::string_view algorithm;
    std::string_view target;
    conv2d_key key;
    std::int64_t weight_bytes = 0;
    std::int64_t workspace_bytes = 0;
    void (*pack)(const float* filter, const float* bias, float* packed) = nullptr;
    void (*run)(const dlas::kernel_arguments&) = nullptr;
};

/// The kernels of pair `Shard`, `Shard + Shards`, ... Defined by units compiled for the target, which include compile_convolutions.hpp.
template <class Target, int Shard, int Shards>
std::span<const dlas::conv2d_executable> compiled_layers();
template <class Target, int Shard, int Shards>
std::span<const placed_kernel> compiled_placed_layers();

}  // namespace convolution_layers
