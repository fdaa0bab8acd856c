// AVX-512 with dot products of bytes. Hardware.
#pragma once

#include <dlas/hardware/avx512.hpp>

namespace dlas {

/// AVX512-VNNI (Cascade Lake, Zen 4 and later).
struct avx512_vnni : avx512 {
    static constexpr std::string_view name = "avx512_vnni";
    static constexpr std::string_view compile_flags = "-mavx512vnni -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c";
    static constexpr int dot_registers = 0;
    static constexpr bool byte_dots = true;

#if defined(__x86_64__)
    static bool available() { return avx512::available() && __builtin_cpu_supports("avx512vnni"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVX512VNNI__) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
template <>
struct simd<float, avx512_vnni> : avx512_floats<xsimd::avx512cd> {};

/// As AVX-VNNI's, twice as wide.
template <class Target>
struct avx512_vnni_bytes : avx512_bytes<Target> {
    using typename avx512_bytes<Target>::byte;
    using typename avx512_bytes<Target>::sums;
    using pixel = __m512i;
    using weights = __m512i;

    static pixel load_pixel(const byte* from) {
        std::int32_t bytes;
        __builtin_memcpy(&bytes, from, 4);
        return _mm512_set1_epi32(bytes);
    }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        constexpr auto all = static_cast<__mmask16>(-1);
        if constexpr (Bits == 8) {
            return _mm512_loadu_si512(from);
        } else if constexpr (Bits == 4) {
            const __m512i fours = _mm512_maskz_cvtepu16_epi32(all, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
            const __m512i pairs = _mm512_and_si512(_mm512_or_si512(fours, _mm512_maskz_slli_epi32(all, fours, 8)), _mm512_set1_epi32(0x00ff00ff));
            return with_sign<8>(_mm512_and_si512(_mm512_or_si512(pairs, _mm512_maskz_slli_epi32(all, pairs, 4)), _mm512_set1_epi32(0x0f0f0f0f)));
        } else {
            const __m512i fours = _mm512_maskz_cvtepu8_epi32(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
            const __m512i pairs = _mm512_and_si512(_mm512_or_si512(fours, _mm512_maskz_slli_epi32(all, fours, 12)), _mm512_set1_epi32(0x000f000f));
            return with_sign<2>(_mm512_and_si512(_mm512_or_si512(pairs, _mm512_maskz_slli_epi32(all, pairs, 6)), _mm512_set1_epi32(0x03030303)));
        }
    }
    static sums dot(pixel x, weights w, sums s) { return reinterpret_cast<sums>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(s), x, w)); }

private:
    template <int SignBit>
    static weights with_sign(__m512i bytes) {
        const __m512i sign = _mm512_set1_epi8(SignBit);
        return _mm512_sub_epi8(_mm512_xor_si512(bytes, sign), sign);
    }
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
