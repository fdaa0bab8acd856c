// AArch64's Advanced SIMD: 128-bit vectors with fused multiply-add, on every 64-bit Arm. Hardware.
#pragma once

#include <dlas/hardware/scalar.hpp>
#if defined(__aarch64__)
#include <dlas/hardware/xsimd.hpp>
#endif

namespace dlas {

/// Cortex-A, Neoverse, Apple silicon.
struct neon : scalar {
    static constexpr std::string_view name = "neon";
    static constexpr std::string_view compile_flags = "-march=armv8-a";
    static constexpr int vector_bytes = 16;
    static constexpr int vector_registers = 32;
    static constexpr bool fused_multiply_add = true;
    static constexpr int l2_bytes = 512 * 1024;
    static constexpr int near_bytes = l2_bytes;
    static constexpr int prefetch_bytes = 2 * 1024;

#if defined(__aarch64__)
    static bool available() { return true; }
#else
    static bool available() { return false; }
#endif
};

#if defined(__aarch64__)
template <class Target>
struct neon_floats : xsimd_float<own_architecture<Target, xsimd::neon64>> {
    using batch = typename xsimd_float<own_architecture<Target, xsimd::neon64>>::batch;

    static batch broadcast(float value) { return batch(vdupq_n_f32(value)); }
    static batch multiply_add(batch a, batch b, batch c) { return batch(vfmaq_f32(c, a, b)); }
    static batch divide(batch a, batch b) { return batch(vdivq_f32(a, b)); }
    static unsigned above(batch x, batch limit) {
        constexpr uint32x4_t bits = {1, 2, 4, 8};
        return vaddvq_u32(vandq_u32(vcgtq_f32(x, limit), bits));
    }
    static batch round_product(batch a, batch b, batch& power) {
        const float32x4_t nearest = vrndnq_f32(vmulq_f32(a, b));
        power = batch(vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(nearest), vdupq_n_s32(127)), 23)));
        return batch(nearest);
    }
};
template <>
struct simd<float, neon> : neon_floats<neon> {};

/// Signed bytes. Products are widened to 16 bits each, neighbours to 32 as they are added.
template <class Target>
struct neon_bytes {
    using batch = typename simd<float, Target>::batch;
    using byte = std::int8_t;
    using sums = int32x4_t;
    using pixel = int8x16_t;
    using weights = int8x16_t;
    static constexpr int lanes = 4;

    template <int N>
    static batch load_bytes(const byte* from) {
        return batch(vcvtq_f32_s32(widened<N>(from)));
    }
    template <int N>
    static void store_bytes(byte* to, batch x, std::int32_t zero) {
        const int16x4_t words = vmovn_s32(vaddq_s32(vcvtnq_s32_f32(x), vdupq_n_s32(zero)));
        const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
        __builtin_memcpy(to, &bytes, N);
    }
    static sums load_sums(const std::int32_t* from) { return vld1q_s32(from); }
    static void store_sums(std::int32_t* to, sums s) { vst1q_s32(to, s); }
    static sums add(sums a, sums b) { return vaddq_s32(a, b); }
    static sums subtract(sums a, sums b) { return vsubq_s32(a, b); }
    template <int N>
    static sums shift_right(sums s) {
        return vshrq_n_s32(s, N);
    }
    static batch to_float(sums s) { return batch(vcvtq_f32_s32(s)); }
    static sums to_sums(batch x) { return vcvtq_s32_f32(x); }

    static pixel load_pixel(const byte* from) {
        std::int32_t bytes;
        __builtin_memcpy(&bytes, from, 4);
        return vreinterpretq_s8_s32(vdupq_n_s32(bytes));
    }
    /// Of fewer bits each byte stands in as many places as it holds weights, shifted to the top and back with its sign.
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 8) {
            return vld1q_s8(from);
        } else if constexpr (Bits == 4) {
            constexpr uint8x16_t bytes = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7};
            constexpr int8x16_t to_top = {4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0};
            return vshrq_n_s8(vshlq_s8(vqtbl1q_s8(vcombine_s8(vld1_s8(from), vdup_n_s8(0)), bytes), to_top), 4);
        } else {
            constexpr uint8x16_t bytes = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
            constexpr int8x16_t to_top = {6, 4, 2, 0, 6, 4, 2, 0, 6, 4, 2, 0, 6, 4, 2, 0};
            return vshrq_n_s8(vshlq_s8(vqtbl1q_s8(load_pixel(from), bytes), to_top), 6);
        }
    }
    template <int Bits>
    static void load_reals(const std::int8_t* from, batch* terms) {
        const int32x4_t all = widened<lanes>(from);
        if constexpr (Bits == 4) {
            terms[0] = batch(vcvtq_f32_s32(vshrq_n_s32(vshlq_n_s32(all, 28), 28)));
            terms[1] = batch(vcvtq_f32_s32(vshrq_n_s32(all, 4)));
        } else {
            terms[0] = batch(vcvtq_f32_s32(all));
        }
    }
    static sums dot(pixel x, weights w, sums s) {
        const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w)), high = vmull_high_s8(x, w);
        return vaddq_s32(s, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
    }

