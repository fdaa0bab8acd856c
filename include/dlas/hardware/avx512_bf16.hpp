// AVX-512 with dot products of bytes and of pairs of bf16, and with counts of bits. Hardware.
#pragma once

#include <dlas/hardware/avx512_vnni.hpp>

namespace dlas {

/// AVX512-BF16 and AVX512-VPOPCNTDQ (Zen 4, Sapphire Rapids and later). Its dot products take subnormal numbers for 0.
struct avx512_bf16 : avx512_vnni {
    static constexpr std::string_view name = "avx512_bf16";
    static constexpr std::string_view compile_flags = "-mavx512bf16 -mavx512vpopcntdq -mavx512vnni -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c";
    static constexpr bool bf16_dots = true;

#if defined(__x86_64__)
    static bool available() { return avx512_vnni::available() && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vpopcntdq"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVX512BF16__) && defined(__AVX512VPOPCNTDQ__) && defined(__AVX512VNNI__) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
template <>
struct simd<float, avx512_bf16> : avx512_floats<avx512_bf16> {};
template <>
struct simd<std::int8_t, avx512_bf16> : avx512_vnni_bytes<avx512_bf16> {};
template <>
struct simd<std::int16_t, avx512_bf16> : avx512_vnni_shorts<avx512_bf16> {};
template <>
struct simd<f16_value, avx512_bf16> : avx512_f16_values<avx512_bf16> {};

/// Operands of dot products of two halves.
template <class Half, class Target>
struct avx512_half_pairs {
    using sums = typename simd<float, Target>::batch;
    using pixel = __m512i;
    using weights = __m512i;

    static sums load_sums(const float* from) { return simd<float, Target>::load(from); }
    static pixel load_pixel(const Half* from) {
        std::int32_t pair;
        __builtin_memcpy(&pair, from, 4);
        return _mm512_set1_epi32(pair);
    }
    static pixel load_last(const Half* from) { return _mm512_set1_epi32(from->bits); }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        return _mm512_loadu_si512(from);
    }
};
template <class Target>
struct avx512_bf16_pairs : avx512_bf16_values<Target>, avx512_half_pairs<bf16_value, Target> {
    using typename avx512_half_pairs<bf16_value, Target>::sums;
    static sums dot(__m512i x, __m512i w, sums s) { return _mm512_dpbf16_ps(s, reinterpret_cast<__m512bh>(x), reinterpret_cast<__m512bh>(w)); }
};
template <>
struct simd<bf16_value, avx512_bf16> : avx512_bf16_pairs<avx512_bf16> {};
template <>
struct byte_products<avx512_bf16, 8> : avx2_byte_products<avx512_bf16> {};

/// As AVX-512's, with an instruction that counts.
template <class Target>
struct avx512_bit_counts : avx512_bit_products<Target> {
    static constexpr int most_words = 1 << 24;
    using operand = std::uint64_t;
    using weights = __m512i;
    using typename avx512_bit_products<Target>::sum;

    static operand prepare(std::uint64_t word) { return word; }
    static weights load_weights(const void* from) { return _mm512_loadu_si512(from); }
    static sum count(operand x, weights w, sum s) {
        const __m512i both = _mm512_and_si512(_mm512_set1_epi64(static_cast<std::int64_t>(x)), w);
        return _mm512_add_epi64(s, _mm512_maskz_popcnt_epi64(static_cast<__mmask8>(-1), both));
    }
    static typename simd<std::int8_t, Target>::sums totals(const sum (&sums)[2]) {
        const __m512i odd = _mm512_maskz_slli_epi64(static_cast<__mmask8>(-1), sums[1], 32);
        return reinterpret_cast<typename simd<std::int8_t, Target>::sums>(_mm512_or_si512(sums[0], odd));
    }
};
template <>
struct bit_products<avx512_bf16> : avx512_bit_counts<avx512_bf16> {};
#endif

}  // namespace dlas
