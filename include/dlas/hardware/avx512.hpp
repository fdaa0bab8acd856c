// x86-64-v4: 512-bit vectors, 32 registers. Hardware.
#pragma once

#include <dlas/hardware/avx2.hpp>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace dlas {

/// AVX-512 F, BW, CD, DQ, VL (Skylake-X, Zen 4 and later).
struct avx512 : avx2 {
    static constexpr std::string_view name = "avx512";
    static constexpr std::string_view compile_flags = "-mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c";
    static constexpr int vector_bytes = 64;
    static constexpr int vector_registers = 32;
    static constexpr int l2_bytes = 1024 * 1024;
    static constexpr int near_bytes = l2_bytes;
    static constexpr int prefetch_bytes = 8 * 1024;

#if defined(__x86_64__)
    static bool available() {
        return avx2::available() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
/// xsimd's, with the masked accesses it lacks and the fused multiply-add that its older releases emulate.
template <class Target>
struct avx512_floats : xsimd_float<own_architecture<Target, xsimd::avx512dq>> {
    using batch = typename xsimd_float<own_architecture<Target, xsimd::avx512dq>>::batch;

    template <int N>
    static batch load_first(const float* from) {
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << N) - 1), from);
    }
    template <int N>
    static void store_first(float* to, batch value) {
        _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << N) - 1), value);
    }
    static batch multiply_add(batch a, batch b, batch c) { return _mm512_fmadd_ps(a, b, c); }
    // The unmasked forms read an undefined operand, of which g++ 12 warns wherever they are inlined.
    static batch max(batch a, batch b) { return _mm512_maskz_max_ps(static_cast<__mmask16>(-1), a, b); }
    static batch min(batch a, batch b) { return _mm512_maskz_min_ps(static_cast<__mmask16>(-1), a, b); }
    static unsigned above(batch x, batch limit) { return _mm512_cmp_ps_mask(x, limit, _CMP_GT_OQ); }
    // An estimate of 14 bits and Newton's step: the division takes several times as long.
    static batch divide(batch a, batch b) {
        const __m512 reciprocal = _mm512_maskz_rcp14_ps(static_cast<__mmask16>(-1), b);
        const __m512 quotient = _mm512_maskz_mul_ps(static_cast<__mmask16>(-1), a, reciprocal);
        return _mm512_fmadd_ps(quotient, _mm512_fnmadd_ps(b, reciprocal, _mm512_set1_ps(1.0f)), quotient);
    }
    static batch clamp(batch x, batch limit) { return _mm512_maskz_range_ps(static_cast<__mmask16>(-1), x, limit, 0b0010); }
    // Next to 2^23 the last bit of a float is 1: the addition rounds, and leaves the integer, biased as an exponent, in the low bits.
    static batch round_product(batch a, batch b, batch& power) {
        const __m512 shift = _mm512_set1_ps(0x1.8p23f + 127);
        const __m512 biased = _mm512_fmadd_ps(a, b, shift);
        power = _mm512_castsi512_ps(_mm512_maskz_slli_epi32(static_cast<__mmask16>(-1), _mm512_castps_si512(biased), 23));
        return _mm512_maskz_sub_ps(static_cast<__mmask16>(-1), biased, shift);
    }
};

template <>
struct simd<float, avx512> : avx512_floats<avx512> {};

/// As SSE4.2's, four times as wide. The masked forms again because of g++ 12's warnings.
template <class Target>
struct avx512_bytes {
    using batch = typename simd<float, Target>::batch;
    using byte = std::uint8_t;
    using sums __attribute__((vector_size(64))) = std::int32_t;  // not __m512i: see avx2.hpp
    using wrapping __attribute__((vector_size(64))) = std::uint32_t;
    static constexpr int lanes = 16;

