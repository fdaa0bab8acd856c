// AArch64's Advanced SIMD: 128-bit vectors with fused multiply-add, on every 64-bit Arm. Hardware.
#pragma once

#include <dlas/hardware/scalar.hpp>
#if defined(__aarch64__)
#include <dlas/hardware/xsimd.hpp>
#endif

namespace dlas {

/// Cortex-A, Neoverse, Apple silicon.
struct neon : scalar {
    static constexpr std::string_view name = "neon";
    static constexpr std::string_view compile_flags = "-march=armv8-a";
    static constexpr int vector_bytes = 16;
    static constexpr int vector_registers = 32;
    static constexpr bool fused_multiply_add = true;
    static constexpr int l2_bytes = 512 * 1024;
    static constexpr int near_bytes = l2_bytes;
    static constexpr int prefetch_bytes = 2 * 1024;

#if defined(__aarch64__)
    static bool available() { return true; }
#else
    static bool available() { return false; }
#endif
};

#if defined(__aarch64__)
template <>
struct simd<float, neon> : xsimd_float<xsimd::neon64> {
    static unsigned above(batch x, batch limit) {
        constexpr uint32x4_t bits = {1, 2, 4, 8};
        return vaddvq_u32(vandq_u32(vcgtq_f32(x, limit), bits));
    }
};
template <>
struct simd<std::int8_t, neon> : plain_integers<neon> {};
template <>
struct simd<std::int16_t, neon> : plain_shorts<neon> {};
template <>
struct simd<f16_value, neon> : plain_halves<f16_value, neon> {};
template <>
struct simd<bf16_value, neon> : plain_halves<bf16_value, neon> {};
#endif

}  // namespace dlas
