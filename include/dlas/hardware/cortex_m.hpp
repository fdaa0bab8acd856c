// Arm's microcontrollers. Hardware. Their instructions are used where a file is compiled for them; elsewhere plain C++ computes the same
// bits from the same packed weights, so that a host can pack and try out a network for each of them.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__arm__)
#include <arm_acle.h>
#endif
#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

#include <dlas/hardware/byte_products.hpp>
#include <dlas/hardware/scalar.hpp>
#include <dlas/hardware/words.hpp>

namespace dlas {

/// Cortex-M0, M0+: no instruction beyond plain arithmetic.
struct cortex_m0 : scalar {
    static constexpr std::string_view name = "cortex_m0";
};
/// Cortex-M3: saturation and products of 64 bits.
struct cortex_m3 : scalar {
    static constexpr std::string_view name = "cortex_m3";
};
/// Cortex-M4: two products of 16 bits in one instruction.
struct cortex_m4 : cortex_m3 {
    static constexpr std::string_view name = "cortex_m4";
};
struct cortex_m7 : cortex_m4 {
    static constexpr std::string_view name = "cortex_m7";
};
struct cortex_m33 : cortex_m4 {
    static constexpr std::string_view name = "cortex_m33";
};
/// Cortex-M55: vectors of 16 bytes (Helium), of integers and of floats.
struct cortex_m55 : cortex_m3 {
    static constexpr std::string_view name = "cortex_m55";
    static constexpr int vector_bytes = 16;
    static constexpr int vector_registers = 8;
    static constexpr bool fused_multiply_add = true;
};

template <class Target> concept microcontroller = std::derived_from<Target, cortex_m0> || std::derived_from<Target, cortex_m3>;
template <class Target> concept has_dsp_instructions = std::derived_from<Target, cortex_m4>;

template <microcontroller Target>
struct simd<float, Target> : simd<float, scalar> {};

/// Four floats: Helium's where there are such, else one after the other. What Helium lacks is done lane by lane, too.
template <>
struct simd<float, cortex_m55> {
    static constexpr int lanes = 4;
    using one = simd<float, scalar>;
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)
    using batch = float32x4_t;

    static batch load(const float* from) { return vldrwq_f32(from); }
    static void store(float* to, batch x) { vstrwq_f32(to, x); }
    template <int N>
    static batch load_first(const float* from) {
        return vldrwq_z_f32(from, vctp32q(N));
    }
    template <int N>
    static void store_first(float* to, batch x) {
        vstrwq_p_f32(to, x, vctp32q(N));
    }
    static batch broadcast(float x) { return vdupq_n_f32(x); }
    static batch add(batch a, batch b) { return vaddq_f32(a, b); }
    static batch subtract(batch a, batch b) { return vsubq_f32(a, b); }
    static batch multiply(batch a, batch b) { return vmulq_f32(a, b); }
    static batch multiply_add(batch a, batch b, batch c) { return vfmaq_f32(c, a, b); }
    static batch max(batch a, batch b) { return vmaxnmq_f32(a, b); }
    static batch min(batch a, batch b) { return vminnmq_f32(a, b); }
    static batch rounded(batch x) {
        asm("" : "+w"(x));
        return x;
    }
#else
    struct batch {
        float lane[lanes];
    };

