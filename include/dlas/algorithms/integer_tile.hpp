// The micro-kernel of quantized convolutions: as register_tile.hpp's, with dot products of four bytes in place of multiply-adds.
// Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/register_tile.hpp>
#include <dlas/algorithms/requantize.hpp>
#include <dlas/algorithms/tiling.hpp>

namespace dlas {

/// Bytes that a dot product takes from each pixel.
inline constexpr int dot_bytes = 4;

/// Instructions for one dot product of every tile of a rows x columns output: what widening costs is shared by a pixel's vectors and a
/// vector's pixels.
template <class Target>
constexpr double integer_tiling_cost(tiling t, extent map, int channels) {
    const int pixels = t.rows * t.columns, widening = Target::dot_registers > 0 ? 2 : 0;
    const double tiles = ceil_divide(map.height, t.rows) * ceil_divide(map.width, t.columns);
    const int vectors = ceil_divide(channels, float_lanes<Target>);
    auto instructions = [&](int v) { return pixels * v * (widening > 0 ? 4 : 1) + pixels * (1 + widening) + v * (1 + 1.5 * widening) + 2; };
    double total = vectors / t.vectors * instructions(t.vectors);
    if (vectors % t.vectors != 0) total += instructions(vectors % t.vectors);
    return tiles * total;
}

/// The cheapest tile whose sums and operands fit the target's registers.
template <class Target>
consteval tiling choose_integer_tiling(extent map, int channels) {
    const int vectors = ceil_divide(channels, float_lanes<Target>);
    tiling best;
    double best_cost = integer_tiling_cost<Target>(best, map, channels);
    for (int rows = 1; rows <= 4 && rows <= map.height; ++rows)
        for (int columns = 1; columns <= 28 && columns <= map.width; ++columns)
            for (int v = 1; v <= 4 && v <= vectors; ++v) {
                const tiling t = {rows, columns, v};
                const int operands = Target::dot_registers > 0 ? 2 * v + Target::dot_registers : v + 1;
                if (rows * columns * v + operands > Target::vector_registers) break;
                const double cost = integer_tiling_cost<Target>(t, map, channels);
                if (cost < best_cost * 0.999) {
                    best = t;
                    best_cost = cost;
                }
            }
    return best;
}

/// Weights of a quantized convolution in panels of `vectors` vectors of output channels, as panel_layout's: the biases as 32-bit integers,
/// the multipliers as floats, then four weights for each channel and dot product. The innermost run of a window is rounded up to whole dot
/// products with weights of zero.
struct integer_panels {
    int lanes = 1;
    int vectors = 1;
    int bits = 8;   ///< of a weight
    reduction sum;  ///< of one group, merged

    constexpr int run_dots() const { return ceil_divide(sum.inner.count, dot_bytes); }
    constexpr int dots() const { return sum.outer.count * sum.middle.count * run_dots(); }
    /// Bytes of one group's panels.
    constexpr std::int64_t bytes(int outputs) const {
        const int all = round_up(outputs, lanes), block = lanes * vectors;
        return all / block * panel_bytes(block) + (all % block > 0 ? panel_bytes(all % block) : 0);
    }
    /// Of a panel of so many channels; the next one's biases are aligned.
    constexpr std::int64_t panel_bytes(int width) const {
        return (std::int64_t{width} * 8 + std::int64_t{width} * dot_bytes * bits / 8 * dots() + 3) / 4 * 4;
    }
};

/// Packs the quantized filter of a layer. The input's zero point goes into the biases; `r.input` is what the kernel will read.
template <class Target>
void pack_integer_panels(const conv2d_layer& layer, const integer_panels& panels, element input, element output, const quantized_parameters& p,
                         std::byte* packed) {
    const int inputs = layer.group_in(), outputs = layer.group_out(), area = layer.kernel.area(), block = panels.lanes * panels.vectors;
    const int run = panels.sum.inner.count;  // terms, in the order rows, columns, channels
    const std::int32_t zero = p.input.zero + stored_offset(input);
    for (int group = 0; group < layer.groups; ++group)
        for (int first = 0; first < outputs; first += block) {
            const int remaining = round_up(outputs - first, panels.lanes), width = remaining < block ? remaining : block;
            for (int lane = 0; lane < width; ++lane) {
                const int channel = group * outputs + first + lane;
                const bool exists = first + lane < outputs;
                auto weight = [&](int term) {
                    return p.filter[(std::int64_t{channel} * inputs + term % inputs) * area + term / inputs];
                };
                std::int32_t bias = 0;
                float multiplier = 0;
                if (exists) {
                    std::int32_t total = 0;
                    for (int term = 0; term < inputs * area; ++term) total += weight(term);
                    bias = p.bias[channel] - zero * total;
                    multiplier = p.input.scale * p.filter_scales[channel] / (is_quantized(output) ? p.output.scale : 1.0f);
                }
                __builtin_memcpy(packed + 4 * lane, &bias, 4);
                __builtin_memcpy(packed + 4 * (width + lane), &multiplier, 4);
                const int lane_bytes = dot_bytes * panels.bits / 8;
                std::byte* row = packed + 8 * width + lane_bytes * lane;
                for (int begin = 0; begin < inputs * area; begin += run)
                    for (int dot = 0; dot < panels.run_dots(); ++dot) {
                        std::uint32_t four = 0;
                        for (int k = 0; k < dot_bytes; ++k) {
                            const int at = dot * dot_bytes + k;
                            const auto q = exists && at < run ? static_cast<std::uint32_t>(weight(begin + at)) : 0u;
                            four |= (q & ((1u << panels.bits) - 1)) << (k * panels.bits);
                        }
                        __builtin_memcpy(row, &four, static_cast<unsigned>(lane_bytes));
                        row += lane_bytes * width;
                    }
            }
            packed += panels.panel_bytes(width);
        }
}

/// Computes one tile of a quantized convolution. Reads up to three bytes beyond the end of a run.
template <tile_key Key, class Target>
struct integer_tile {
    using vector = simd<float, Target>;
    using integers = simd<std::int8_t, Target>;
    using batch = typename vector::batch;
    using input = element_type<Key.in.type>;
    using second = element_type<Key.residual.type>;
    using output = element_type<Key.out.type>;
    using weight = std::int8_t;
    using context = requantizer<Target>;
    static constexpr int pixels = Key.rows * Key.columns;
    static constexpr int width = Key.vectors * vector::lanes;
    static constexpr int header = 8 * width;
    static constexpr int vector_bytes = dot_bytes * vector::lanes * Key.weight_bits / 8;
    static constexpr int row = vector_bytes * Key.vectors;
    static constexpr int run_dots = ceil_divide(Key.sum.inner.count, dot_bytes);
    static constexpr int rows = Key.sum.outer.count * Key.sum.middle.count * run_dots;
    static constexpr int panel_size = round_up(header + row * rows, 4);
    static_assert(Key.sum.inner.stride == 1 && Key.adds_bias && !Key.continues);

