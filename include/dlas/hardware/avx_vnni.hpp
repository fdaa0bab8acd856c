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
    static constexpr int dot_registers = 0;
    static constexpr bool byte_dots = true;

#if defined(__x86_64__)
    static bool available() { return avx2::available() && __builtin_cpu_supports("avxvnni"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVXVNNI__) && defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
/// Of an architecture of xsimd's of its own, for the reason that avx512_floats gives.
template <>
struct simd<float, avx_vnni> : avx2_floats<xsimd::avx2> {
    static batch multiply_add(batch a, batch b, batch c) { return _mm256_fmadd_ps(a, b, c); }
};

template <>
struct simd<std::int8_t, avx_vnni> : avx2_bytes<avx_vnni> {
    // Of the general type __m256i g++ 12 would hold each sum twice, as the loop's and as what follows the loop takes it, and spill them.
    using sums __attribute__((vector_size(32))) = std::int32_t;
    using pixel = __m256i;
    using weights = __m256i;

    static sums load_sums(const std::int32_t* from) { return reinterpret_cast<sums>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))); }
    static void store_sums(std::int32_t* to, sums s) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(s)); }
    static sums add(sums a, sums b) { return a + b; }
    static sums subtract(sums a, sums b) { return a - b; }
    template <int N>
    static sums shift_right(sums s) {
        return s >> N;
    }
    static batch to_float(sums s) { return batch(_mm256_cvtepi32_ps(reinterpret_cast<__m256i>(s))); }
    static sums to_sums(batch x) { return reinterpret_cast<sums>(_mm256_cvtps_epi32(x)); }

    static pixel load_pixel(const byte* from) {
        std::int32_t bytes;
        __builtin_memcpy(&bytes, from, 4);
        return _mm256_set1_epi32(bytes);
    }
    /// Fewer bits are moved apart, into the low bits of a byte each, and given their sign.
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 8) {
            return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        } else if constexpr (Bits == 4) {
            const __m256i fours = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
            const __m256i pairs = _mm256_and_si256(_mm256_or_si256(fours, _mm256_slli_epi32(fours, 8)), _mm256_set1_epi32(0x00ff00ff));
            return with_sign<8>(_mm256_and_si256(_mm256_or_si256(pairs, _mm256_slli_epi32(pairs, 4)), _mm256_set1_epi32(0x0f0f0f0f)));
        } else {
            const __m256i fours = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
            const __m256i pairs = _mm256_and_si256(_mm256_or_si256(fours, _mm256_slli_epi32(fours, 12)), _mm256_set1_epi32(0x000f000f));
            return with_sign<2>(_mm256_and_si256(_mm256_or_si256(pairs, _mm256_slli_epi32(pairs, 6)), _mm256_set1_epi32(0x03030303)));
        }
    }
    static sums dot(pixel x, weights w, sums s) { return reinterpret_cast<sums>(_mm256_dpbusd_avx_epi32(reinterpret_cast<__m256i>(s), x, w)); }

private:
    template <int SignBit>
    static weights with_sign(__m256i bytes) {
        const __m256i sign = _mm256_set1_epi8(SignBit);
        return _mm256_sub_epi8(_mm256_xor_si256(bytes, sign), sign);
    }
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
