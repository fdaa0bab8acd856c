// What the tests of fixed-point scaling get from units of other flags, and the pools and sums among it.
#pragma once

#include <array>
#include <span>
#include <utility>

#include <dlas/algorithms/fixed_point.hpp>

#include "../sanitized.hpp"
#include "fixed_point_layers.hpp"

namespace fixed_point {

using dlas::activation;
using dlas::placement;
using dlas::scaling;
using dlas::shape;
using fixed_point_layers::fixed_kernel;

constexpr placement dense(shape map) { return {map.width * map.channels, map.channels, dlas::element::s8}; }
constexpr placement sparse(shape map, int gap, int margin) { return {(map.width + margin) * (map.channels + gap), map.channels + gap, dlas::element::s8}; }

constexpr dlas::pool2d_key dense_pool(const dlas::pool2d_layer& layer) { return {layer, dense(layer.in), dense(layer.out())}; }
constexpr dlas::pool2d_key sparse_pool(const dlas::pool2d_layer& layer) { return {layer, sparse(layer.in, 3, 2), sparse(layer.out(), 1, 1)}; }

inline constexpr dlas::pool2d_key pools[] = {
    dense_pool({.in = {1, 1, 1}, .kernel = 1, .stride = 1}),
    dense_pool({.in = {7, 5, 3}}),
    dense_pool({.in = {9, 9, 17}, .kernel = 3, .stride = 2, .padding = 1}),
    sparse_pool({.in = {6, 11, 5}, .kernel = {2, 4}, .stride = {1, 3}, .padding = {0, 1, 2, 0}}),
    dense_pool({.in = {8, 6, 16}, .maximum = false}),
    dense_pool({.in = {7, 5, 31}, .kernel = 3, .stride = 2, .padding = 1, .maximum = false}),
    dense_pool({.in = {7, 5, 31}, .kernel = 3, .stride = 2, .padding = 1, .maximum = false, .count_padding = false}),
    sparse_pool({.in = {7, 8, 9}, .kernel = 4, .stride = 2, .padding = {1, 3, 0, 2}, .maximum = false}),
    sparse_pool({.in = {7, 8, 9}, .kernel = 4, .stride = 2, .padding = {1, 3, 0, 2}, .maximum = false, .count_padding = false}),
    dense_pool({.in = {25, 5, 4}, .kernel = {25, 5}, .stride = 1, .maximum = false}),
};

/// A sum of two maps and how it is scaled.
struct sum_key {
    dlas::elementwise_key key;
    scaling way = scaling::fixed_once;
};
constexpr sum_key dense_sum(shape map, activation after, scaling way) {
    return {{map, dense(map), dense(map), dense(map), dlas::elementwise::add, after}, way};
}
constexpr sum_key sparse_sum(shape map, activation after, scaling way) {
    return {{map, sparse(map, 5, 1), sparse(map, 2, 2), sparse(map, 1, 3), dlas::elementwise::add, after}, way};
}
inline constexpr sum_key sums[] = {
    dense_sum({1, 1, 1}, activation::none, scaling::fixed_once),     dense_sum({3, 5, 7}, activation::relu, scaling::fixed_once),
    dense_sum({4, 3, 33}, activation::none, scaling::fixed_once),    sparse_sum({3, 3, 5}, activation::relu6, scaling::fixed_once),
    dense_sum({1, 1, 1}, activation::relu6, scaling::fixed_twice),   dense_sum({3, 5, 7}, activation::none, scaling::fixed_twice),
    dense_sum({4, 3, 33}, activation::relu, scaling::fixed_twice),   sparse_sum({3, 3, 5}, activation::none, scaling::fixed_twice),
    dense_sum({1, 1, 1}, activation::none, scaling::power_of_two),   dense_sum({3, 5, 7}, activation::relu, scaling::power_of_two),
    dense_sum({4, 3, 33}, activation::relu6, scaling::power_of_two), sparse_sum({3, 3, 5}, activation::none, scaling::power_of_two),
};

struct pool_kernel {
    dlas::pool2d_key key;
    void (*pack)(const dlas::fixed_parameters&, void*) = nullptr;
    void (*run)(const dlas::kernel_arguments&) = nullptr;
};
struct sum_kernel {
    sum_key key;
    void (*pack)(const dlas::fixed_parameters&, void*) = nullptr;
    void (*run)(const dlas::kernel_arguments&) = nullptr;
};

/// words<Target>: scale `lanes` integers by their own scales, or (x - from_zero) * 2^bits by one.
using scaler_function = void(const std::int32_t* multipliers, const std::int32_t* shifts, std::int32_t zero, const std::int32_t* x, std::int32_t* y);
using factor_function = void(const dlas::fixed_scale& scale, std::int32_t from_zero, std::int32_t to_zero, const std::int32_t* x, std::int32_t* y);
struct word_functions {
    scaling way = scaling::fixed_once;
    bool above_zero = false;
    scaler_function* scaler = nullptr;
    factor_function* factor = nullptr;
    factor_function* factor_of_sums = nullptr;  ///< with bits = sum_bits
};

/// One target's kernels as plain data.
struct kernels {
    std::string_view target;
    std::span<const fixed_kernel> convolutions;
    std::span<const pool_kernel> pools;
    std::span<const sum_kernel> sums;
    int lanes = 1;
    std::array<word_functions, 4> words;
    void (*shifted)(const std::int32_t* left, const std::int32_t* right, const std::int32_t* x, std::int32_t* y) = nullptr;
    void (*saturated)(const std::int32_t* x, std::int8_t* y, int count) = nullptr;  ///< stores the first `count` bytes of a word
};

/// Defined by units compiled for the target.
template <class Target>
const kernels& compiled_kernels();

/// Those of one target: of the convolutions every `Step`th from `First` on. Bits and scalings follow their numbers: all of them have to be met.
template <class Target, int Step = 1, int First = 0>
struct compilation {
    using vector = dlas::words<Target>;
    using word = typename vector::word;

