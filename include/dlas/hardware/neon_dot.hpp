// AArch64 with dot products of bytes. Hardware.
#pragma once

#include <dlas/hardware/neon.hpp>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace dlas {

/// Armv8.2's DotProd (Cortex-A55 and A76, Neoverse N1, Apple M1 and later).
struct neon_dot : neon {
    static constexpr std::string_view name = "neon_dot";
    static constexpr std::string_view compile_flags = "-march=armv8.2-a+dotprod";
    static constexpr bool byte_dots = true;

#if defined(__aarch64__) && defined(__linux__)
    static bool available() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
#elif defined(__aarch64__) && defined(__APPLE__)
    static bool available() { return true; }
#else
    static bool available() { return false; }
#endif
};

#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
template <>
struct simd<float, neon_dot> : neon_floats<neon_dot> {};

template <class Target>
struct neon_dot_bytes : neon_bytes<Target> {
    static int32x4_t dot(int8x16_t x, int8x16_t w, int32x4_t s) { return vdotq_s32(s, x, w); }
};
template <>
struct simd<std::int8_t, neon_dot> : neon_dot_bytes<neon_dot> {};
template <>
struct simd<std::int16_t, neon_dot> : neon_shorts<neon_dot> {};
template <>
struct simd<f16_value, neon_dot> : neon_f16_values<neon_dot> {};
template <>
struct simd<bf16_value, neon_dot> : neon_bf16_values<neon_dot> {};
#endif

}  // namespace dlas
