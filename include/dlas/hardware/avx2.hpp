// x86-64-v3: 256-bit vectors with fused multiply-add. Hardware.
#pragma once

#include <dlas/hardware/sse42.hpp>

namespace dlas {

/// AVX2, FMA3 and F16C (Haswell, Zen and later).
struct avx2 : sse42 {
    static constexpr std::string_view name = "avx2";
    static constexpr std::string_view compile_flags = "-mavx2 -mfma -mf16c";
    static constexpr int vector_bytes = 32;
    static constexpr bool fused_multiply_add = true;
    static constexpr int l2_bytes = 512 * 1024;
    static constexpr int near_bytes = 4 * 1024 * 1024;  // CPUs that have no more than AVX2 have last-level caches that keep up
    static constexpr int prefetch_bytes = 4 * 1024;

#if defined(__x86_64__)
    static bool available() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }
#else
    static bool available() { return false; }
#endif
};

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
template <class Target>
struct avx2_floats : xsimd_float<own_architecture<Target, xsimd::fma3<xsimd::avx2>>> {
    using batch = typename xsimd_float<own_architecture<Target, xsimd::fma3<xsimd::avx2>>>::batch;

    // Next to 2^23 the last bit of a float is 1: the addition rounds, and leaves the integer, biased as an exponent, in the low bits.
    static batch round_product(batch a, batch b, batch& power) {
        const __m256 shift = _mm256_set1_ps(0x1.8p23f + 127);
        const __m256 biased = _mm256_fmadd_ps(a, b, shift);
        power = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(biased), 23));
        return _mm256_sub_ps(biased, shift);
    }
    static unsigned above(batch x, batch limit) { return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(x, limit, _CMP_GT_OQ))); }
};

template <>
struct simd<float, avx2> : avx2_floats<avx2> {};

/// As SSE4.2's, twice as wide.
template <class Target>
struct avx2_bytes {
    using batch = typename simd<float, Target>::batch;
    using byte = std::uint8_t;
    // Of the general type __m256i g++ 12 would hold each sum twice, as the loop's and as what follows the loop takes it, and spill them.
    using sums __attribute__((vector_size(32))) = std::int32_t;
    using wrapping __attribute__((vector_size(32))) = std::uint32_t;
    static constexpr int lanes = 8;

    template <int N>
    static batch load_bytes(const byte* from) {
        std::int64_t bytes = 0;
        __builtin_memcpy(&bytes, from, N);
        return batch(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(bytes))));
    }
    template <int N>
    static void store_bytes(byte* to, batch x, std::int32_t zero) {
        const __m256i integers = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(zero));
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
        const std::int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
        __builtin_memcpy(to, &bytes, N);
    }
    using four_vectors = __m256i;
    static four_vectors narrowed(const batch (&x)[4], std::int32_t zero, std::int32_t lowest) {
        // Both ways to pack leave halves of their operands side by side.
        static constexpr std::int32_t order[] = {0, 4, 1, 5, 2, 6, 3, 7};
        auto words = [&](int i) {
            return _mm256_adds_epi16(_mm256_packs_epi32(_mm256_cvtps_epi32(x[i]), _mm256_cvtps_epi32(x[i + 1])), _mm256_set1_epi16(static_cast<short>(zero)));
        };
        const __m256i bytes = _mm256_max_epu8(_mm256_packus_epi16(words(0), words(2)), _mm256_set1_epi8(static_cast<char>(lowest)));
        return _mm256_permutevar8x32_epi32(bytes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kept_in_memory(order))));
    }
    template <int First, int Bytes>
    static void store_part(byte* to, four_vectors bytes) {
        if constexpr (Bytes == 32) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
        } else {
            const __m128i half = _mm256_extracti128_si256(bytes, First / 2);
            const __m128i part = First % 2 == 0 ? half : _mm_unpackhi_epi64(half, half);
            __builtin_memcpy(to, &part, Bytes);
        }
    }
    static sums load_sums(const std::int32_t* from) { return reinterpret_cast<sums>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))); }
    static void store_sums(std::int32_t* to, sums s) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(s)); }
    static sums add(sums a, sums b) { return reinterpret_cast<sums>(reinterpret_cast<wrapping>(a) + reinterpret_cast<wrapping>(b)); }
    static sums subtract(sums a, sums b) { return reinterpret_cast<sums>(reinterpret_cast<wrapping>(a) - reinterpret_cast<wrapping>(b)); }
    template <int N>
    static sums shift_right(sums s) {
        return s >> N;
    }
    static batch to_float(sums s) { return batch(_mm256_cvtepi32_ps(reinterpret_cast<__m256i>(s))); }
    static sums to_sums(batch x) { return reinterpret_cast<sums>(_mm256_cvtps_epi32(x)); }
    template <int Bits>
    static void load_reals(const std::int8_t* from, batch* terms) {
        const __m256i all = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
        if constexpr (Bits == 4) {
            terms[0] = batch(_mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(all, 28), 28)));
            terms[1] = batch(_mm256_cvtepi32_ps(_mm256_srai_epi32(all, 4)));
        } else {
            terms[0] = batch(_mm256_cvtepi32_ps(all));
        }
    }
};

