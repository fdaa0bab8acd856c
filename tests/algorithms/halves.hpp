// What is tested of formats with 16-bit elements, or with weights of few bits and all else in floats: conversions of vectors, and convolutions.
#pragma once

#include <concepts>
#include <span>
#include <string_view>

#include "quantized.hpp"

namespace half_layers {

using convolution_layers::conv2d_key;
using convolution_layers::conv2d_layer;

inline constexpr int formats = 6;

/// As those of integers, and one pixel in each format.
inline constexpr auto layers = [] {
    dlas::list<conv2d_layer, quantized_layers::layers.size() + formats> all;
    for (const conv2d_layer& layer : quantized_layers::layers) all.push(layer);
    for (int i = 0; i < formats; ++i) all.push({.in = {1, 1, 151}, .channels = 21});
    return all;
}();

using quantized_layers::algorithm_of;
inline constexpr auto cases = quantized_layers::cases_of(layers);

/// Vectors of 16 numbers; fewer lanes go in several steps.
struct conversions {
    void (*f16_to_float)(const dlas::f16_value*, float*) = nullptr;
    void (*bf16_to_float)(const dlas::bf16_value*, float*) = nullptr;
    void (*float_to_f16)(const float*, dlas::f16_value*) = nullptr;
    void (*float_to_bf16)(const float*, dlas::bf16_value*) = nullptr;
};

struct half_kernel {
    std::string_view target;
    std::string_view format;
    std::string_view algorithm;
    conv2d_key key;
    std::int64_t weight_bytes = 0;
    std::int64_t workspace_bytes = 0;
    void (*pack)(const float*, const float*, float*) = nullptr;
    void (*run)(const dlas::kernel_arguments&) = nullptr;
};

/// All run the cases of one pixel. A target that differs from another in its products of bf16 or f16 alone, or stands for one, runs those of
/// these, the first two formats, the emulated one half of them; others take theirs as of floats.
template <class Target>
constexpr auto cases_for() {
    dlas::list<int, cases.size()> indices;
    for (int i = 0; i < cases.size(); ++i) {
        const bool one_pixel = layers[cases[i].layer].in.pixels() == 1;
        const bool products = (Target::bf16_dots && i % formats == 0) || (Target::f16_sums && i % formats == 1);
        const bool taken = Target::bf16_dots || Target::f16_sums ? products && !(std::same_as<Target, dlas::emulated> && i / formats % 2 != 0)
                                                                 : convolution_layers::takes<Target>(i / formats);
        if (one_pixel || taken) indices.push(i);
    }
    return indices;
}

/// Formats take turns; in each some maps have gaps, and every seventh input of a half format is of floats.
constexpr conv2d_key key(int index, dlas::element maps) {
    const int turn = index / formats % 3;
    conv2d_key k = convolution_layers::placed(layers[cases[index].layer], turn == 1 ? 5 : 0, turn == 0 ? convolution_layers::margins{} : convolution_layers::margins{1, 2, 3});
    k.in.type = index % 7 == 3 ? dlas::element::f32 : maps;
    k.residual.type = maps;
    k.out.type = maps;
    return k;
}

/// Defined by units compiled for the target.
template <class Target>
std::span<const half_kernel> compiled_halves();
template <class Target>
conversions compiled_conversions();

}  // namespace half_layers