    static batch load(const float* from) { return load_first<lanes>(from); }
    static void store(float* to, batch x) { store_first<lanes>(to, x); }
    template <int N>
    static batch load_first(const float* from) {
        batch x = {};
        for (int i = 0; i < N; ++i) x.lane[i] = from[i];
        return x;
    }
    template <int N>
    static void store_first(float* to, batch x) {
        for (int i = 0; i < N; ++i) to[i] = x.lane[i];
    }
    static batch broadcast(float x) { return {{x, x, x, x}}; }
    static batch add(batch a, batch b) { return each(one::add, a, b); }
    static batch subtract(batch a, batch b) { return each(one::subtract, a, b); }
    static batch multiply(batch a, batch b) { return each(one::multiply, a, b); }
    static batch multiply_add(batch a, batch b, batch c) { return add(multiply(a, b), c); }
    static batch max(batch a, batch b) { return each(one::max, a, b); }
    static batch min(batch a, batch b) { return each(one::min, a, b); }
    static batch rounded(batch x) {
        for (float& lane : x.lane) lane = one::rounded(lane);
        return x;
    }
#endif
    static batch divide(batch a, batch b) { return each(one::divide, a, b); }
    static unsigned above(batch x, batch limit) {
        float lane[lanes], limits[lanes];
        store(lane, x);
        store(limits, limit);
        unsigned bits = 0;
        for (int i = 0; i < lanes; ++i) bits |= one::above(lane[i], limits[i]) << i;
        return bits;
    }
    static batch clamp(batch x, batch limit) { return max(min(limit, x), subtract(broadcast(0.0f), limit)); }
    static batch round_product(batch a, batch b, batch& power) {
        float x[lanes], y[lanes], powers[lanes];
        store(x, a);
        store(y, b);
        for (int i = 0; i < lanes; ++i) x[i] = one::round_product(x[i], y[i], powers[i]);
        power = load(powers);
        return load(x);
    }

private:
    template <class Function>
    static batch each(Function function, batch a, batch b) {
        float x[lanes], y[lanes];
        store(x, a);
        store(y, b);
        for (int i = 0; i < lanes; ++i) x[i] = function(x[i], y[i]);
        return load(x);
    }
};
template <microcontroller Target>
struct simd<std::int8_t, Target> : plain_integers<Target> {};
template <microcontroller Target>
struct simd<f16_value, Target> : plain_halves<f16_value, Target> {};
template <microcontroller Target>
struct simd<bf16_value, Target> : plain_halves<bf16_value, Target> {};

namespace cortex_m {

[[gnu::always_inline]] inline std::int32_t low_half(std::uint32_t x) { return static_cast<std::int16_t>(x); }
[[gnu::always_inline]] inline std::int32_t high_half(std::uint32_t x) { return static_cast<std::int32_t>(x) >> 16; }

[[gnu::always_inline]] inline std::int32_t saturate_byte(std::int32_t x) {
#if defined(__ARM_FEATURE_SAT)
    return __ssat(x, 8);
#else
    return x < -128 ? -128 : x > 127 ? 127 : x;
#endif
}

/// Signed bytes 0 and 2, or 1 and 3, as halves.
[[gnu::always_inline]] inline std::uint32_t even_bytes(std::uint32_t x) {
#if defined(__ARM_FEATURE_SIMD32)
    return static_cast<std::uint32_t>(__sxtb16(static_cast<int8x4_t>(x)));
#else
    return (static_cast<std::uint32_t>(static_cast<std::int8_t>(x)) & 0xffffu) | static_cast<std::uint32_t>(static_cast<std::int8_t>(x >> 16)) << 16;
#endif
}
[[gnu::always_inline]] inline std::uint32_t odd_bytes(std::uint32_t x) {
#if defined(__ARM_FEATURE_SIMD32)
    std::uint32_t halves;
    asm("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(x));  // g++ does not join the two
    return halves;
#else
    return even_bytes(std::rotr(x, 8));
#endif
}

/// s + low * low + high * high.
[[gnu::always_inline]] inline std::int32_t multiply_add_halves(std::uint32_t x, std::uint32_t y, std::int32_t s) {
#if defined(__ARM_FEATURE_SIMD32)
    asm("smlad %0, %1, %2, %0" : "+r"(s) : "r"(x), "r"(y));  // in place: g++ moves sums around otherwise
    return s;
#else
    return s + low_half(x) * low_half(y) + high_half(x) * high_half(y);
#endif
}
[[gnu::always_inline]] inline std::int32_t multiply_add_low(std::uint32_t x, std::uint32_t y, std::int32_t s) {
#if defined(__ARM_FEATURE_DSP)
    return __smlabb(static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), s);
#else
    return s + low_half(x) * low_half(y);
#endif
}
[[gnu::always_inline]] inline std::int32_t multiply_add_high(std::uint32_t x, std::uint32_t y, std::int32_t s) {
#if defined(__ARM_FEATURE_DSP)
    return __smlatt(static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), s);
#else
    return s + high_half(x) * high_half(y);
#endif
}