private:
    template <int N>
    static int32x4_t widened(const std::int8_t* from) {
        std::int64_t bytes = 0;
        __builtin_memcpy(&bytes, from, N);
        return vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(static_cast<std::uint64_t>(bytes)))));
    }
};
template <>
struct simd<std::int8_t, neon> : neon_bytes<neon> {};

template <class Target>
struct neon_shorts {
    using floats = typename simd<float, Target>::batch;
    using batch = int16x8_t;
    using sums = int32x4_t;
    using pixel = int16x8_t;
    using weights = int16x8_t;
    static constexpr int lanes = 8;

    static batch load(const std::int16_t* from) { return vld1q_s16(from); }
    static void store(std::int16_t* to, batch x) { vst1q_s16(to, x); }
    template <int N>
    static batch load_bytes(const std::int8_t* from) {
        std::int64_t bytes = 0;
        __builtin_memcpy(&bytes, from, N);
        return vmovl_s8(vcreate_s8(static_cast<std::uint64_t>(bytes)));
    }
    static batch add(batch a, batch b) { return vaddq_s16(a, b); }
    static batch subtract(batch a, batch b) { return vsubq_s16(a, b); }
    template <int N>
    static floats load_reals(const std::int16_t* from) {
        return floats(vcvtq_f32_s32(vmovl_s16(first<N>(from))));
    }
    template <int N>
    static void store_reals(std::int16_t* to, floats x) {
        const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(x));
        __builtin_memcpy(to, &words, 2 * N);
    }
    static pixel load_pixel(const std::int16_t* from) {
        std::int32_t pair;
        __builtin_memcpy(&pair, from, 4);
        return vreinterpretq_s16_s32(vdupq_n_s32(pair));
    }
    template <int N>
    static pixel interleave(const std::int16_t* a, const std::int16_t* b) {
        return vcombine_s16(vzip1_s16(first<N>(a), first<N>(b)), vzip2_s16(first<N>(a), first<N>(b)));
    }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        if constexpr (Bits == 16) return vreinterpretq_s16_s8(vld1q_s8(from));
        else return vmovl_s8(vld1_s8(from));
    }
    static sums dot(pixel x, weights w, sums s) {
        return vaddq_s32(s, vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(w)), vmull_high_s16(x, w)));
    }

private:
    template <int N>
    static int16x4_t first(const std::int16_t* from) {
        std::int64_t words = 0;
        __builtin_memcpy(&words, from, 2 * N);
        return vcreate_s16(static_cast<std::uint64_t>(words));
    }
};
template <>
struct simd<std::int16_t, neon> : neon_shorts<neon> {};

template <class Target>
struct neon_f16_values {
    using batch = typename simd<float, Target>::batch;

    template <int N>
    static batch load(const f16_value* from) {
        std::uint64_t bits = 0;
        __builtin_memcpy(&bits, from, 2 * N);
        return batch(vcvt_f32_f16(vcreate_f16(bits)));
    }
    template <int N>
    static void store(f16_value* to, batch x) {
        const float16x4_t halves = vcvt_f16_f32(x);
        __builtin_memcpy(static_cast<void*>(to), &halves, 2 * N);
    }
};
template <>
struct simd<f16_value, neon> : neon_f16_values<neon> {};

/// Conversions as to_float() and to_bf16() define them.
template <class Target>
struct neon_bf16_values {
    using batch = typename simd<float, Target>::batch;

    template <int N>
    static batch load(const bf16_value* from) {
        std::uint64_t bits = 0;
        __builtin_memcpy(&bits, from, 2 * N);
        return batch(vreinterpretq_f32_u32(vshll_n_u16(vcreate_u16(bits), 16)));
    }
    template <int N>
    static void store(bf16_value* to, batch x) {
        const uint32x4_t bits = vreinterpretq_u32_f32(x);
        const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
        const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))), no_number = vorrq_u32(bits, vdupq_n_u32(0x400000));
        const uint16x4_t halves = vshrn_n_u32(vbslq_u32(vceqq_f32(x, x), rounded, no_number), 16);
        __builtin_memcpy(static_cast<void*>(to), &halves, 2 * N);
    }
};
template <>
struct simd<bf16_value, neon> : neon_bf16_values<neon> {};
#endif

}  // namespace dlas
