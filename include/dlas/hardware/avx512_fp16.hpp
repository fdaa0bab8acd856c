// AVX-512 with arithmetic of halves. Hardware.
#pragma once

#include <dlas/hardware/avx512_bf16.hpp>

namespace dlas {

/// AVX512-FP16 (Sapphire Rapids and later): twice as many halves as floats in a vector.
struct avx512_fp16 : avx512_bf16 {
    static constexpr std::string_view name = "avx512_fp16";
    static constexpr std::string_view compile_flags = "-mavx512fp16 -mavx512bf16 -mavx512vpopcntdq -mavx512vnni -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c";
    static constexpr bool f16_sums = true;

#if defined(__x86_64__)
    static bool available() { return avx512_bf16::available() && __builtin_cpu_supports("avx512fp16"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVX512FP16__) && defined(__AVX512BF16__) && defined(__AVX512VPOPCNTDQ__) && defined(__AVX512VNNI__)
template <>
struct simd<float, avx512_fp16> : avx512_floats<avx512_fp16> {};
template <>
struct simd<std::int8_t, avx512_fp16> : avx512_vnni_bytes<avx512_fp16> {};
template <>
struct simd<std::int16_t, avx512_fp16> : avx512_vnni_shorts<avx512_fp16> {};
template <>
struct simd<bf16_value, avx512_fp16> : avx512_bf16_pairs<avx512_fp16> {};
template <>
struct byte_products<avx512_fp16, 8> : avx2_byte_products<avx512_fp16> {};
template <>
struct bit_products<avx512_fp16> : avx512_bit_counts<avx512_fp16> {};

template <>
struct simd<f16_value, avx512_fp16> : avx512_f16_values<avx512_fp16>, avx512_half_pairs<f16_value, avx512_fp16> {
    using pairs = __m512h;

    static pairs multiply_add(pixel x, weights w, pairs p) { return _mm512_fmadd_ph(_mm512_castsi512_ph(x), _mm512_castsi512_ph(w), p); }
    static sums widen(pairs p, sums s) {
        alignas(64) static constexpr std::uint16_t evens_first[32] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
                                                                      1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31};
        // The unmasked forms read an undefined operand, of which g++ 12 warns (see avx512.hpp), and so does the cast to the lower half.
        constexpr auto all = static_cast<__mmask16>(-1);
        const __m512i apart = _mm512_maskz_permutexvar_epi16(static_cast<__mmask32>(-1), _mm512_load_si512(evens_first), _mm512_castph_si512(p));
        const __m512 even = _mm512_maskz_cvtph_ps(all, _mm512_maskz_extracti64x4_epi64(static_cast<__mmask8>(-1), apart, 0));
        const __m512 odd = _mm512_maskz_cvtph_ps(all, _mm512_maskz_extracti64x4_epi64(static_cast<__mmask8>(-1), apart, 1));
        return s + (even + odd);
    }
};
#endif

}  // namespace dlas
