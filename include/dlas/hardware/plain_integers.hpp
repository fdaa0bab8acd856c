// The integer vocabulary of simd.hpp in plain C++, for targets without instructions of their own for it. Hardware.
#pragma once

#include <bit>
#include <cstdint>

#include <dlas/core/element.hpp>
#include <dlas/hardware/simd.hpp>

namespace dlas {

/// Keeps a compiler from fusing the operation that made x with the next one.
template <class Register>
[[gnu::always_inline]] inline Register kept_rounded(Register x) {
#if defined(__x86_64__)
    asm("" : "+v"(x));
#elif defined(__aarch64__)
    asm("" : "+w"(x));
#elif defined(__ARM_FP)
    asm("" : "+t"(x));
#elif defined(__riscv_flen)
    asm("" : "+f"(x));
#else
    asm("" : "+m"(x));
#endif
    return x;
}

/// simd<std::int8_t, Target> beside any simd<float, Target>.
template <class Target>
struct plain_integers {
    using vector = simd<float, Target>;
    using batch = typename vector::batch;
    using byte = element_type<Target::quantized_element>;
    static constexpr int lanes = vector::lanes;

    struct sums {
        std::int32_t lane[lanes];
    };
    struct pixel {
        byte at[4];
    };
    struct weights {
        std::int8_t at[4 * lanes];
    };

    template <int N>
    static batch load_bytes(const byte* from) {
        float lane[lanes] = {};
        for (int i = 0; i < N; ++i) lane[i] = static_cast<float>(from[i]);
        return vector::load(lane);
    }
    /// |x| < 2^22: next to 1.5 * 2^23 the last bit of a float is 1.
    template <int N>
    static void store_bytes(byte* to, batch x, std::int32_t zero) {
        float lane[lanes];
        vector::store(lane, vector::add(x, vector::broadcast(0x1.8p23f)));
        for (int i = 0; i < N; ++i) to[i] = static_cast<byte>(std::bit_cast<std::int32_t>(lane[i]) - std::bit_cast<std::int32_t>(0x1.8p23f) + zero);
    }

    static sums load_sums(const std::int32_t* from) {
        sums s;
        for (int i = 0; i < lanes; ++i) s.lane[i] = from[i];
        return s;
    }
    static void store_sums(std::int32_t* to, sums s) {
        for (int i = 0; i < lanes; ++i) to[i] = s.lane[i];
    }
    static sums add(sums a, sums b) {
        for (int i = 0; i < lanes; ++i) a.lane[i] = wrapped(a.lane[i], static_cast<std::uint32_t>(b.lane[i]));
        return a;
    }
    static sums subtract(sums a, sums b) {
        for (int i = 0; i < lanes; ++i) a.lane[i] = wrapped(a.lane[i], 0u - static_cast<std::uint32_t>(b.lane[i]));
        return a;
    }
    template <int N>
    static sums shift_right(sums s) {
        for (int i = 0; i < lanes; ++i) s.lane[i] >>= N;
        return s;
    }
    static batch to_float(sums s) {
        float lane[lanes];
        for (int i = 0; i < lanes; ++i) lane[i] = static_cast<float>(s.lane[i]);
        return vector::load(lane);
    }
    static sums to_sums(batch x) {
        float lane[lanes];
        vector::store(lane, x);
        sums s;
        for (int i = 0; i < lanes; ++i) s.lane[i] = static_cast<std::int32_t>(lane[i]);
        return s;
    }

    static pixel load_pixel(const byte* from) { return {from[0], from[1], from[2], from[3]}; }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        weights w;
        for (int i = 0; i < 4 * lanes; ++i) {
            const int byte = from[i * Bits / 8], left = 8 - Bits - i * Bits % 8;
            w.at[i] = static_cast<std::int8_t>(static_cast<std::int8_t>(byte << left) >> (8 - Bits));
        }
        return w;
    }
    template <int Bits>
    static void load_reals(const std::int8_t* from, batch* terms) {
        for (int k = 0; k < 8 / Bits; ++k) {
            float lane[lanes];
            for (int i = 0; i < lanes; ++i) lane[i] = static_cast<float>(static_cast<std::int8_t>(from[i] << (8 - Bits * (k + 1))) >> (8 - Bits));
            terms[k] = vector::load(lane);
        }
    }
    static sums dot(pixel x, const weights& w, sums s) {
        for (int i = 0; i < lanes; ++i)
            for (int k = 0; k < 4; ++k) s.lane[i] += x.at[k] * w.at[4 * i + k];
        return s;
    }

