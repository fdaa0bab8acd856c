// Plain C++: any CPU, and the fallback of microcontrollers. Hardware.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include <dlas/core/element.hpp>
#include <dlas/core/policy.hpp>
#include <dlas/hardware/bit_products.hpp>
#include <dlas/hardware/plain_halves.hpp>
#include <dlas/hardware/plain_integers.hpp>
#include <dlas/hardware/simd.hpp>

namespace dlas {

/// A CPU of which nothing is assumed. Other targets inherit its facts and override what they have more of.
struct scalar {
    static constexpr policy_kind kind = policy_kind::target;
    static constexpr std::string_view name = "scalar";
    static constexpr std::string_view compile_flags = "";
    static constexpr int vector_bytes = 4;
    static constexpr int vector_registers = 12;
    static constexpr bool fused_multiply_add = false;
    static constexpr int l1_bytes = 32 * 1024;
    static constexpr int l2_bytes = 256 * 1024;
    static constexpr element quantized_element = element::s8;
    static constexpr bool adds_pairs = false;  ///< adds neighbouring products of bytes in 16 bits, which saturate (see pair_products)
    static constexpr bool byte_dots = false;  ///< has an instruction for dot products of four bytes
    static constexpr bool bf16_dots = false;  ///< has dot products of pairs of bf16
    static constexpr bool f16_sums = false;   ///< multiplies and adds halves without widening them
    static constexpr int dots_at_once = 1;    ///< dot products that one instruction sums up for each output
    static constexpr int near_bytes = l2_bytes;  ///< a feature map of fewer bytes is written and read again at little cost
    static constexpr int prefetch_bytes = 0;  ///< how far ahead kernels ask for weights; 0: never

    static bool available() { return true; }
};

template <>
struct simd<float, scalar> {
    using batch = float;
    static constexpr int lanes = 1;

    static batch load(const float* from) { return *from; }
    template <int N>
    static batch load_first(const float* from) {
        return *from;
    }
    static void store(float* to, batch value) { *to = value; }
    template <int N>
    static void store_first(float* to, batch value) {
        *to = value;
    }
    static batch broadcast(float value) { return value; }
    static batch add(batch a, batch b) { return a + b; }
    static batch subtract(batch a, batch b) { return a - b; }
    static batch multiply(batch a, batch b) { return a * b; }
    static batch multiply_add(batch a, batch b, batch c) { return a * b + c; }
    static batch rounded(batch x) { return kept_rounded(x); }
    static batch max(batch a, batch b) { return a < b ? b : a; }
    static batch min(batch a, batch b) { return b < a ? b : a; }
    static batch divide(batch a, batch b) { return a / b; }
    static unsigned above(batch x, batch limit) { return x > limit; }
    static batch clamp(batch x, batch limit) { return max(min(limit, x), -limit); }
    static batch round_product(batch a, batch b, batch& power) {
        const float product = a * b;
        const auto nearest = static_cast<std::int32_t>(product < 0 ? product - 0.5f : product + 0.5f);
        power = std::bit_cast<float>((nearest + 127) << 23);
        return static_cast<float>(nearest);
    }
};

template <>
struct simd<std::int8_t, scalar> : plain_integers<scalar> {};
template <>
struct simd<std::int16_t, scalar> : plain_shorts<scalar> {};
template <>
struct simd<f16_value, scalar> : plain_halves<f16_value, scalar> {};
template <>
struct simd<bf16_value, scalar> : plain_halves<bf16_value, scalar> {};

}  // namespace dlas
