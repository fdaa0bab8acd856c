// x86-64-v2: 128-bit vectors, no fused multiply-add. Hardware.
#pragma once

#include <dlas/hardware/byte_products.hpp>
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
    static constexpr element quantized_element = element::u8;
    static constexpr bool adds_pairs = true;

#if defined(__x86_64__)
    static bool available() { return __builtin_cpu_supports("sse4.2"); }
#else
    static bool available() { return false; }
#endif
};

#ifdef __SSE4_2__
template <>
struct simd<float, sse42> : xsimd_float<own_architecture<sse42, xsimd::sse4_2>> {
    static unsigned above(batch x, batch limit) { return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpgt_ps(x, limit))); }
};

/// Of dot products see pair_products.
template <>
struct simd<std::int8_t, sse42> {
    using batch = simd<float, sse42>::batch;
    using byte = std::uint8_t;
    using sums = __m128i;
    static constexpr int lanes = 4;

    template <int N>
    static batch load_bytes(const byte* from) {
        std::int32_t bytes = 0;
        __builtin_memcpy(&bytes, from, N);
        return batch(_mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes))));
    }
    template <int N>
    static void store_bytes(byte* to, batch x, std::int32_t zero) {
        const __m128i integers = _mm_add_epi32(_mm_cvtps_epi32(x), _mm_set1_epi32(zero));
        const __m128i words = _mm_packs_epi32(integers, integers);
        const std::int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
        __builtin_memcpy(to, &bytes, N);
    }
    static sums load_sums(const std::int32_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
    static void store_sums(std::int32_t* to, sums s) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), s); }
    static sums add(sums a, sums b) { return _mm_add_epi32(a, b); }
    static sums subtract(sums a, sums b) { return _mm_sub_epi32(a, b); }
    template <int N>
    static sums shift_right(sums s) {
        return _mm_srai_epi32(s, N);
    }
    static batch to_float(sums s) { return batch(_mm_cvtepi32_ps(s)); }
    static sums to_sums(batch x) { return _mm_cvtps_epi32(x); }
    template <int Bits>
    static void load_reals(const std::int8_t* from, batch* terms) {
        const __m128i all = _mm_cvtepi8_epi32(_mm_loadu_si32(from));
        if constexpr (Bits == 4) {
            terms[0] = batch(_mm_cvtepi32_ps(_mm_srai_epi32(_mm_slli_epi32(all, 28), 28)));
            terms[1] = batch(_mm_cvtepi32_ps(_mm_srai_epi32(all, 4)));
        } else {
            terms[0] = batch(_mm_cvtepi32_ps(all));
        }
    }
};

/// Bytes without a sign times bytes with one, by pmaddubsw. It saturates at 16 bits: 2 * 255 * 127 does not fit, 2 * 255 * 64 does. Larger
/// weights are multiplied with bytes that were widened (see window_element).
template <>
struct pair_products<sse42> {
    using pixel = __m128i;
    using weights = __m128i;
    using pairs = __m128i;

    static pixel load_pixel(const std::uint8_t* from) {
        std::int32_t bytes;
        __builtin_memcpy(&bytes, from, 4);
        return _mm_set1_epi32(bytes);
    }
    /// Fewer bits are moved apart, into the low bits of a byte each, and given their sign.
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 8) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        } else if constexpr (Bits == 4) {
            const __m128i twos = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
            return with_sign<8>(_mm_and_si128(_mm_or_si128(twos, _mm_slli_epi16(twos, 4)), _mm_set1_epi8(15)));
        } else {
            const __m128i fours = _mm_cvtepu8_epi32(_mm_loadu_si32(from));
            const __m128i twos = _mm_or_si128(fours, _mm_slli_epi32(fours, 12));
            return with_sign<2>(_mm_and_si128(_mm_or_si128(twos, _mm_slli_epi32(twos, 6)), _mm_set1_epi8(3)));
        }
    }
    static pairs multiply(pixel x, weights w) { return _mm_maddubs_epi16(x, w); }
    static pairs multiply_add(pixel x, weights w, pairs p) { return _mm_add_epi16(p, multiply(x, w)); }
    static __m128i widen(pairs p, __m128i sums) { return _mm_add_epi32(sums, _mm_madd_epi16(p, _mm_set1_epi16(1))); }

