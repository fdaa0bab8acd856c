// What a feature map is made of, and what its integers stand for. Core: words that every layer of the stack uses.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace dlas {

/// The elements of a feature map in memory.
enum class element : std::uint8_t {
    f32,
    f16,  ///< IEEE half precision
    bf16, ///< the upper half of a float
    s8,  ///< quantized, -128 to 127
    u8,  ///< the same plus 128: for instructions that take one operand without a sign
    s16, ///< quantized, -32767 to 32767
    s32, ///< sums, within a kernel
};

constexpr bool is_quantized(element type) { return type == element::s8 || type == element::u8 || type == element::s16; }
constexpr int element_bytes(element type) {
    if (type == element::f32 || type == element::s32) return 4;
    return type == element::s8 || type == element::u8 ? 1 : 2;
}
/// What stands in memory for the quantized value 0.
constexpr int stored_offset(element type) { return type == element::u8 ? 128 : 0; }

/// Half precision in memory. Conversions round to nearest, ties to even.
struct f16_value {
    std::uint16_t bits = 0;
    constexpr bool operator==(const f16_value&) const = default;
};
/// The upper half of a float in memory.
struct bf16_value {
    std::uint16_t bits = 0;
    constexpr bool operator==(const bf16_value&) const = default;
};

// Inlined always, for units of several ISAs include them.
[[gnu::always_inline]] constexpr float to_float(bf16_value x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16); }
[[gnu::always_inline]] constexpr float to_float(f16_value x) {
    const std::uint32_t sign = (x.bits & 0x8000u) << 16, rest = (x.bits & 0x7fffu) << 13;
    if (rest >= 0x7c00u << 13) return std::bit_cast<float>(sign | 0x7f800000u | rest);  // infinite, or not a number
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) * 0x1p112f));
}
[[gnu::always_inline]] constexpr bf16_value to_bf16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (x != x) return {static_cast<std::uint16_t>((bits >> 16) | 0x40u)};
    return {static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}
[[gnu::always_inline]] constexpr f16_value to_f16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t sign = (bits >> 16) & 0x8000u, rest = bits & 0x7fffffffu;
    if (x != x) return {static_cast<std::uint16_t>(sign | 0x7e00u | ((rest >> 13) & 0x1ffu))};
    if (rest >= 0x47800000u) return {static_cast<std::uint16_t>(sign | 0x7c00u)};
    // Below 2^-14 the last bit of the result is worth 2^-24, as that of a float next to 1/2 is.
    if (rest < 0x38800000u) return {static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) + 0.5f) - 0x3f000000u))};
    return {static_cast<std::uint16_t>(sign | ((rest - 0x38000000u + 0xfffu + ((rest >> 13) & 1u)) >> 13))};
}

namespace elements {
template <element Type>
struct stored {
    using type = float;
};
template <>
struct stored<element::f16> {
    using type = f16_value;
};
template <>
struct stored<element::bf16> {
    using type = bf16_value;
};
template <>
struct stored<element::s8> {
    using type = std::int8_t;
};
template <>
struct stored<element::u8> {
    using type = std::uint8_t;
};
template <>
struct stored<element::s16> {
    using type = std::int16_t;
};
template <>
struct stored<element::s32> {
    using type = std::int32_t;
};
}  // namespace elements

template <element Type>
using element_type = typename elements::stored<Type>::type;

/// A number as floating-point elements of a type hold it.
template <element Type>
[[gnu::always_inline]] constexpr element_type<Type> rounded_to(float x) {
    if constexpr (Type == element::f16) return to_f16(x);
    else if constexpr (Type == element::bf16) return to_bf16(x);
    else return x;
}

/// The bits that a weight of so many takes in memory: of one to four a byte has room for several.
constexpr int stored_weight_bits(int bits) { return bits == 16 ? 16 : bits > 4 ? 8 : bits > 2 ? 4 : bits; }

/// What quantized values may be.
constexpr int quantized_lowest(element type) { return type == element::s16 ? -32767 : -128; }
constexpr int quantized_highest(element type) { return type == element::s16 ? 32767 : 127; }

/// What the integers of a feature map stand for: real = scale * (q - zero), q as its elements may be. Of 16 bits, zero is 0.
struct quantization {
    float scale = 1;
    int zero = 0;

    constexpr bool operator==(const quantization&) const = default;
};

/// The integer nearest to a real value, halves away from zero; what lies beyond is -128 or 127.
[[gnu::always_inline]] constexpr std::int8_t quantized_value(float real, const quantization& q) {
    const float steps = real / q.scale;
    if (!(steps > -1000.0f)) return -128;
    if (steps > 1000.0f) return 127;
    const int rounded = static_cast<int>(steps < 0 ? steps - 0.5f : steps + 0.5f) + q.zero;
    return static_cast<std::int8_t>(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
}

}  // namespace dlas