    template <int N>
    static batch load_bytes(const byte* from) {
        const __m128i bytes = N == lanes ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(from))
                                         : _mm_maskz_loadu_epi8(static_cast<__mmask16>((1u << N) - 1), from);
        return batch(_mm512_maskz_cvtepi32_ps(static_cast<__mmask16>(-1), _mm512_maskz_cvtepu8_epi32(static_cast<__mmask16>(-1), bytes)));
    }
    template <int N>
    static void store_bytes(byte* to, batch x, std::int32_t zero) {
        const __m512i integers = _mm512_add_epi32(_mm512_maskz_cvtps_epi32(static_cast<__mmask16>(-1), x), _mm512_set1_epi32(zero));
        // Stores that are narrowed and masked at once are slow.
        const __m128i bytes = _mm512_maskz_cvtepi32_epi8(static_cast<__mmask16>(-1), integers);
        store_first<N>(to, bytes);
    }
    using four_vectors = __m512i;
    static four_vectors narrowed(const batch (&x)[4], std::int32_t zero, std::int32_t lowest) {
        constexpr auto each = static_cast<__mmask16>(-1);
        // Both ways to pack leave quarters of their operands side by side.
        static constexpr std::int32_t order[] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
        auto words = [&](int i) {
            return _mm512_adds_epi16(_mm512_packs_epi32(_mm512_maskz_cvtps_epi32(each, x[i]), _mm512_maskz_cvtps_epi32(each, x[i + 1])),
                                     _mm512_set1_epi16(static_cast<short>(zero)));
        };
        const __m512i bytes = _mm512_max_epu8(_mm512_packus_epi16(words(0), words(2)), _mm512_set1_epi8(static_cast<char>(lowest)));
        return _mm512_maskz_permutexvar_epi32(each, _mm512_loadu_si512(kept_in_memory(order)), bytes);
    }
    template <int First, int Bytes>
    static void store_part(byte* to, four_vectors bytes) {
        if constexpr (Bytes == 64) {
            _mm512_storeu_si512(to, bytes);
        } else if constexpr (Bytes == 32) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_maskz_extracti64x4_epi64(static_cast<__mmask8>(-1), bytes, First / 2));
        } else {
            store_first<Bytes>(to, _mm512_maskz_extracti32x4_epi32(static_cast<__mmask8>(-1), bytes, First));
        }
    }
    static sums load_sums(const std::int32_t* from) { return reinterpret_cast<sums>(_mm512_loadu_si512(from)); }
    static void store_sums(std::int32_t* to, sums s) { _mm512_storeu_si512(to, reinterpret_cast<__m512i>(s)); }
    static sums add(sums a, sums b) { return reinterpret_cast<sums>(reinterpret_cast<wrapping>(a) + reinterpret_cast<wrapping>(b)); }
    static sums subtract(sums a, sums b) { return reinterpret_cast<sums>(reinterpret_cast<wrapping>(a) - reinterpret_cast<wrapping>(b)); }
    template <int N>
    static sums shift_right(sums s) {
        return s >> N;
    }
    static batch to_float(sums s) { return batch(_mm512_maskz_cvtepi32_ps(static_cast<__mmask16>(-1), reinterpret_cast<__m512i>(s))); }
    static sums to_sums(batch x) { return reinterpret_cast<sums>(_mm512_maskz_cvtps_epi32(static_cast<__mmask16>(-1), x)); }
    template <int Bits>
    static void load_reals(const std::int8_t* from, batch* terms) {
        constexpr auto each = static_cast<__mmask16>(-1);
        const __m512i all = _mm512_maskz_cvtepi8_epi32(each, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
        if constexpr (Bits == 4) {
            terms[0] = _mm512_maskz_cvtepi32_ps(each, _mm512_maskz_srai_epi32(each, _mm512_maskz_slli_epi32(each, all, 28), 28));
            terms[1] = _mm512_maskz_cvtepi32_ps(each, _mm512_maskz_srai_epi32(each, all, 4));
        } else {
            terms[0] = _mm512_maskz_cvtepi32_ps(each, all);
        }
    }

private:
    template <int N>
    static void store_first(byte* to, __m128i bytes) {
        if constexpr (N == lanes) _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
        else _mm_mask_storeu_epi8(to, static_cast<__mmask16>((1u << N) - 1), bytes);
    }
};

template <>
struct simd<std::int8_t, avx512> : avx512_bytes<avx512> {};

/// As AVX2's, twice as wide.
template <class Target>
struct avx512_whole_bytes {
    using pixel = __m512i;
    using weights = __m512i;