template <>
struct simd<std::int8_t, avx2> : avx2_bytes<avx2> {};

/// Operands of dot products, a byte each.
template <class Target>
struct avx2_whole_bytes {
    using pixel = __m256i;
    using weights = __m256i;

    static pixel load_pixel(const std::uint8_t* from) {
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
            const __m256i twos = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
            return with_sign<8>(_mm256_and_si256(_mm256_or_si256(twos, _mm256_slli_epi16(twos, 4)), _mm256_set1_epi8(15)));
        } else {
            const __m256i fours = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
            const __m256i twos = _mm256_or_si256(fours, _mm256_slli_epi32(fours, 12));
            return with_sign<2>(_mm256_and_si256(_mm256_or_si256(twos, _mm256_slli_epi32(twos, 6)), _mm256_set1_epi8(3)));
        }
    }

private:
    template <int SignBit>
    static weights with_sign(__m256i bytes) {
        const __m256i sign = _mm256_set1_epi8(SignBit);
        return _mm256_sub_epi8(_mm256_xor_si256(bytes, sign), sign);
    }
};

/// As SSE4.2's, twice as wide.
template <>
struct pair_products<avx2> : avx2_whole_bytes<avx2> {
    using pairs __attribute__((vector_size(32))) = std::int16_t;
    using sums = avx2_bytes<avx2>::sums;
    static pairs multiply(pixel x, weights w) { return reinterpret_cast<pairs>(_mm256_maddubs_epi16(x, w)); }
    static pairs multiply_add(pixel x, weights w, pairs p) { return p + multiply(x, w); }
    static sums widen(pairs p, sums s) { return s + reinterpret_cast<sums>(_mm256_madd_epi16(reinterpret_cast<__m256i>(p), _mm256_set1_epi16(1))); }
};

/// As SSE4.2's, twice as wide.
template <class Target>
struct avx2_shorts {
    using floats = typename simd<float, Target>::batch;
    using batch = __m256i;
    using sums = typename simd<std::int8_t, Target>::sums;
    using pixel = __m256i;
    using weights = __m256i;
    static constexpr int lanes = 16;

    static batch load(const std::int16_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
    static void store(std::int16_t* to, batch x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
    template <int N>
    static batch load_bytes(const std::uint8_t* from) {
        __m128i bytes = _mm_setzero_si128();
        __builtin_memcpy(&bytes, from, N);
        return _mm256_cvtepu8_epi16(bytes);
    }
    static batch add(batch a, batch b) { return _mm256_add_epi16(a, b); }
    static batch subtract(batch a, batch b) { return _mm256_sub_epi16(a, b); }
    template <int N>
    static floats load_reals(const std::int16_t* from) {
        return floats(_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(first<N>(from))));
    }
    template <int N>
    static void store_reals(std::int16_t* to, floats x) {
        const __m256i integers = _mm256_cvtps_epi32(x);
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
        __builtin_memcpy(to, &words, 2 * N);
    }
    static pixel load_pixel(const std::int16_t* from) {
        std::int32_t pair;
        __builtin_memcpy(&pair, from, 4);
        return _mm256_set1_epi32(pair);
    }
    template <int N>
    static pixel interleave(const std::int16_t* a, const std::int16_t* b) {
        const __m128i low = first<N>(a), high = first<N>(b);
        return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(low, high)), _mm_unpackhi_epi16(low, high), 1);
    }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 16) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        else return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    }
    static sums dot(pixel x, weights w, sums s) { return simd<std::int8_t, Target>::add(s, reinterpret_cast<sums>(_mm256_madd_epi16(x, w))); }

private:
    template <int N>
    static __m128i first(const std::int16_t* from) {
        __m128i words = _mm_setzero_si128();
        __builtin_memcpy(&words, from, 2 * N);
        return words;
    }
};
template <>
struct simd<std::int16_t, avx2> : avx2_shorts<avx2> {};

template <class Target>
struct avx2_f16_values {
    using batch = typename simd<float, Target>::batch;

