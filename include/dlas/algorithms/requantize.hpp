// From sums to the integers of the next feature map. Algorithms & Data Formats.
//   y = rounded(sum * multiplier [+ (second - second_zero) * second_scale]), clamped, plus the output's zero point
// Products and sums of floats are rounded one by one, never fused, so that every target computes the same bits.
#pragma once

#include <dlas/algorithms/kernel.hpp>

namespace dlas {

/// What the outputs of a step have in common. Stands before the packed weights of a quantized step; in units of the output's scale.
struct requantization {
    float low = 0;  ///< bounds of the result, before its zero point is added
    float high = 0;
    float first_scale = 0;  ///< of steps without weights
    float first_zero = 0;   ///< as stored
    float second_scale = 0;
    float second_zero = 0;  ///< as stored
    std::int32_t zero = 0;  ///< as stored
};

/// Bytes that the parameters take before the weights.
inline constexpr int requantization_bytes = 64;

/// Fills in what `in`, `second` and `out` are stored as. A float output has scale 1.
template <class Target>
requantization requantization_of(const quantized_parameters& p, element in, element second, element out, activation function) {
    requantization r;
    const float scale = is_quantized(out) ? p.output.scale : 1.0f;
    const float infinite = __builtin_huge_valf();
    r.low = function == activation::none ? -infinite : 0.0f;
    r.high = function == activation::relu6 ? 6.0f / scale : infinite;
    if (is_quantized(out)) {
        const auto lowest = static_cast<float>(quantized_lowest(out) - p.output.zero), highest = static_cast<float>(quantized_highest(out) - p.output.zero);
        if (r.low < lowest) r.low = lowest;
        if (r.high > highest) r.high = highest;
        r.zero = p.output.zero + stored_offset(out);
    }
    r.first_scale = is_quantized(in) ? p.input.scale / scale : 1.0f / scale;
    r.first_zero = is_quantized(in) ? static_cast<float>(p.input.zero + stored_offset(in)) : 0.0f;
    r.second_scale = is_quantized(second) ? p.second.scale / scale : 1.0f / scale;
    r.second_zero = is_quantized(second) ? static_cast<float>(p.second.zero + stored_offset(second)) : 0.0f;
    return r;
}

/// Writes the parameters of a step that has no others.
template <class Target>
void pack_requantization(const requantization& r, void* packed) {
    __builtin_memcpy(packed, &r, sizeof r);
}

/// A requantization in registers.
template <class Target>
struct requantizer {
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    batch low, high, first_scale, first_zero, second_scale, second_zero;
    std::int32_t zero;
    std::int32_t lowest;  ///< as stored

    explicit requantizer(const void* packed) {
        requantization r;
        __builtin_memcpy(&r, packed, sizeof r);
        low = vector::broadcast(r.low);
        high = vector::broadcast(r.high);
        first_scale = vector::broadcast(r.first_scale);
        first_zero = vector::broadcast(r.first_zero);
        second_scale = vector::broadcast(r.second_scale);
        second_zero = vector::broadcast(r.second_zero);
        zero = r.zero;
        lowest = r.low < 0 ? 0 : r.zero;
    }

    /// In units of the output.
    [[gnu::always_inline]] batch first(batch stored) const { return vector::rounded(vector::multiply(vector::subtract(stored, first_zero), first_scale)); }
    [[gnu::always_inline]] batch second(batch stored) const {
        return vector::rounded(vector::multiply(vector::subtract(stored, second_zero), second_scale));
    }

    template <int Lanes>
    [[gnu::always_inline]] void store(float* to, batch y) const {
        store_lanes<Lanes, vector>(to, clamped(y));
    }
    template <int Lanes>
    [[gnu::always_inline]] void store(typename simd<std::int8_t, Target>::byte* to, batch y) const {
        simd<std::int8_t, Target>::template store_bytes<Lanes>(to, clamped(y), zero);
    }
    template <int Lanes>
    [[gnu::always_inline]] void store(std::int16_t* to, batch y) const {
        simd<std::int16_t, Target>::template store_reals<Lanes>(to, clamped(y));  // its zero is 0
    }
    template <int Lanes>
        requires unsigned_bytes<Target>
    [[gnu::always_inline]] void store(std::int8_t* to, batch y) const {
        store_signed_bytes<Lanes, Target>(to, clamped(y), zero);
    }

    /// Four vectors of bytes at once, for store_part().
    [[gnu::always_inline]] auto bytes(const batch (&y)[4]) const {
        const batch bounded[4] = {vector::min(y[0], high), vector::min(y[1], high), vector::min(y[2], high), vector::min(y[3], high)};
        return simd<std::int8_t, Target>::narrowed(bounded, zero, lowest);
    }

private:
    [[gnu::always_inline]] batch clamped(batch y) const { return vector::min(vector::max(y, low), high); }
};

}  // namespace dlas