    [[gnu::always_inline]] static inline void run(const input* in, const weight* panel, const weight* ahead, [[maybe_unused]] const second* residual,
                                                  output* out, const context& finish) {
        const weight* const parameters = panel;
        typename integers::sums sums[pixels][Key.vectors];
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) {
            const auto first = integers::load_sums(reinterpret_cast<const std::int32_t*>(parameters + 4 * v * vector::lanes));
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p) sums[p][v] = first;
        }
        panel += header;
        for (int o = 0; o < Key.sum.outer.count; ++o)
            for (int m = 0; m < Key.sum.middle.count; ++m) {
                const input* terms = in + o * Key.sum.outer.stride + m * Key.sum.middle.stride;
#pragma GCC unroll 1
                for (int i = 0; i < run_dots; ++i) {
                    asm volatile("" ::: "memory");  // as in register_tile
                    typename integers::weights weights[Key.vectors];
#pragma GCC unroll 32
                    for (int v = 0; v < Key.vectors; ++v) weights[v] = integers::template load_weights<Key.weight_bits>(panel + v * vector_bytes);
                    if constexpr (Key.ahead_bytes > 0) {
                        prefetch<Key.ahead_bytes>(ahead);
                        ahead += Key.ahead_bytes;
                    }
#pragma GCC unroll 32
                    for (int p = 0; p < pixels; ++p) {
                        const auto x = integers::load_pixel(terms + tile_offset(Key, Key.in, p));
#pragma GCC unroll 32
                        for (int v = 0; v < Key.vectors; ++v) sums[p][v] = integers::dot(x, weights[v], sums[p][v]);
                    }
                    panel += row;
                    terms += dot_bytes;
                }
            }
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) {
            const batch multiplier = vector::load(reinterpret_cast<const float*>(parameters + 4 * (width + v * vector::lanes)));
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p) {
                if (v < Key.vectors - 1) store<vector::lanes>(sums[p][v], multiplier, residual, out, p, v, finish);
                else store<Key.last_lanes>(sums[p][v], multiplier, residual, out, p, v, finish);
            }
        }
    }

private:
    template <int Lanes>
    [[gnu::always_inline]] static inline void store(typename integers::sums sum, batch multiplier, [[maybe_unused]] const second* residual, output* out,
                                                    int p, int v, const context& finish) {
        batch y = vector::rounded(vector::multiply(integers::to_float(sum), multiplier));
        if constexpr (Key.adds_residual)
            y = vector::add(y, finish.second(load_elements<Lanes, Target>(residual + tile_offset(Key, Key.residual, p) + v * vector::lanes)));
        finish.template store<Lanes>(out + tile_offset(Key, Key.out, p) + v * vector::lanes, y);
    }
};

/// The micro-kernel for the elements that a tile reads.
template <tile_key Key, class Target>
using tile_for = std::conditional_t<is_quantized(Key.in.type), integer_tile<Key, Target>, register_tile<Key, Target>>;

}  // namespace dlas
