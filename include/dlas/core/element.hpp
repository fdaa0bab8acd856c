// What a feature map is made of, and what its integers stand for. Core: words that every layer of the stack uses.
#pragma once

#include <cstdint>
#include <type_traits>

namespace dlas {

/// The elements of a feature map in memory.
enum class element : std::uint8_t {
    f32,
    s8,  ///< quantized, -128 to 127
    u8,  ///< the same plus 128: for instructions that take one operand without a sign
};

constexpr int element_bytes(element type) { return type == element::f32 ? 4 : 1; }
constexpr bool is_quantized(element type) { return type != element::f32; }
/// What stands in memory for the quantized value 0.
constexpr int stored_offset(element type) { return type == element::u8 ? 128 : 0; }

template <element Type>
using element_type = std::conditional_t<Type == element::f32, float, std::conditional_t<Type == element::u8, std::uint8_t, std::int8_t>>;

/// What the integers of a feature map stand for: real = scale * (q - zero), q from -128 to 127.
struct quantization {
    float scale = 1;
    int zero = 0;

    constexpr bool operator==(const quantization&) const = default;
};

}  // namespace dlas