    static constexpr auto convolutions = []<int... I>(std::integer_sequence<int, I...>) {
        return std::array<fixed_kernel, sizeof...(I)>{fixed_point_layers::compiled_kernel<fixed_point_layers::layers[First + I * Step], Target>()...};
    }(std::make_integer_sequence<int, (fixed_point_layers::layers.size() - First + Step - 1) / Step>{});
    static_assert(Step > 3 || [] {
        bool scalings[3] = {}, bits[9] = {};
        for (int i = First; i < fixed_point_layers::layers.size(); i += Step) {
            scalings[static_cast<int>(fixed_point_layers::layers[i].way) - static_cast<int>(scaling::fixed_once)] = true;
            bits[fixed_point_layers::layers[i].weight_bits] = true;
        }
        return scalings[0] && scalings[1] && scalings[2] && bits[2] && bits[3] && bits[4] && bits[7] && bits[8];
    }());
    static constexpr auto pools = []<int... I>(std::integer_sequence<int, I...>) {
        using fixed_point::pools;
        return std::array<pool_kernel, sizeof...(I)>{
            pool_kernel{pools[I], &dlas::pack_fixed_parameters<Target>, &dlas::fixed_pool2d_kernel<pools[I], Target>::run}...};
    }(std::make_integer_sequence<int, static_cast<int>(std::size(fixed_point::pools))>{});
    static constexpr auto sums = []<int... I>(std::integer_sequence<int, I...>) {
        using fixed_point::sums;
        return std::array<sum_kernel, sizeof...(I)>{
            sum_kernel{sums[I], &dlas::pack_fixed_parameters<Target>, &dlas::fixed_add_kernel<sums[I].key, sums[I].way, Target>::run}...};
    }(std::make_integer_sequence<int, static_cast<int>(std::size(fixed_point::sums))>{});

    static void store(word x, std::int32_t* y) { __builtin_memcpy(y, &x, sizeof x); }
    template <scaling Way, bool AboveZero, int Bits>
    static void scale(const dlas::fixed_scale& scale, std::int32_t from_zero, std::int32_t to_zero, const std::int32_t* x, std::int32_t* y) {
        const typename vector::template factor<Way, Bits> factor(scale, from_zero, to_zero);
        store(factor.template apply<AboveZero>(vector::load(x)), y);
    }
    template <scaling Way, bool AboveZero>
    static constexpr word_functions functions() {
        return {Way, AboveZero,
                [](const std::int32_t* multipliers, const std::int32_t* shifts, std::int32_t zero, const std::int32_t* x, std::int32_t* y) {
                    const typename vector::template scaler<Way> scaler(multipliers, shifts, zero);
                    store(scaler.template apply<AboveZero>(vector::load(x)), y);
                },
                &scale<Way, AboveZero, 0>, &scale<Way, AboveZero, dlas::sum_bits>};
    }
    static void shift(const std::int32_t* left, const std::int32_t* right, const std::int32_t* x, std::int32_t* y) {
        store(vector::shifted_right(vector::shifted_left(vector::load(x), vector::load(left)), vector::load(right)), y);
    }
    static void store_saturated(const std::int32_t* x, std::int8_t* y, int count) {
        const word saturated = vector::saturated(vector::load(x));
        if (count == vector::lanes) vector::template store_bytes<true>(y, saturated, count);
        else vector::template store_bytes<false>(y, saturated, count);
    }

    static constexpr kernels all = {Target::name,
                                    convolutions,
                                    pools,
                                    sums,
                                    vector::lanes,
                                    {functions<scaling::fixed_once, false>(), functions<scaling::fixed_once, true>(),
                                     functions<scaling::fixed_twice, false>(), functions<scaling::fixed_twice, true>()},
                                    &shift,
                                    &store_saturated};
};

}  // namespace fixed_point
