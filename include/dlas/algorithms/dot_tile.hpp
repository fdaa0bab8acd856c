// The micro-kernel of convolutions of bytes, and of halves where a target multiplies pairs of them: as register_tile.hpp's, with dot products
// in place of multiply-adds. Algorithms & Data Formats.
#pragma once

#include <dlas/algorithms/dot_panels.hpp>
#include <dlas/algorithms/requantize.hpp>
#include <dlas/algorithms/tiling.hpp>

namespace dlas {

/// Dot products with weights of so many bits that are added in 16 bits before their sums have to be widened: the largest byte times the
/// largest weight, twice each. 0 where the target does not add pairs of products so, or these do not fit; where two do, widening each is less.
template <class Target>
constexpr int dots_in_pairs(int weight_bits) {
    const int fitting = Target::adds_pairs ? 32767 / (2 * 255 * (1 << (weight_bits - 1))) : 0;
    return fitting == 2 ? 1 : fitting;
}

/// Dot products of f16 that are added up in f16 before their sums are widened. Each addition rounds to 11 bits: longer sums lose more, shorter
/// ones cost more.
inline constexpr int dots_in_halves = 32;

/// Instructions for dot products of four bytes, and the registers that they need beside the sums.
struct dot_cost {
    double dot = 1;
    double pixel = 1;   ///< to load one for all vectors of a tile
    double vector = 1;  ///< to load its weights, and unpack them where they have few bits, for all pixels
    int registers = 1;  ///< beside those of the weights
};
template <class Target>
constexpr dot_cost cost_of_dots(int weight_bits) {
    const int in_pairs = dots_in_pairs<Target>(weight_bits);
    if (in_pairs == 0) return {};
    return {in_pairs == 1 ? 3 : 2 + 4.0 / in_pairs, 1, stored_weight_bits(weight_bits) == 8 ? 1.0 : 6.0, 2};
}

/// The same of two numbers of 16 bits, where products and their sum are two instructions.
inline constexpr dot_cost cost_of_short_dots = {2, 1, 1, 2};

/// The cheapest tile whose sums and operands fit the target's registers.
template <class Target>
consteval tiling choose_dot_tiling(extent map, int channels, dot_cost cost) {
    const int vectors = ceil_divide(channels, float_lanes<Target>);
    auto instructions = [&](int pixels, int v) { return pixels * v * cost.dot + pixels * cost.pixel + v * cost.vector + 2; };
    tiling best;
    double best_total = 1e300;
    for (int rows = 1; rows <= 4 && rows <= map.height; ++rows)
        for (int columns = 1; columns <= 28 && columns <= map.width; ++columns)
            for (int v = 1; v <= 4 && v <= vectors; ++v) {
                const int pixels = rows * columns;
                if (pixels * v + v + cost.registers > Target::vector_registers) break;
                double total = panel_cut{vectors, v}.total([&](int width) { return instructions(pixels, width); });
                total *= ceil_divide(map.height, rows) * ceil_divide(map.width, columns);
                if (total < best_total * 0.999) {
                    best = {rows, columns, v};
                    best_total = total;
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

/// Whether finish_four() can store the outputs of a tile.
template <tile_key Key, class Target>
constexpr bool finishes_four = narrows_four<Target> && is_quantized(Key.in.type) && Key.out.type == Target::quantized_element;

/// The same for four vectors at once, which takes fewer instructions: for the first `Count` of them, the first one of which is the
/// `First`th where those of a pixel follow each other, and pixels, too.
template <tile_key Key, int First, int Count, class Target, class Sums>
[[gnu::always_inline]] inline void finish_four(const Sums (&sums)[4], const typename simd<float, Target>::batch (&multipliers)[Key.vectors],
                                               [[maybe_unused]] const element_type<Key.residual.type>* residual, element_type<Key.out.type>* out,
                                               const requantizer<Target>& finish) {
    using vector = simd<float, Target>;
    using bytes = simd<std::int8_t, Target>;
    constexpr auto lanes_of = [](int i) { return (First + i) % Key.vectors < Key.vectors - 1 ? vector::lanes : Key.last_lanes; };
    constexpr auto offset_of = [](placement map, int i) {
        return tile_offset(Key, map, (First + i) / Key.vectors) + (First + i) % Key.vectors * vector::lanes;
    };
    constexpr auto together = [=](int i, int count) {  // whole vectors of one pixel
        if (i + count > Count || (First + i) / Key.vectors != (First + i + count - 1) / Key.vectors) return false;
        return lanes_of(i + count - 1) == vector::lanes;
    };
    typename vector::batch y[4] = {};
    const auto scale = [&]<int I>() __attribute__((always_inline)) {
        y[I] = vector::multiply(bytes::to_float(sums[I]), multipliers[(First + I) % Key.vectors]);
        if constexpr (Key.adds_residual)
            y[I] = vector::add(vector::rounded(y[I]), finish.second(load_elements<lanes_of(I), Target>(residual + offset_of(Key.residual, I))));
    };
    for_each_index<Count>(scale);

    const auto stored = finish.bytes(y);
    const auto store = [&]<int I, int Bytes>() __attribute__((always_inline)) {
        bytes::template store_part<I, Bytes>(out + offset_of(Key.out, I), stored);
    };
    const auto store_two = [&]<int I>() __attribute__((always_inline)) {
        if constexpr (together(I, 2)) {
            store.template operator()<I, 2 * vector::lanes>();
        } else {
            if constexpr (I < Count) store.template operator()<I, lanes_of(I)>();
            if constexpr (I + 1 < Count) store.template operator()<I + 1, lanes_of(I + 1)>();
        }
    };
    if constexpr (together(0, 4)) {
        store.template operator()<0, 4 * vector::lanes>();
    } else {
        store_two.template operator()<0>();
        store_two.template operator()<2>();
    }
}

/// Computes one tile. Of bytes it reads up to three beyond the end of a run.
template <tile_key Key, class Target>
struct dot_tile : dot_tile_base<Key, Target> {
    using base = dot_tile_base<Key, Target>;
    using base::header, base::integers, base::panels, base::pixels, base::row, base::width;
    using typename base::input, typename base::output, typename base::second, typename base::weight;
    using vector = simd<float, Target>;
    using dots = simd<std::conditional_t<element_bytes(Key.in.type) == 1, std::int8_t, element_type<Key.in.type>>, Target>;
    static constexpr bool adds_bytes = element_bytes(Key.in.type) == 1 && dots_in_pairs<Target>(Key.weight_bits) > 0;
    /// Dot products that are added up before their sums are widened; 0: none has to be.
    static constexpr int until_widened = adds_bytes ? dots_in_pairs<Target>(Key.weight_bits) : Key.in.type == element::f16 ? dots_in_halves : 0;
    using products = std::conditional_t<adds_bytes, pair_products<Target>, dots>;  ///< what multiplies
    using batch = typename vector::batch;
    static constexpr bool requantizes = base::integers && Key.out.type != element::s32;
    using context = std::conditional_t<requantizes, requantizer<Target>, nothing>;
    using setting = nothing;
    using unfinished = nothing;

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
                if constexpr (until_widened <= 1) {
#pragma GCC unroll 1
                    for (int i = 0; i < run_dots; ++i) add_dots(sums, terms, i, panel, ahead);
                } else {
#pragma GCC unroll 1
                    for (int first = 0; first < run_dots; first += until_widened) {
                        const int end = first + until_widened < run_dots ? first + until_widened : run_dots;
                        typename products::pairs pairs[pixels][Key.vectors] = {};
#pragma GCC unroll 1
                        for (int i = first; i < end; ++i) add_dots(pairs, terms, i, panel, ahead);
#pragma GCC unroll 32
                        for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 32
                            for (int v = 0; v < Key.vectors; ++v) sums[p][v] = products::widen(pairs[p][v], sums[p][v]);
                    }
                }
            }
        if constexpr (finishes_four<Key, Target>) finish_fours<0>(sums, parameters, residual, out, *kept_in_memory(&finish));
        else finish_each(sums, parameters, residual, out, finish);
    }

private:
    static constexpr int run_dots = panels.run_dots();
    using tile_sums = typename dots::sums[pixels][Key.vectors];

    [[gnu::always_inline]] static inline void finish_each(const tile_sums& sums, [[maybe_unused]] const weight* parameters, const second* residual,
                                                          output* out, const context& finish) {
        const activation_function<Key.function, vector> activate;
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) {
            batch multiplier = {};
            if constexpr (requantizes) multiplier = vector::load(base::multiplier_of(parameters, v));
#pragma GCC unroll 32
            for (int p = 0; p < pixels; ++p) {
                if (v < Key.vectors - 1)
                    finish_dots<Key, vector::lanes, Target>(sums[p][v], multiplier, residual, out, p, v, finish, activate);
                else
                    finish_dots<Key, Key.last_lanes, Target>(sums[p][v], multiplier, residual, out, p, v, finish, activate);
            }
        }
    }

    template <int First>
    [[gnu::always_inline]] static inline void finish_fours(const tile_sums& sums, const weight* parameters, const second* residual, output* out,
                                                           const context& finish) {
        constexpr int all = pixels * Key.vectors, count = all - First < 4 ? all - First : 4;
        batch multipliers[Key.vectors];
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) multipliers[v] = vector::load(base::multiplier_of(parameters, v));
        typename dots::sums four[4] = {};
#pragma GCC unroll 4
        for (int i = 0; i < count; ++i) four[i] = sums[(First + i) / Key.vectors][(First + i) % Key.vectors];
        finish_four<Key, First, count>(four, multipliers, residual, out, finish);
        if constexpr (First + 4 < all) finish_fours<First + 4>(sums, parameters, residual, out, finish);
    }

