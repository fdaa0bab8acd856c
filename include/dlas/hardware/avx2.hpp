// x86-64-v3: 256-bit vectors with fused multiply-add. Hardware.
#pragma once

#include <dlas/hardware/sse42.hpp>

namespace dlas {

/// AVX2 and FMA3 (Haswell, Zen and later).
struct avx2 : sse42 {
    static constexpr std::string_view name = "avx2";
    static constexpr std::string_view compile_flags = "-mavx2 -mfma";
    static constexpr int vector_bytes = 32;
    static constexpr bool fused_multiply_add = true;
    static constexpr int l2_bytes = 512 * 1024;
    static constexpr int near_bytes = 4 * 1024 * 1024;  // CPUs that have no more than AVX2 have last-level caches that keep up
    static constexpr int prefetch_bytes = 4 * 1024;

#if defined(__x86_64__)
    static bool available() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVX2__) && defined(__FMA__)
template <>
struct simd<float, avx2> : xsimd_float<xsimd::fma3<xsimd::avx2>> {};
#endif

}  // namespace dlas