    static pixel load_pixel(const std::uint8_t* from) {
        std::int32_t bytes;
        __builtin_memcpy(&bytes, from, 4);
        return _mm512_set1_epi32(bytes);
    }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 8) {
            return _mm512_loadu_si512(from);
        } else if constexpr (Bits == 4) {
            const __m512i twos = _mm512_maskz_cvtepu8_epi16(static_cast<__mmask32>(-1), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
            return with_sign<8>(_mm512_and_si512(_mm512_or_si512(twos, _mm512_slli_epi16(twos, 4)), _mm512_set1_epi8(15)));
        } else {
            constexpr auto all = static_cast<__mmask16>(-1);
            const __m512i fours = _mm512_maskz_cvtepu8_epi32(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
            const __m512i twos = _mm512_or_si512(fours, _mm512_maskz_slli_epi32(all, fours, 12));
            return with_sign<2>(_mm512_and_si512(_mm512_or_si512(twos, _mm512_maskz_slli_epi32(all, twos, 6)), _mm512_set1_epi8(3)));
        }
    }

private:
    template <int SignBit>
    static weights with_sign(__m512i bytes) {
        const __m512i sign = _mm512_set1_epi8(SignBit);
        return _mm512_sub_epi8(_mm512_xor_si512(bytes, sign), sign);
    }
};

template <>
struct pair_products<avx512> : avx512_whole_bytes<avx512> {
    using pairs __attribute__((vector_size(64))) = std::int16_t;
    using sums = avx512_bytes<avx512>::sums;
    static pairs multiply(pixel x, weights w) { return reinterpret_cast<pairs>(_mm512_maddubs_epi16(x, w)); }
    static pairs multiply_add(pixel x, weights w, pairs p) { return p + multiply(x, w); }
    static sums widen(pairs p, sums s) { return s + reinterpret_cast<sums>(_mm512_madd_epi16(reinterpret_cast<__m512i>(p), _mm512_set1_epi16(1))); }
};

/// As SSE4.2's, four times as wide.
template <class Target>
struct avx512_shorts {
    using floats = typename simd<float, Target>::batch;
    using batch = __m512i;
    using sums = typename simd<std::int8_t, Target>::sums;
    using pixel = __m512i;
    using weights = __m512i;
    static constexpr int lanes = 32;
    static constexpr auto each = static_cast<__mmask16>(-1);
    static constexpr auto each_short = static_cast<__mmask32>(-1);

    static batch load(const std::int16_t* from) { return _mm512_loadu_si512(from); }
    static void store(std::int16_t* to, batch x) { _mm512_storeu_si512(to, x); }
    template <int N>
    static batch load_bytes(const std::uint8_t* from) {
        const __m256i bytes = N == lanes ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))
                                         : _mm256_maskz_loadu_epi8(static_cast<__mmask32>((std::uint64_t{1} << N) - 1), from);
        return _mm512_maskz_cvtepu8_epi16(each_short, bytes);
    }
    static batch add(batch a, batch b) { return _mm512_add_epi16(a, b); }
    static batch subtract(batch a, batch b) { return _mm512_sub_epi16(a, b); }
    template <int N>
    static floats load_reals(const std::int16_t* from) {
        return floats(_mm512_maskz_cvtepi32_ps(each, _mm512_maskz_cvtepi16_epi32(each, first<N>(from))));
    }
    template <int N>
    static void store_reals(std::int16_t* to, floats x) {
        const __m256i words = _mm512_maskz_cvtsepi32_epi16(each, _mm512_maskz_cvtps_epi32(each, x));
        if constexpr (2 * N == lanes) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words);
        else _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << N) - 1), words);
    }
    static pixel load_pixel(const std::int16_t* from) {
        std::int32_t pair;
        __builtin_memcpy(&pair, from, 4);
        return _mm512_set1_epi32(pair);
    }
    template <int N>
    static pixel interleave(const std::int16_t* a, const std::int16_t* b) {
        const __m512i low = _mm512_maskz_cvtepu16_epi32(each, first<N>(a)), high = _mm512_maskz_cvtepu16_epi32(each, first<N>(b));
        return _mm512_or_si512(low, _mm512_maskz_slli_epi32(each, high, 16));
    }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 16) return _mm512_loadu_si512(from);
        else return _mm512_maskz_cvtepi8_epi16(each_short, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    }
    static sums dot(pixel x, weights w, sums s) { return simd<std::int8_t, Target>::add(s, reinterpret_cast<sums>(_mm512_madd_epi16(x, w))); }