/// The upper half of a * b, rounded; and the same plus s, cut off.
[[gnu::always_inline]] inline std::int32_t multiply_high_rounded(std::int32_t a, std::int32_t b) {
#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_FEATURE_MVE)
    std::int32_t high;
    asm("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
#else
    return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 31)) >> 32);
#endif
}
[[gnu::always_inline]] inline std::int32_t multiply_high_add(std::int32_t a, std::int32_t b, std::int32_t s) {
#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_FEATURE_MVE)
    std::int32_t high;
    asm("smmla %0, %1, %2, %3" : "=r"(high) : "r"(a), "r"(b), "r"(s));
    return high;
#else
    return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b) >> 32) + s;
#endif
}

[[gnu::always_inline]] inline std::uint32_t load_word(const void* from) {
    std::uint32_t x;
    __builtin_memcpy(&x, from, 4);
    return x;
}

/// Four bytes to four halves each; what is left one by one.
[[gnu::always_inline]] inline void widen(const std::int8_t* from, std::int16_t* to, int count) {
    const int fours = count / 4 * 4;
    for (int i = 0; i < fours; i += 4) {
        const std::uint32_t bytes = load_word(from + i), even = even_bytes(bytes), odd = odd_bytes(bytes);
        const std::uint32_t halves[2] = {(even & 0xffffu) | odd << 16, even >> 16 | (odd & 0xffff0000u)};
        __builtin_memcpy(to + i, halves, 8);
    }
    for (int i = fours; i < count; ++i) to[i] = from[i];
}

}  // namespace cortex_m

template <has_dsp_instructions Target>
struct byte_products<Target, 8> {
    using value = std::int16_t;
    static constexpr int terms = 4;
    static constexpr int most_pixels = 8;
    static constexpr int channels = 1;
    static constexpr int unroll = 1;

    /// So that bytes 0 and 2 are the first two.
    static constexpr int position(int term) { return term == 1 ? 2 : term == 2 ? 1 : term; }
    struct pixel {
        std::uint32_t first, second;
    };
    using weights = pixel;
    using sum = std::int32_t;

    [[gnu::always_inline]] static void widen(const std::int8_t* from, value* to, int count) { cortex_m::widen(from, to, count); }
    template <bool Aligned>
    [[gnu::always_inline]] static pixel load_pixel(const value* from, int offset) {
#if defined(__ARM_FEATURE_SIMD32) && defined(__OPTIMIZE__)
        // Volatile, as it reads memory that it does not name. The instruction reaches 1020 bytes.
        if (pixel x; Aligned && __builtin_constant_p(offset) && offset >= 0 && offset <= 510) {
            asm volatile("ldrd %0, %1, [%2, %3]" : "=r"(x.first), "=r"(x.second) : "r"(from), "i"(offset * 2));
            return x;
        }
#endif
        return {cortex_m::load_word(from + offset), cortex_m::load_word(from + offset + 2)};
    }
    [[gnu::always_inline]] static weights load_weights(const std::int8_t* from) {
        const std::uint32_t bytes = cortex_m::load_word(from);
        return {cortex_m::even_bytes(bytes), cortex_m::odd_bytes(bytes)};
    }
    [[gnu::always_inline]] static sum start(std::int32_t bias) { return bias; }
    [[gnu::always_inline]] static sum dot(pixel x, weights w, sum s) {
        return cortex_m::multiply_add_halves(x.second, w.second, cortex_m::multiply_add_halves(x.first, w.first, s));
    }
    [[gnu::always_inline]] static std::int32_t total(sum s) { return s; }
};

