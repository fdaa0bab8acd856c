// The convolutions of one-bit weights and inputs that are tested.
#pragma once

#include <span>

#include "quantized.hpp"

namespace binary_layers {

using convolution_layers::conv2d_key;
using convolution_layers::conv2d_layer;
using convolution_layers::placed_kernel;
using dlas::activation;

/// As those of integers, and channels that do not fill bytes or words, or fill several; windows of more words than a sum of bytes counts.
inline constexpr auto layers = [] {
    constexpr conv2d_layer more[] = {
        {.in = {5, 4, 256}, .channels = 33, .kernel = 3, .padding = 1, .activation = activation::relu, .residual = true},
        {.in = {6, 6, 65}, .channels = 20, .kernel = 3, .padding = 1, .residual = true},
        {.in = {4, 5, 50}, .channels = 9, .kernel = 3, .stride = 2, .padding = 1},
        {.in = {4, 5, 60}, .channels = 9, .kernel = {2, 3}},
        {.in = {7, 8, 70}, .channels = 24, .kernel = 3, .dilation = {1, 2}, .padding = 2, .activation = activation::relu6},
        {.in = {3, 3, 144}, .channels = 34, .kernel = 3, .padding = 1, .groups = 2},
        {.in = {1, 1, 1030}, .channels = 100},
        {.in = {7, 7, 48}, .channels = 10, .kernel = 7},
    };
    dlas::list<conv2d_layer, quantized_layers::layers.size() + static_cast<int>(std::size(more))> all;
    for (const conv2d_layer& layer : quantized_layers::layers) all.push(layer);
    for (const conv2d_layer& layer : more) all.push(layer);
    return all;
}();

/// Some maps have gaps and margins.
constexpr conv2d_key key(int index) {
    return convolution_layers::placed(layers[index], index % 3 == 1 ? 5 : 0,
                                      index % 3 == 0 ? convolution_layers::margins{} : convolution_layers::margins{1, 2, 3});
}

/// Defined by units compiled for the target.
template <class Target>
std::span<const placed_kernel> compiled_binary();

}  // namespace binary_layers
