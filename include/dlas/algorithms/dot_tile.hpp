// The micro-kernel of convolutions of bytes, and of bf16 where a target multiplies pairs of them: as register_tile.hpp's, with dot products
// in place of multiply-adds. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/dot_panels.hpp>
#include <dlas/algorithms/requantize.hpp>
#include <dlas/algorithms/tiling.hpp>

namespace dlas {

/// Instructions for one dot product of every tile of a rows x columns output: what widening costs is shared by a pixel's vectors and a
/// vector's pixels.
template <class Target>
constexpr double dot_tiling_cost(tiling t, extent map, int channels) {
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
consteval tiling choose_dot_tiling(extent map, int channels) {
    const int vectors = ceil_divide(channels, float_lanes<Target>);
    tiling best;
    double best_cost = dot_tiling_cost<Target>(best, map, channels);
    for (int rows = 1; rows <= 4 && rows <= map.height; ++rows)
        for (int columns = 1; columns <= 28 && columns <= map.width; ++columns)
            for (int v = 1; v <= 4 && v <= vectors; ++v) {
                const tiling t = {rows, columns, v};
                const int operands = Target::dot_registers > 0 ? 2 * v + Target::dot_registers : v + 1;
                if (rows * columns * v + operands > Target::vector_registers) break;
                const double cost = dot_tiling_cost<Target>(t, map, channels);
                if (cost < best_cost * 0.999) {
                    best = t;
                    best_cost = cost;
                }
            }
    return best;
}

/// Turns the sums of a pixel's vector of channels into output elements.
template <tile_key Key, int Lanes, class Target, class Sums, class Context>
[[gnu::always_inline]] inline void finish_dots(Sums sums, [[maybe_unused]] typename simd<float, Target>::batch multiplier,
                                               [[maybe_unused]] const element_type<Key.residual.type>* residual, element_type<Key.out.type>* out,
                                               int p, int v, [[maybe_unused]] const Context& finish,
                                               [[maybe_unused]] const activation_function<Key.function, simd<float, Target>>& activate) {
    using vector = simd<float, Target>;
    if constexpr (Key.out.type == element::s32) {
        static_assert(Lanes == vector::lanes && !Key.adds_residual, "[dlas] dot_tile: sums are stored as whole vectors");
        simd<std::int8_t, Target>::store_sums(out + tile_offset(Key, Key.out, p) + v * vector::lanes, sums);
    } else if constexpr (is_quantized(Key.in.type)) {
        typename vector::batch y = vector::rounded(vector::multiply(simd<std::int8_t, Target>::to_float(sums), multiplier));
        if constexpr (Key.adds_residual)
            y = vector::add(y, finish.second(load_elements<Lanes, Target>(residual + tile_offset(Key, Key.residual, p) + v * vector::lanes)));
        finish.template store<Lanes>(out + tile_offset(Key, Key.out, p) + v * vector::lanes, y);
    } else {
        finish_floats<Key, Lanes, Target>(sums, residual, out, p, v, activate);
    }
}

/// Computes one tile. Of bytes it reads up to three beyond the end of a run.
template <tile_key Key, class Target>
struct dot_tile : dot_tile_base<Key, Target> {
    using base = dot_tile_base<Key, Target>;
    using base::header, base::integers, base::panels, base::pixels, base::row, base::width;
    using typename base::input, typename base::output, typename base::second, typename base::weight;
    using vector = simd<float, Target>;
    using dots = simd<std::conditional_t<Key.in.type == element::s16, std::int16_t, std::conditional_t<base::integers, std::int8_t, bf16_value>>, Target>;
    using batch = typename vector::batch;
    static constexpr bool requantizes = base::integers && Key.out.type != element::s32;
    using context = std::conditional_t<requantizes, requantizer<Target>, nothing>;
    using setting = nothing;

    [[gnu::always_inline]] static inline void run(const input* in, const weight* panel, const weight* ahead, [[maybe_unused]] const second* residual,
                                                  output* out, const context& finish) {
        const weight* const parameters = panel;
        typename dots::sums sums[pixels][Key.vectors];
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) {
            const typename dots::sums first = first_sums(parameters + 4 * v * vector::lanes);
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
                    typename dots::weights weights[Key.vectors];
#pragma GCC unroll 32
                    for (int v = 0; v < Key.vectors; ++v) weights[v] = dots::template load_weights<panels.bits>(panel + v * vector_bytes);
                    if constexpr (Key.ahead_bytes > 0) {
                        prefetch<Key.ahead_bytes>(ahead);
                        ahead += Key.ahead_bytes;
                    }
#pragma GCC unroll 32
                    for (int p = 0; p < pixels; ++p) {
                        const auto x = load_pixel(terms + tile_offset(Key, Key.in, p), i);
#pragma GCC unroll 32
                        for (int v = 0; v < Key.vectors; ++v) sums[p][v] = dots::dot(x, weights[v], sums[p][v]);
                    }
                    panel += row;
                    terms += panels.terms;
                }
            }
        const activation_function<Key.function, vector> activate;
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) {
            batch multiplier = {};
            if constexpr (requantizes) multiplier = vector::load(reinterpret_cast<const float*>(parameters + 4 * (width + v * vector::lanes)));
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p) {
                if (v < Key.vectors - 1)
                    finish_dots<Key, vector::lanes, Target>(sums[p][v], multiplier, residual, out, p, v, finish, activate);
                else
                    finish_dots<Key, Key.last_lanes, Target>(sums[p][v], multiplier, residual, out, p, v, finish, activate);
            }
        }
    }

private:
    static constexpr int run_dots = panels.run_dots();

    [[gnu::always_inline]] static inline typename dots::sums first_sums([[maybe_unused]] const weight* biases) {
        if constexpr (!integers) return dots::load_sums(reinterpret_cast<const float*>(biases));
        else if constexpr (Key.adds_bias) return simd<std::int8_t, Target>::load_sums(reinterpret_cast<const std::int32_t*>(biases));
        else return typename dots::sums{};
    }

    static constexpr int vector_bytes = row / Key.vectors;

    /// What is beyond half a pair may be no number.
    [[gnu::always_inline]] static inline auto load_pixel(const input* from, [[maybe_unused]] int dot) {
        if constexpr (!integers && Key.sum.inner.count % 2 != 0)
            if (dot == run_dots - 1) return dots::load_last(from);
        return dots::load_pixel(from);
    }
};

}  // namespace dlas