/// Four bits at a time become the upper halves of bytes: sums are 16 times what they stand for.
template <has_dsp_instructions Target>
struct byte_products<Target, 4> : byte_products<Target, 8> {
    using typename byte_products<Target, 8>::pixel;
    using weights = pixel;

    static constexpr int position(int term) { return term ^ 1; }
    [[gnu::always_inline]] static weights load_weights(const std::int8_t* from) {
        std::uint16_t four;
        __builtin_memcpy(&four, from, 2);
        const std::uint32_t bytes = (four | static_cast<std::uint32_t>(four) << 20) & 0xf0f0f0f0u;
        return {cortex_m::even_bytes(bytes), cortex_m::odd_bytes(bytes)};
    }
    [[gnu::always_inline]] static std::int32_t start(std::int32_t bias) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) << 4); }
    [[gnu::always_inline]] static std::int32_t total(std::int32_t s) { return s >> 4; }
};

template <has_dsp_instructions Target>
struct channel_products<Target> {
    using value = std::int16_t;
    using weight = std::int16_t;
    static constexpr int lanes = 2;
    static constexpr int most_pixels = 4;
    using values = std::uint32_t;
    using weights = std::uint32_t;
    struct sums {
        std::int32_t first, second;
    };

    [[gnu::always_inline]] static void widen(const std::int8_t* from, value* to, int count) { cortex_m::widen(from, to, count); }
    [[gnu::always_inline]] static values load_values(const value* from) { return cortex_m::load_word(from); }
    [[gnu::always_inline]] static weights load_weights(const weight* from) { return cortex_m::load_word(from); }
    [[gnu::always_inline]] static sums start(const std::int32_t* biases) { return {biases[0], biases[1]}; }
    [[gnu::always_inline]] static sums multiply_add(values x, weights w, sums s) {
        return {cortex_m::multiply_add_low(x, w, s.first), cortex_m::multiply_add_high(x, w, s.second)};
    }
    template <int N>
    [[gnu::always_inline]] static std::int32_t total(sums s) {
        return N == 0 ? s.first : s.second;
    }
};

template <std::same_as<cortex_m3> Target>
struct words<Target> : plain_words<Target> {
    using word = std::int32_t;
    [[gnu::always_inline]] static word saturated(word x) { return cortex_m::saturate_byte(x); }
};

template <has_dsp_instructions Target>
struct words<Target> : plain_words<Target> {
    using word = std::int32_t;
    [[gnu::always_inline]] static word saturated(word x) { return cortex_m::saturate_byte(x); }

    template <scaling Scaling>
    struct scaler : plain_words<Target>::template scaler<Scaling> {
        word away;  ///< all ones where halves go away from zero

        [[gnu::always_inline]] scaler(const std::int32_t* multipliers, const std::int32_t* shifts, std::int32_t to_zero)
            : plain_words<Target>::template scaler<Scaling>(multipliers, shifts, to_zero), away(this->right > 0 ? -1 : 0) {}
        template <bool AboveZero>
        [[gnu::always_inline]] word apply(word x) const {
            const auto shifted = static_cast<word>(static_cast<std::uint32_t>(x) << this->left);
            if constexpr (Scaling == scaling::fixed_once)
                return (cortex_m::multiply_high_add(shifted, this->multiplier, this->rounding) >> this->right) + this->zero;
            word high = cortex_m::multiply_high_rounded(shifted, this->multiplier);
            if constexpr (!AboveZero) high += (high >> 31) & away;
            return ((high + this->rounding) >> this->right) + this->zero;
        }
    };

    template <scaling Scaling, int Bits>
    struct factor : plain_words<Target>::template factor<Scaling, Bits> {
        word away;

