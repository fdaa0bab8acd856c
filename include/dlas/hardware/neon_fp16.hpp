// AArch64 with arithmetic of halves. Hardware.
#pragma once

#include <dlas/hardware/neon_dot.hpp>

namespace dlas {

/// Armv8.2's FP16 beside its DotProd (Cortex-A55 and A76, Neoverse N1, Apple M1 and later): twice as many halves as floats in a vector.
struct neon_fp16 : neon_dot {
    static constexpr std::string_view name = "neon_fp16";
    static constexpr std::string_view compile_flags = "-march=armv8.2-a+dotprod+fp16";
    static constexpr bool f16_sums = true;

#if defined(__aarch64__) && defined(__linux__)
    static bool available() { return neon_dot::available() && (getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0; }
#elif defined(__aarch64__) && defined(__APPLE__)
    static bool available() { return true; }
#else
    static bool available() { return false; }
#endif
};

#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
template <>
struct simd<float, neon_fp16> : neon_floats<neon_fp16> {};
template <>
struct simd<std::int8_t, neon_fp16> : neon_dot_bytes<neon_fp16> {};
template <>
struct simd<std::int16_t, neon_fp16> : neon_shorts<neon_fp16> {};
template <>
struct simd<bf16_value, neon_fp16> : neon_bf16_values<neon_fp16> {};

template <>
struct simd<f16_value, neon_fp16> : neon_f16_values<neon_fp16> {
    using sums = simd<float, neon_fp16>::batch;
    using pixel = float16x8_t;
    using weights = float16x8_t;
    using pairs = float16x8_t;

    static sums load_sums(const float* from) { return simd<float, neon_fp16>::load(from); }
    static pixel load_pixel(const f16_value* from) {
        std::uint32_t pair;
        __builtin_memcpy(&pair, from, 4);
        return vreinterpretq_f16_u32(vdupq_n_u32(pair));
    }
    static pixel load_last(const f16_value* from) { return vreinterpretq_f16_u32(vdupq_n_u32(from->bits)); }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        return vreinterpretq_f16_s8(vld1q_s8(from));
    }
    static pairs multiply_add(pixel x, weights w, pairs p) { return vfmaq_f16(p, x, w); }
    static sums widen(pairs p, sums s) { return sums(vaddq_f32(s, vpaddq_f32(vcvt_f32_f16(vget_low_f16(p)), vcvt_high_f32_f16(p)))); }
};
#endif

}  // namespace dlas
