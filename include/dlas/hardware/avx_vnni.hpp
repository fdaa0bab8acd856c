// AVX2 with dot products of bytes. Hardware.
#pragma once

#include <dlas/hardware/avx2.hpp>
#ifdef __AVXVNNI__
#include <immintrin.h>
#endif

namespace dlas {

/// AVX-VNNI (Alder Lake, Zen 5 and later).
struct avx_vnni : avx2 {
    static constexpr std::string_view name = "avx_vnni";
    static constexpr std::string_view compile_flags = "-mavxvnni -mavx2 -mfma -mf16c";
    static constexpr bool adds_pairs = false;
    static constexpr bool byte_dots = true;

#if defined(__x86_64__)
    static bool available() { return avx2::available() && __builtin_cpu_supports("avxvnni"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVXVNNI__) && defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
template <>
struct simd<float, avx_vnni> : avx2_floats<avx_vnni> {};

template <>
struct simd<std::int8_t, avx_vnni> : avx2_bytes<avx_vnni>, avx2_whole_bytes<avx_vnni> {
    static sums dot(pixel x, weights w, sums s) { return reinterpret_cast<sums>(_mm256_dpbusd_avx_epi32(reinterpret_cast<__m256i>(s), x, w)); }
};

template <>
struct simd<std::int16_t, avx_vnni> : avx2_shorts<avx_vnni> {
    static sums dot(pixel x, weights w, sums s) { return reinterpret_cast<sums>(_mm256_dpwssd_avx_epi32(reinterpret_cast<__m256i>(s), x, w)); }
};

template <>
struct simd<f16_value, avx_vnni> : avx2_f16_values<avx_vnni> {};
template <>
struct simd<bf16_value, avx_vnni> : avx2_bf16_values<avx_vnni> {};
template <>
struct byte_products<avx_vnni, 8> : avx2_byte_products<avx_vnni> {};
template <>
struct bit_products<avx_vnni> : avx2_bit_products<avx_vnni> {};
#endif

}  // namespace dlas
