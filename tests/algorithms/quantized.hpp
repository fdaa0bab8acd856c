// The quantized convolutions that are tested, and where their feature maps lie.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <tuple>

#include "../hardware/emulated.hpp"
#include "convolution_layers.hpp"

namespace quantized_layers {

using convolution_layers::conv2d_key;
using convolution_layers::conv2d_layer;

/// Every layer of the convolutions' list that has a kernel for integers; the generated ones but every other.
inline constexpr auto layers = [] {
    dlas::list<conv2d_layer, convolution_layers::layers.size()> all;
    const int others = convolution_layers::layers.size() - convolution_layers::generated_count;
    for (int i = 0; i < convolution_layers::layers.size(); ++i) {
        const conv2d_layer& layer = convolution_layers::layers[i];
        if (layer.activation == dlas::activation::silu || layer.activation == dlas::activation::sigmoid || (i >= others && i % 2 == 0)) continue;
        all.push(layer);
    }
    return all;
}();

/// A layer of a list, and what runs it: by rule, im2col, spatial_pack or, of bytes alone, winograd<2>.
struct tested {
    int layer = 0;
    int algorithm = 0;
};
template <tested Case>
using algorithm_of = std::tuple_element_t<Case.algorithm, std::tuple<dlas::automatic, dlas::im2col, dlas::spatial_pack, dlas::winograd<2>>>;

/// Every layer by rule, then those that are not depthwise by the others in turns of four, out of step with what else changes from case to case.
template <int N>
constexpr auto cases_of(const dlas::list<conv2d_layer, N>& list) {
    dlas::list<tested, 2 * N> cases;
    for (int i = 0; i < list.size(); ++i) cases.push({i, 0});
    for (int i = 0; i < list.size(); ++i)
        if (!list[i].depthwise()) cases.push({i, 1 + cases.size() / 4 % 2});
    return cases;
}
/// Of integers the windows that Winograd's transforms take, too.
inline constexpr auto cases = [] {
    constexpr auto others = cases_of(layers);
    dlas::list<tested, others.size() + layers.size()> all;
    for (const tested& c : others) all.push(c);
    for (int i = 0; i < layers.size(); ++i)
        if (dlas::stack<dlas::int8, dlas::winograd<2>>::refuses(layers[i]).empty()) all.push({i, 3});
    return all;
}();

/// The bits of a case's weights. They repeat after a prime number of cases, so that each meets every algorithm on every target.
constexpr int weight_bits(int index) {
    constexpr int bits[] = {8, 4, 7, 8, 2, 5, 8, 3, 8, 6, 8};
    return bits[index % 11];
}

/// Of maps of 16 bits every third case that is not Winograd's.
inline constexpr auto cases_of_16_bits = [] {
    dlas::list<tested, cases.size()> all;
    for (int i = 0; i < cases.size(); ++i)
        if (i % 3 == 0 && cases[i].algorithm < 3) all.push(cases[i]);
    return all;
}();

/// Whether a target runs a case. The emulation of AMX runs what matrices are multiplied for, two of four; AMX itself, which packs and loops
/// like that, every seventh, and targets that differ from the one that they extend in one instruction every fourth: all bits of weights,
/// placements and outputs are among them.
template <class Target>
constexpr bool runs_case(int index, tested c, int activation_bits) {
    if (std::same_as<Target, dlas::emulated>) return activation_bits == 8 && c.algorithm < 3 && !layers[c.layer].depthwise() && index / 2 % 2 == 0;
    if (std::same_as<Target, dlas::amx>) return index % 7 == 0;
    if (std::same_as<Target, dlas::avx_vnni> || std::same_as<Target, dlas::avx512_vnni> || std::same_as<Target, dlas::neon_dot>) return index % 4 == 0;
    return convolution_layers::takes<Target>(index / 2);  // each other pair: see cases_of()
}
template <class Target, int N>
constexpr auto cases_for(const dlas::list<tested, N>& all, int activation_bits) {
    dlas::list<int, N> indices;
    for (int i = 0; i < all.size(); ++i)
        if (runs_case<Target>(i, all[i], activation_bits)) indices.push(i);
    return indices;
}

/// Some maps have gaps and margins; every fifth output is real.
constexpr conv2d_key key(int layer, int index, dlas::element quantized) {
    conv2d_key k = convolution_layers::placed(layers[layer], index % 3 == 1 ? 5 : 0, index % 3 == 0 ? convolution_layers::margins{} : convolution_layers::margins{1, 2, 3});
    k.in.type = quantized;
    k.residual.type = quantized;
    k.out.type = index % 5 == 3 ? dlas::element::f32 : quantized;
    return k;
}

/// A kernel as plain data.
struct quantized_kernel {
    std::string_view target;
    int weight_bits = 8;
    conv2d_key key;
    std::int64_t weight_bytes = 0;
    std::int64_t workspace_bytes = 0;
    int slack = 0;  ///< bytes beyond the input that may be read
    std::string_view algorithm;
    void (*pack)(const dlas::quantized_parameters&, float*) = nullptr;
    void (*run)(const dlas::kernel_arguments&) = nullptr;
};

/// Defined by units compiled for the target.
template <class Target>
std::span<const quantized_kernel> compiled_quantized(int activation_bits);

}  // namespace quantized_layers