        [[gnu::always_inline]] factor(const fixed_scale& scale, std::int32_t from_zero, std::int32_t to_zero)
            : plain_words<Target>::template factor<Scaling, Bits>(scale, from_zero, to_zero), away(this->right > 0 ? -1 : 0) {}
        template <bool AboveZero>
        [[gnu::always_inline]] word apply(word x) const {
            const auto doubled = static_cast<word>(static_cast<std::uint32_t>(x) << (Bits + 1)) - this->start;
            if constexpr (Scaling == scaling::fixed_once)
                return (cortex_m::multiply_high_add(doubled, this->multiplier, this->rounding) >> this->right) + this->zero;
            word high = cortex_m::multiply_high_rounded(doubled, this->multiplier);
            if constexpr (!AboveZero) high += (high >> 31) & away;
            return ((high + this->rounding) >> this->right) + this->zero;
        }
    };
};

#if defined(__ARM_FEATURE_MVE)

namespace cortex_m {
[[gnu::always_inline]] inline void copy(const std::int8_t* from, std::int8_t* to, int count) {
    for (; count >= 16; count -= 16, from += 16, to += 16) vstrbq_s8(to, vldrbq_s8(from));
    if (count > 0) {
        const mve_pred16_t rest = vctp8q(static_cast<std::uint32_t>(count));
        vstrbq_p_s8(to, vldrbq_z_s8(from, rest), rest);
    }
}
}  // namespace cortex_m

template <std::same_as<cortex_m55> Target>
struct byte_products<Target, 8> {
    using value = std::int8_t;
    static constexpr int terms = 16;
    static constexpr int most_pixels = 2;
    static constexpr int channels = 4;
    static constexpr int unroll = 4;
    static constexpr int position(int term) { return term; }
    using pixel = int8x16_t;
    using weights = int8x16_t;
    using sum = std::int32_t;

    [[gnu::always_inline]] static void widen(const std::int8_t* from, value* to, int count) { cortex_m::copy(from, to, count); }
    template <bool Aligned>
    [[gnu::always_inline]] static pixel load_pixel(const value* from, int offset) {
        return vldrbq_s8(from + offset);
    }
    [[gnu::always_inline]] static weights load_weights(const std::int8_t* from) { return vldrbq_s8(from); }
    [[gnu::always_inline]] static sum start(std::int32_t bias) { return bias; }
    [[gnu::always_inline]] static sum dot(pixel x, weights w, sum s) { return vmladavaq_s8(s, x, w); }
    [[gnu::always_inline]] static std::int32_t total(sum s) { return s; }
};

template <std::same_as<cortex_m55> Target>
struct channel_products<Target> {
    using value = std::int8_t;
    using weight = std::int8_t;
    static constexpr int lanes = 4;
    static constexpr int most_pixels = 3;
    using values = int32x4_t;
    using weights = int32x4_t;
    using sums = int32x4_t;

    [[gnu::always_inline]] static void widen(const std::int8_t* from, value* to, int count) { cortex_m::copy(from, to, count); }
    [[gnu::always_inline]] static values load_values(const value* from) { return vldrbq_s32(from); }
    [[gnu::always_inline]] static weights load_weights(const weight* from) { return vldrbq_s32(from); }
    [[gnu::always_inline]] static sums start(const std::int32_t* biases) { return vldrwq_s32(biases); }
    [[gnu::always_inline]] static sums multiply_add(values x, weights w, sums s) { return vaddq_s32(s, vmulq_s32(x, w)); }
    template <int N>
    [[gnu::always_inline]] static sums total(sums s) {
        return s;
    }
};

template <>
struct words<cortex_m55> {
    using word = int32x4_t;
    static constexpr int lanes = 4;

