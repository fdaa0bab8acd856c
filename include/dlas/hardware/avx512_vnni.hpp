// AVX-512 with dot products of bytes. Hardware.
#pragma once

#include <dlas/hardware/avx512.hpp>

namespace dlas {

/// AVX512-VNNI (Cascade Lake, Zen 4 and later).
struct avx512_vnni : avx512 {
    static constexpr std::string_view name = "avx512_vnni";
    static constexpr std::string_view compile_flags = "-mavx512vnni -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c";
    static constexpr bool adds_pairs = false;
    static constexpr bool byte_dots = true;

#if defined(__x86_64__)
    static bool available() { return avx512::available() && __builtin_cpu_supports("avx512vnni"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVX512VNNI__) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
template <>
struct simd<float, avx512_vnni> : avx512_floats<avx512_vnni> {};

/// As AVX-VNNI's, twice as wide.
template <class Target>
struct avx512_vnni_bytes : avx512_bytes<Target>, avx512_whole_bytes<Target> {
    using typename avx512_bytes<Target>::sums;
    using typename avx512_whole_bytes<Target>::pixel;
    using typename avx512_whole_bytes<Target>::weights;

    static sums dot(pixel x, weights w, sums s) { return reinterpret_cast<sums>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(s), x, w)); }
};
template <>
struct simd<std::int8_t, avx512_vnni> : avx512_vnni_bytes<avx512_vnni> {};

template <class Target>
struct avx512_vnni_shorts : avx512_shorts<Target> {
    using sums = typename avx512_shorts<Target>::sums;
    static sums dot(__m512i x, __m512i w, sums s) { return reinterpret_cast<sums>(_mm512_dpwssd_epi32(reinterpret_cast<__m512i>(s), x, w)); }
};
template <>
struct simd<std::int16_t, avx512_vnni> : avx512_vnni_shorts<avx512_vnni> {};

template <>
struct simd<f16_value, avx512_vnni> : avx512_f16_values<avx512_vnni> {};
template <>
struct simd<bf16_value, avx512_vnni> : avx512_bf16_values<avx512_vnni> {};
template <>
struct byte_products<avx512_vnni, 8> : avx2_byte_products<avx512_vnni> {};
template <>
struct bit_products<avx512_vnni> : avx512_bit_products<avx512_vnni> {};
#endif

}  // namespace dlas