    template <int N>
    static batch load(const f16_value* from) {
        __m128i bits = _mm_setzero_si128();
        __builtin_memcpy(&bits, from, 2 * N);
        return batch(_mm256_cvtph_ps(bits));
    }
    template <int N>
    static void store(f16_value* to, batch x) {
        const __m128i bits = _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
        __builtin_memcpy(static_cast<void*>(to), &bits, 2 * N);
    }
};
template <>
struct simd<f16_value, avx2> : avx2_f16_values<avx2> {};

template <class Target>
struct avx2_bf16_values {
    using batch = typename simd<float, Target>::batch;

    template <int N>
    static batch load(const bf16_value* from) {
        __m128i bits = _mm_setzero_si128();
        __builtin_memcpy(&bits, from, 2 * N);
        return batch(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16)));
    }
    template <int N>
    static void store(bf16_value* to, batch x) {
        const __m256i bits = _mm256_castps_si256(x), last = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(last, _mm256_set1_epi32(0x7fff))), 16);
        const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
        const __m256i number = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_ORD_Q));
        const __m256i words = _mm256_blendv_epi8(quiet, rounded, number);
        const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        __builtin_memcpy(static_cast<void*>(to), &packed, 2 * N);
    }
};

template <>
struct simd<bf16_value, avx2> : avx2_bf16_values<avx2> {};

/// Lines of 16-bit values, whose products `pmaddwd` adds in pairs.
template <class Target>
struct avx2_byte_products {
    using value = std::int16_t;
    static constexpr int terms = 16;
    static constexpr int most_pixels = 2;
    static constexpr int channels = 4;
    static constexpr int unroll = 1;
    using pixel = __m256i;
    using weights = __m256i;
    using sum = __m256i;

    static constexpr int position(int term) { return term; }
    static void widen(const std::int8_t* from, value* to, int count) {
        int i = 0;
        for (; i + terms <= count; i += terms) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), load_weights(from + i));
        for (; i < count; ++i) to[i] = from[i];
    }
    template <bool Aligned>
    static pixel load_pixel(const value* from, int offset) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + offset));
    }
    static weights load_weights(const std::int8_t* from) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))); }
    static sum start(std::int32_t bias) { return _mm256_zextsi128_si256(_mm_cvtsi32_si128(bias)); }
    static sum dot(pixel x, weights w, sum s) { return _mm256_add_epi32(s, _mm256_madd_epi16(x, w)); }
    static std::int32_t total(sum s) {
        const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
        const __m128i pair = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
        return _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 0xb1)));
    }
};
template <>
struct byte_products<avx2, 8> : avx2_byte_products<avx2> {};

/// A table counts the bits of each half of a byte, bytes add up. Inputs are kept as two words of lower halves, so that what a product has in
/// its upper ones need not be removed.
template <class Target>
struct avx2_bit_products {
    static constexpr int lanes = 4;
    static constexpr int most_sums = 8;
    static constexpr int most_words = 31;  // of 8 bits a byte
    struct operand {
        std::uint64_t low, high;
    };
    struct weights {
        __m256i low, high;
    };
    using sum = __m256i;

    static constexpr int position(int channel) { return channel % 2 * lanes + channel / 2; }
    static operand prepare(std::uint64_t word) { return {word & 0x0f0f0f0f0f0f0f0fu, (word >> 4) & 0x0f0f0f0f0f0f0f0fu}; }
    static weights load_weights(const void* from) {
        const __m256i all = _mm256_loadu_si256(static_cast<const __m256i*>(from));
        return {all, _mm256_srli_epi64(all, 4)};
    }
    static sum zero() { return _mm256_setzero_si256(); }
    static sum count(const operand& x, const weights& w, sum s) {
        const __m256i bits = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
        const __m256i low = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_set1_epi64x(static_cast<std::int64_t>(x.low)), w.low));
        const __m256i high = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_set1_epi64x(static_cast<std::int64_t>(x.high)), w.high));
        return _mm256_add_epi8(_mm256_add_epi8(s, low), high);
    }
    static typename simd<std::int8_t, Target>::sums totals(const sum (&sums)[2]) {
        const __m256i zeros = _mm256_setzero_si256();
        const __m256i odd = _mm256_slli_epi64(_mm256_sad_epu8(sums[1], zeros), 32);
        return reinterpret_cast<typename simd<std::int8_t, Target>::sums>(_mm256_or_si256(_mm256_sad_epu8(sums[0], zeros), odd));
    }
};
template <>
struct bit_products<avx2> : avx2_bit_products<avx2> {};
#endif

}  // namespace dlas