    [[gnu::always_inline]] static inline typename dots::sums first_sums([[maybe_unused]] const weight* biases) {
        if constexpr (!integers) return dots::load_sums(reinterpret_cast<const float*>(biases));
        else if constexpr (Key.adds_bias) return simd<std::int8_t, Target>::load_sums(reinterpret_cast<const std::int32_t*>(biases));
        else return typename dots::sums{};
    }

    static constexpr int vector_bytes = row / Key.vectors;

    /// One dot product of each pixel and channel, to sums or to what `products` makes pairs of.
    template <class Sum>
    [[gnu::always_inline]] static inline void add_dots(Sum (&sums)[pixels][Key.vectors], const input*& terms, int dot, const weight*& panel,
                                                       [[maybe_unused]] const weight*& ahead) {
        asm volatile("" ::: "memory");  // as in register_tile
        typename products::weights weights[Key.vectors];
#pragma GCC unroll 32
        for (int v = 0; v < Key.vectors; ++v) weights[v] = products::template load_weights<panels.bits>(panel + v * vector_bytes);
        if constexpr (Key.ahead_bytes > 0) {
            prefetch<Key.ahead_bytes>(ahead);
            ahead += Key.ahead_bytes;
        }
#pragma GCC unroll 32
        for (int p = 0; p < pixels; ++p) {
            const auto x = load_pixel(terms + tile_offset(Key, Key.in, p), dot);
#pragma GCC unroll 32
            for (int v = 0; v < Key.vectors; ++v) {
                if constexpr (until_widened == 0) sums[p][v] = dots::dot(x, weights[v], sums[p][v]);
                else if constexpr (until_widened == 1) sums[p][v] = products::widen(products::multiply(x, weights[v]), sums[p][v]);
                else sums[p][v] = products::multiply_add(x, weights[v], sums[p][v]);
            }
        }
        panel += row;
        terms += panels.terms;
    }

    /// What is beyond half a pair may be no number.
    [[gnu::always_inline]] static inline auto load_pixel(const input* from, [[maybe_unused]] int dot) {
        if constexpr (!integers && Key.sum.inner.count % 2 != 0)
            if (dot == run_dots - 1) return dots::load_last(from);
        return products::load_pixel(from);
    }
};

}  // namespace dlas