    /// As processors add.
    static std::int32_t wrapped(std::int32_t a, std::uint32_t b) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + b); }
};

/// simd<std::int16_t, Target> beside any simd<float, Target>.
template <class Target>
struct plain_shorts {
    using vector = simd<float, Target>;
    using bytes = simd<std::int8_t, Target>;
    using sums = typename bytes::sums;
    static constexpr int lanes = 2 * vector::lanes;

    struct batch {
        std::int16_t lane[lanes];
    };
    struct pixel {
        std::int16_t at[lanes];
    };
    using weights = pixel;

    static batch load(const std::int16_t* from) {
        batch b;
        for (int i = 0; i < lanes; ++i) b.lane[i] = from[i];
        return b;
    }
    static void store(std::int16_t* to, const batch& b) {
        for (int i = 0; i < lanes; ++i) to[i] = b.lane[i];
    }
    template <int N>
    static batch load_bytes(const typename bytes::byte* from) {
        batch b = {};
        for (int i = 0; i < N; ++i) b.lane[i] = from[i];
        return b;
    }
    static batch add(batch a, const batch& b) {
        for (int i = 0; i < lanes; ++i) a.lane[i] = static_cast<std::int16_t>(a.lane[i] + b.lane[i]);
        return a;
    }
    static batch subtract(batch a, const batch& b) {
        for (int i = 0; i < lanes; ++i) a.lane[i] = static_cast<std::int16_t>(a.lane[i] - b.lane[i]);
        return a;
    }
    template <int N>
    static typename vector::batch load_reals(const std::int16_t* from) {
        float lane[vector::lanes] = {};
        for (int i = 0; i < N; ++i) lane[i] = static_cast<float>(from[i]);
        return vector::load(lane);
    }
    /// Rounded as plain_integers rounds.
    template <int N>
    static void store_reals(std::int16_t* to, typename vector::batch x) {
        float lane[vector::lanes];
        x = vector::min(vector::max(x, vector::broadcast(-32768.0f)), vector::broadcast(32767.0f));
        vector::store(lane, vector::add(x, vector::broadcast(0x1.8p23f)));
        for (int i = 0; i < N; ++i) to[i] = static_cast<std::int16_t>(std::bit_cast<std::int32_t>(lane[i]) - std::bit_cast<std::int32_t>(0x1.8p23f));
    }

    static pixel load_pixel(const std::int16_t* from) {
        pixel p;
        for (int i = 0; i < lanes; ++i) p.at[i] = from[i % 2];
        return p;
    }
    template <int N>
    static pixel interleave(const std::int16_t* a, const std::int16_t* b) {
        pixel p = {};
        for (int i = 0; i < N; ++i) p.at[2 * i] = a[i], p.at[2 * i + 1] = b[i];
        return p;
    }
    template <int Bits>
    static weights load_weights(const std::int8_t* from) {
        weights w;
        if constexpr (Bits == 16)
            __builtin_memcpy(w.at, from, sizeof w.at);
        else
            for (int i = 0; i < lanes; ++i) w.at[i] = from[i];
        return w;
    }
    static sums dot(const pixel& x, const weights& w, sums s) {
        for (int i = 0; i < vector::lanes; ++i)
            for (int k = 0; k < 2; ++k) s.lane[i] = bytes::wrapped(s.lane[i], static_cast<std::uint32_t>(x.at[2 * i + k] * w.at[2 * i + k]));
        return s;
    }
};

}  // namespace dlas