    [[gnu::always_inline]] static word load(const std::int32_t* from) { return vldrwq_s32(from); }
    [[gnu::always_inline]] static word from(const std::int32_t (&x)[lanes]) {
        word all;  // g++ would go through memory
        asm("vmov %e0, %1, %2\n\tvmov %f0, %3, %4" : "=&w"(all) : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]));
        return all;
    }
    [[gnu::always_inline]] static word broadcast(std::int32_t x) { return vdupq_n_s32(x); }
    [[gnu::always_inline]] static word add(word a, word b) { return vaddq_s32(a, b); }
    template <int N>
    [[gnu::always_inline]] static word shift_right(word x) {
        return vshrq_n_s32(x, N);
    }
    [[gnu::always_inline]] static word shifted_left(word x, word by) { return vshlq_s32(x, by); }
    [[gnu::always_inline]] static word shifted_right(word x, word by) { return vshlq_s32(x, vnegq_s32(by)); }
    template <bool Whole>
    [[gnu::always_inline]] static word load_bytes(const std::int8_t* from, int count) {
        if constexpr (Whole)
            return vldrbq_s32(from);
        else
            return vldrbq_z_s32(from, vctp32q(static_cast<std::uint32_t>(count)));
    }
    template <bool Whole>
    [[gnu::always_inline]] static void store_bytes(std::int8_t* to, word x, int count) {
        if constexpr (Whole)
            vstrbq_s32(to, x);
        else
            vstrbq_p_s32(to, x, vctp32q(static_cast<std::uint32_t>(count)));
    }
    [[gnu::always_inline]] static word saturated(word x) { return vmaxq_s32(vminq_s32(x, vdupq_n_s32(127)), vdupq_n_s32(-128)); }

    template <scaling Scaling>
    struct scaler {
        word multiplier, left, right;  ///< shifts to the left
        std::int32_t zero;

        [[gnu::always_inline]] scaler(const std::int32_t* multipliers, const std::int32_t* shifts, std::int32_t to) : zero(to) {
            multiplier = vldrwq_s32(multipliers);
            const word shift = vldrwq_s32(shifts);
            left = vmaxq_s32(shift, vdupq_n_s32(0));
            right = vminq_s32(shift, vdupq_n_s32(0));
            if constexpr (Scaling == scaling::fixed_once) {
                left = vaddq_n_s32(left, 2);
                right = vsubq_n_s32(right, 1);
            }
        }
        template <bool AboveZero>
        [[gnu::always_inline]] word apply(word x) const {
            x = vshlq_s32(x, left);
            if constexpr (Scaling == scaling::fixed_once) {
                x = vmulhq_s32(x, multiplier);
            } else {
                x = vqrdmulhq_s32(x, multiplier);
                if constexpr (!AboveZero) x = vaddq_s32(x, vshrq_n_s32(vandq_s32(x, right), 31));
            }
            return vaddq_n_s32(vrshlq_s32(x, right), zero);
        }
    };

    template <scaling Scaling, int Bits>
    struct factor {
        std::int32_t multiplier, right, from_zero, to_zero;  ///< a shift to the left

        [[gnu::always_inline]] factor(const fixed_scale& scale, std::int32_t from, std::int32_t to)
            : multiplier(scale.multiplier), right(scale.shift), from_zero(from), to_zero(to) {}
        template <bool AboveZero>
        [[gnu::always_inline]] word apply(word x) const {
            x = vsubq_n_s32(x, from_zero);
            if constexpr (Bits > 0) x = vshlq_n_s32(x, Bits);
            if constexpr (Scaling == scaling::fixed_once) {
                x = vqdmulhq_n_s32(x, multiplier);
            } else {
                x = vqrdmulhq_n_s32(x, multiplier);
                if constexpr (!AboveZero) x = vaddq_s32(x, vshrq_n_s32(vandq_s32(x, vdupq_n_s32(right)), 31));
            }
            return vaddq_n_s32(vrshlq_n_s32(x, right), to_zero);
        }
    };
};

#else

// What stands in for vectors on a host: the same lanes and tiles.
template <std::same_as<cortex_m55> Target>
struct byte_products<Target, 8> : plain_byte_products<Target, 8> {
    static constexpr int terms = 16;
    static constexpr int most_pixels = 2;
    static constexpr int channels = 4;
    using typename plain_byte_products<Target, 8>::value;
    struct pixel {
        const std::int8_t* at;
    };
    using weights = pixel;