private:
    template <int SignBit>
    static weights with_sign(__m128i bytes) {
        const __m128i sign = _mm_set1_epi8(SignBit);
        return _mm_sub_epi8(_mm_xor_si128(bytes, sign), sign);
    }
};

/// Products of 16 bits, which pmaddwd adds in pairs.
template <>
struct simd<std::int16_t, sse42> {
    using floats = simd<float, sse42>::batch;
    using batch = __m128i;
    using sums = __m128i;
    using pixel = __m128i;
    using weights = __m128i;
    static constexpr int lanes = 8;

    static batch load(const std::int16_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
    static void store(std::int16_t* to, batch x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), x); }
    template <int N>
    static batch load_bytes(const std::uint8_t* from) {
        std::int64_t bytes = 0;
        __builtin_memcpy(&bytes, from, N);
        return _mm_cvtepu8_epi16(_mm_cvtsi64_si128(bytes));
    }
    static batch add(batch a, batch b) { return _mm_add_epi16(a, b); }
    static batch subtract(batch a, batch b) { return _mm_sub_epi16(a, b); }
    template <int N>
    static floats load_reals(const std::int16_t* from) {
        return floats(_mm_cvtepi32_ps(_mm_cvtepi16_epi32(first<N>(from))));
    }
    template <int N>
    static void store_reals(std::int16_t* to, floats x) {
        const __m128i integers = _mm_cvtps_epi32(x);
        const std::int64_t words = _mm_cvtsi128_si64(_mm_packs_epi32(integers, integers));
        __builtin_memcpy(to, &words, 2 * N);
    }
    static pixel load_pixel(const std::int16_t* from) {
        std::int32_t pair;
        __builtin_memcpy(&pair, from, 4);
        return _mm_set1_epi32(pair);
    }
    template <int N>
    static pixel interleave(const std::int16_t* a, const std::int16_t* b) {
        return _mm_unpacklo_epi16(first<N>(a), first<N>(b));
    }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        else return _mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    }
    static sums dot(pixel x, weights w, sums s) { return _mm_add_epi32(s, _mm_madd_epi16(x, w)); }

private:
    template <int N>
    static __m128i first(const std::int16_t* from) {
        std::int64_t words = 0;
        __builtin_memcpy(&words, from, 2 * N);
        return _mm_cvtsi64_si128(words);
    }
};

template <>
struct simd<f16_value, sse42> : plain_halves<f16_value, sse42> {};
template <>
struct simd<bf16_value, sse42> : plain_halves<bf16_value, sse42> {};

/// Lines of 16-bit values, whose products `pmaddwd` adds in pairs.
template <class Target>
struct sse_byte_products {
    using value = std::int16_t;
    static constexpr int terms = 8;
    static constexpr int most_pixels = 2;
    static constexpr int channels = 4;
    static constexpr int unroll = 1;
    using pixel = __m128i;
    using weights = __m128i;
    using sum = __m128i;

    static constexpr int position(int term) { return term; }
    static void widen(const std::int8_t* from, value* to, int count) {
        int i = 0;
        for (; i + terms <= count; i += terms) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), load_weights(from + i));
        for (; i < count; ++i) to[i] = from[i];
    }
    template <bool Aligned>
    static pixel load_pixel(const value* from, int offset) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + offset));
    }
    static weights load_weights(const std::int8_t* from) { return _mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))); }
    static sum start(std::int32_t bias) { return _mm_cvtsi32_si128(bias); }
    static sum dot(pixel x, weights w, sum s) { return _mm_add_epi32(s, _mm_madd_epi16(x, w)); }
    static std::int32_t total(sum s) {
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
        return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
    }
};
template <>
struct byte_products<sse42, 8> : sse_byte_products<sse42> {};
#endif

}  // namespace dlas
