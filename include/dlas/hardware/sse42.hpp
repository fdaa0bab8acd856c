// x86-64-v2: 128-bit vectors, no fused multiply-add. Hardware.
#pragma once

#include <dlas/hardware/scalar.hpp>
#ifdef __SSE4_2__
#include <dlas/hardware/xsimd.hpp>
#endif

namespace dlas {

/// SSE4.2 (Nehalem and later).
struct sse42 : scalar {
    static constexpr std::string_view name = "sse42";
    static constexpr std::string_view compile_flags = "-msse4.2";
    static constexpr int vector_bytes = 16;
    static constexpr int vector_registers = 16;

#if defined(__x86_64__)
    static bool available() { return __builtin_cpu_supports("sse4.2"); }
#else
    static bool available() { return false; }
#endif
};

#ifdef __SSE4_2__
template <>
struct simd<float, sse42> : xsimd_float<xsimd::sse4_2> {};
#endif

}  // namespace dlas