    template <bool Aligned>
    static pixel load_pixel(const value* from, int offset) {
        return {from + offset};
    }
    static weights load_weights(const std::int8_t* from) { return {from}; }
    static std::int32_t dot(pixel x, weights w, std::int32_t s) {
        for (int k = 0; k < terms; ++k) s += x.at[k] * w.at[k];
        return s;
    }
};
template <std::same_as<cortex_m55> Target>
struct channel_products<Target> : plain_channel_products<Target> {
    static constexpr int lanes = 4;
    static constexpr int most_pixels = 3;
    struct values {
        std::int32_t at[lanes];
    };
    using weights = values;
    using sums = values;

    static values load_values(const std::int8_t* from) { return {{from[0], from[1], from[2], from[3]}}; }
    static weights load_weights(const std::int8_t* from) { return load_values(from); }
    static sums start(const std::int32_t* biases) { return {{biases[0], biases[1], biases[2], biases[3]}}; }
    static sums multiply_add(values x, weights w, sums s) {
        for (int lane = 0; lane < lanes; ++lane) s.at[lane] += x.at[lane] * w.at[lane];
        return s;
    }
    template <int N>
    static sums total(sums s) {
        return s;
    }
};
template <>
struct words<cortex_m55> {
    static constexpr int lanes = 4;
    using one = plain_words<cortex_m55>;
    using word = channel_products<cortex_m55>::values;

    template <class Function>
    static word each(Function function) {
        return {{function(0), function(1), function(2), function(3)}};
    }
    static word load(const std::int32_t* from) { return {{from[0], from[1], from[2], from[3]}}; }
    static word from(const std::int32_t (&x)[lanes]) { return load(x); }
    static word broadcast(std::int32_t x) { return {{x, x, x, x}}; }
    static word add(word a, word b) {
        return each([&](int lane) { return a.at[lane] + b.at[lane]; });
    }
    template <int N>
    static word shift_right(word x) {
        return each([&](int lane) { return x.at[lane] >> N; });
    }
    static word shifted_left(word x, word by) {
        return each([&](int lane) { return one::shifted_left(x.at[lane], by.at[lane]); });
    }
    static word shifted_right(word x, word by) {
        return each([&](int lane) { return one::shifted_right(x.at[lane], by.at[lane]); });
    }
    template <bool Whole>
    static word load_bytes(const std::int8_t* from, int count) {
        return each([&](int lane) { return Whole || lane < count ? std::int32_t{from[lane]} : 0; });
    }
    template <bool Whole>
    static void store_bytes(std::int8_t* to, word x, int count) {
        for (int lane = 0; lane < lanes && (Whole || lane < count); ++lane) to[lane] = static_cast<std::int8_t>(x.at[lane]);
    }
    static word saturated(word x) {
        return each([&](int lane) { return one::saturated(x.at[lane]); });
    }
    template <scaling Scaling>
    struct scaler {
        const std::int32_t *multipliers, *shifts;
        std::int32_t zero;

        scaler(const std::int32_t* of_lanes, const std::int32_t* shift_of_lanes, std::int32_t to)
            : multipliers(of_lanes), shifts(shift_of_lanes), zero(to) {}
        template <bool AboveZero>
        word apply(word x) const {
            return each(
                [&](int lane) { return one::scaler<Scaling>(multipliers + lane, shifts + lane, zero).template apply<AboveZero>(x.at[lane]); });
        }
    };
    template <scaling Scaling, int Bits>
    struct factor : one::factor<Scaling, Bits> {
        using one::factor<Scaling, Bits>::factor;
        template <bool AboveZero>
        word apply(word x) const {
            return each([&](int lane) { return one::factor<Scaling, Bits>::template apply<AboveZero>(x.at[lane]); });
        }
    };
};

#endif

}  // namespace dlas
