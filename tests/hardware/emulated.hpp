// AMX and AVX512-FP16 for CPUs without them: facts of the targets, tiles of matrices and sums of halves as the manual defines them, in plain C++.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <dlas/hardware/amx.hpp>
#include <dlas/hardware/scalar.hpp>

namespace dlas {

/// Packs, tiles and loops as `amx` does, and with f16 as `avx512_fp16`.
struct emulated : amx {
    static constexpr std::string_view name = "emulated";
    static constexpr bool f16_sums = true;
    static bool available() { return true; }
    static std::string_view unavailable_because() { return {}; }
};

template <>
struct simd<float, emulated> {
    static constexpr int lanes = 16;
    using one = simd<float, scalar>;
    struct batch {
        float lane[lanes] = {};
    };

    static batch load(const float* from) { return load_first<lanes>(from); }
    static void store(float* to, batch x) { store_first<lanes>(to, x); }
    template <int N>
    static batch load_first(const float* from) {
        batch x;
        for (int i = 0; i < N; ++i) x.lane[i] = from[i];
        return x;
    }
    template <int N>
    static void store_first(float* to, batch x) {
        for (int i = 0; i < N; ++i) to[i] = x.lane[i];
    }
    static batch broadcast(float value) {
        return of([&](int) { return value; });
    }
    static batch add(batch a, batch b) { return each(one::add, a, b); }
    static batch subtract(batch a, batch b) { return each(one::subtract, a, b); }
    static batch multiply(batch a, batch b) { return each(one::multiply, a, b); }
    static batch multiply_add(batch a, batch b, batch c) {
        return of([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
    }
    static batch max(batch a, batch b) { return each(one::max, a, b); }
    static batch min(batch a, batch b) { return each(one::min, a, b); }
    static batch divide(batch a, batch b) { return each(one::divide, a, b); }
    static batch clamp(batch x, batch limit) { return each(one::clamp, x, limit); }
    static batch rounded(batch x) {
        return of([&](int i) { return one::rounded(x.lane[i]); });
    }
    static unsigned above(batch x, batch limit) {
        unsigned bits = 0;
        for (int i = 0; i < lanes; ++i) bits |= one::above(x.lane[i], limit.lane[i]) << i;
        return bits;
    }
    static batch round_product(batch a, batch b, batch& power) {
        return of([&](int i) { return one::round_product(a.lane[i], b.lane[i], power.lane[i]); });
    }

private:
    static batch of(auto function) {
        batch x;
        for (int i = 0; i < lanes; ++i) x.lane[i] = function(i);
        return x;
    }
    static batch each(float (*function)(float, float), batch a, batch b) {
        return of([&](int i) { return function(a.lane[i], b.lane[i]); });
    }
};

template <>
struct simd<std::int8_t, emulated> : plain_integers<emulated> {
    struct four_vectors {
        byte at[4 * lanes];
    };
    static four_vectors narrowed(const batch (&x)[4], std::int32_t zero, std::int32_t lowest) {
        four_vectors bytes;
        for (int i = 0; i < 4 * lanes; ++i)
            bytes.at[i] = static_cast<byte>(std::clamp(std::nearbyint(double{x[i / lanes].lane[i % lanes]}) + zero, double(lowest), 255.0));
        return bytes;
    }
    template <int First, int Bytes>
    static void store_part(byte* to, const four_vectors& bytes) {
        static_assert(Bytes <= lanes || (First % 2 == 0 && Bytes == 2 * lanes) || (First == 0 && Bytes == 4 * lanes));
        __builtin_memcpy(to, bytes.at + First * lanes, Bytes);
    }
};
template <>
struct simd<std::int16_t, emulated> : plain_shorts<emulated> {};
template <>
struct simd<f16_value, emulated> : plain_halves<f16_value, emulated> {
    using sums = simd<float, emulated>::batch;
    struct pixel {
        float number[2];
    };
    struct weights {
        f16_value lane[32];
    };
    struct pairs {
        f16_value sum[32];
    };

    static sums load_sums(const float* from) { return simd<float, emulated>::load(from); }
    static pixel load_pixel(const f16_value* from) { return {{to_float(from[0]), to_float(from[1])}}; }
    static pixel load_last(const f16_value* from) { return {{to_float(from[0]), 0.0f}}; }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        weights w;
        __builtin_memcpy(static_cast<void*>(&w), from, sizeof w);
        return w;
    }
    /// Floats hold the products exactly; their sums they round, far below what halves hold. Out of line: tiles call it a hundred times.
    [[gnu::noinline]] static pairs multiply_add(pixel x, const weights& w, pairs p) {
        for (int i = 0; i < 32; ++i) p.sum[i] = to_f16(std::fma(x.number[i % 2], to_float(w.lane[i]), to_float(p.sum[i])));
        return p;
    }
    [[gnu::noinline]] static sums widen(const pairs& p, sums s) {
        for (int i = 0; i < 32; ++i) s.lane[i / 2] += to_float(p.sum[i]);
        return s;
    }
};
template <>
struct simd<bf16_value, emulated> : plain_halves<bf16_value, emulated> {
    static auto load_sums(const float* from) { return simd<float, emulated>::load(from); }
};
/// Intel's manual, volume 2: TDPBUSD multiplies bytes without a sign by those with one, TDPBF16PS pairs of bf16.
template <>
struct matrix_tiles<emulated> {
    static void configure(int pixels) {
        for (int i = 0; i < registers; ++i) rows[i] = i < 6 ? pixels : most_rows;
        for (auto& r : held) __builtin_memset(r, 0, sizeof r);
    }
    static void release() {
        for (int& count : rows) count = 0;
    }
    template <int Register>
    static void load(const void* from, std::int64_t stride) {
        __builtin_memset(configured<Register>(), 0, sizeof held[Register]);
        for (int row = 0; row < rows[Register]; ++row) __builtin_memcpy(held[Register][row], static_cast<const std::byte*>(from) + row * stride, row_bytes);
    }
    template <int Register>
    static void store(void* to, std::int64_t stride) {
        configured<Register>();
        for (int row = 0; row < rows[Register]; ++row) __builtin_memcpy(static_cast<std::byte*>(to) + row * stride, held[Register][row], row_bytes);
    }
    template <int Bytes>
    static void copy(void* to, const void* from) {
        __builtin_memset(to, 0, row_bytes);
        __builtin_memcpy(to, from, Bytes);
    }
    template <int Sums, int Pixels, int Weights>
    static void dot_bytes() {
        add_products<std::int32_t, Sums, Pixels, Weights>([](std::int32_t sum, const std::byte* x, const std::byte* w) {
            for (int k = 0; k < 4; ++k) sum += static_cast<std::uint8_t>(x[k]) * static_cast<std::int8_t>(w[k]);
            return sum;
        });
    }
    template <int Sums, int Pixels, int Weights>
    static void dot_bf16() {
        add_products<float, Sums, Pixels, Weights>([](float sum, const std::byte* x, const std::byte* w) {
            bf16_value a[2], b[2];
            __builtin_memcpy(a, x, 4);
            __builtin_memcpy(b, w, 4);
            for (int k = 0; k < 2; ++k) sum = std::fma(to_float(a[k]), to_float(b[k]), sum);
            return sum;
        });
    }

private:
    static constexpr int registers = 8, most_rows = 16, row_bytes = 64;
    static inline thread_local int rows[registers] = {};
    static inline thread_local std::byte held[registers][most_rows][row_bytes] = {};

    /// As the CPU does, it ends a program that uses a register before it says what it holds.
    template <int Register>
    static std::byte (&configured())[most_rows][row_bytes] {
        if (rows[Register] == 0) std::abort();
        return held[Register];
    }
    /// Sum [m][n] += the product of row m's group k and of group n of row k.
    template <class Sum, int Sums, int Pixels, int Weights>
    static void add_products(auto added) {
        const auto& pixels = configured<Pixels>();
        const auto& weights = configured<Weights>();
        auto& sums = configured<Sums>();
        if (rows[Sums] != rows[Pixels]) std::abort();
        for (int m = 0; m < rows[Pixels]; ++m)
            for (int n = 0; n < row_bytes / 4; ++n) {
                Sum sum;
                __builtin_memcpy(&sum, sums[m] + 4 * n, 4);
                for (int k = 0; k < rows[Weights]; ++k) sum = added(sum, pixels[m] + 4 * k, weights[k] + 4 * n);
                __builtin_memcpy(sums[m] + 4 * n, &sum, 4);
            }
    }
};

}  // namespace dlas