private:
    template <int N>
    static __m256i first(const std::int16_t* from) {
        if constexpr (2 * N == lanes) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        else return _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << N) - 1), from);
    }
};
template <>
struct simd<std::int16_t, avx512> : avx512_shorts<avx512> {};

template <class Target>
struct avx512_f16_values {
    using batch = typename simd<float, Target>::batch;

    template <int N>
    static batch load(const f16_value* from) {
        return batch(_mm512_maskz_cvtph_ps(static_cast<__mmask16>(-1), _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << N) - 1), from)));
    }
    template <int N>
    static void store(f16_value* to, batch x) {
        const __m256i bits = _mm512_maskz_cvtps_ph(static_cast<__mmask16>(-1), x, _MM_FROUND_TO_NEAREST_INT);
        _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << N) - 1), bits);
    }
};
template <>
struct simd<f16_value, avx512> : avx512_f16_values<avx512> {};

template <class Target>
struct avx512_bf16_values {
    using batch = typename simd<float, Target>::batch;
    static constexpr int lanes = 16;
    static constexpr auto all = static_cast<__mmask16>(-1);

    template <int N>
    static batch load(const bf16_value* from) {
        const __m256i bits = N == lanes ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))
                                        : _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << N) - 1), from);
        return batch(_mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, _mm512_maskz_cvtepu16_epi32(all, bits), 16)));
    }
    template <int N>
    static void store(bf16_value* to, batch x) {
        const __m512i bits = _mm512_castps_si512(x), upper = _mm512_maskz_srli_epi32(all, bits, 16);
        const __m512i last = _mm512_and_si512(upper, _mm512_set1_epi32(1));
        const __m512i rounded = _mm512_maskz_srli_epi32(all, _mm512_add_epi32(bits, _mm512_add_epi32(last, _mm512_set1_epi32(0x7fff))), 16);
        const __m512i words = _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), upper, _mm512_set1_epi32(0x40));
        const __m256i halves = _mm512_maskz_cvtepi32_epi16(all, words);
        if constexpr (N == lanes) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), halves);
        else _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << N) - 1), halves);
    }
};

template <>
struct simd<bf16_value, avx512> : avx512_bf16_values<avx512> {};

template <>
struct byte_products<avx512, 8> : avx2_byte_products<avx512> {};
/// As AVX2's, twice as wide.
template <class Target>
struct avx512_bit_products {
    static constexpr int lanes = 8;
    static constexpr int most_sums = 16;
    static constexpr int most_words = 31;
    using operand = typename avx2_bit_products<Target>::operand;
    struct weights {
        __m512i low, high;
    };
    using sum = __m512i;

    static constexpr int position(int channel) { return channel % 2 * lanes + channel / 2; }
    static operand prepare(std::uint64_t word) { return avx2_bit_products<Target>::prepare(word); }
    static weights load_weights(const void* from) {
        const __m512i words = _mm512_loadu_si512(from);
        return {words, _mm512_maskz_srli_epi64(static_cast<__mmask8>(-1), words, 4)};
    }
    static sum zero() { return _mm512_setzero_si512(); }
    static sum count(const operand& x, const weights& w, sum s) {
        const __m512i bits = _mm512_set4_epi32(0x04030302, 0x03020201, 0x03020201, 0x02010100);
        const __m512i low = _mm512_shuffle_epi8(bits, _mm512_and_si512(_mm512_set1_epi64(static_cast<std::int64_t>(x.low)), w.low));
        const __m512i high = _mm512_shuffle_epi8(bits, _mm512_and_si512(_mm512_set1_epi64(static_cast<std::int64_t>(x.high)), w.high));
        return _mm512_add_epi8(_mm512_add_epi8(s, low), high);
    }
    static typename simd<std::int8_t, Target>::sums totals(const sum (&sums)[2]) {
        const __m512i zeros = _mm512_setzero_si512();
        const __m512i odd = _mm512_maskz_slli_epi64(static_cast<__mmask8>(-1), _mm512_sad_epu8(sums[1], zeros), 32);
        return reinterpret_cast<typename simd<std::int8_t, Target>::sums>(_mm512_or_si512(_mm512_sad_epu8(sums[0], zeros), odd));
    }
};
template <>
struct bit_products<avx512> : avx512_bit_products<avx512> {};
#endif

}  // namespace dlas
