// The vocabulary of simd.hpp in terms of xsimd. Hardware: back end of the host ISAs.
// Only target headers include it, and only where the unit's flags enable the target.
#pragma once

#include <xsimd/xsimd.hpp>

#include <dlas/hardware/plain_integers.hpp>

namespace dlas {

/// simd<float, Target> for an xsimd architecture.
template <class Architecture>
struct xsimd_float {
    using batch = xsimd::batch<float, Architecture>;
    static constexpr int lanes = static_cast<int>(batch::size);

    static batch load(const float* from) { return batch::load_unaligned(from); }
    static void store(float* to, batch value) { value.store_unaligned(to); }

    template <int N>
    static batch load_first(const float* from) {
        alignas(64) float lane[lanes] = {};
        __builtin_memcpy(lane, from, N * sizeof(float));
        return batch::load_aligned(lane);
    }
    template <int N>
    static void store_first(float* to, batch value) {
        alignas(64) float lane[lanes];
        value.store_aligned(lane);
        __builtin_memcpy(to, lane, N * sizeof(float));
    }

    static batch broadcast(float value) { return batch(value); }
    static batch add(batch a, batch b) { return a + b; }
    static batch subtract(batch a, batch b) { return a - b; }
    static batch multiply(batch a, batch b) { return a * b; }
    static batch multiply_add(batch a, batch b, batch c) { return xsimd::fma(a, b, c); }
    static batch rounded(batch x) { return batch(kept_rounded(static_cast<typename batch::register_type>(x))); }
    static batch max(batch a, batch b) { return xsimd::max(a, b); }
    static batch min(batch a, batch b) { return xsimd::min(a, b); }
    static batch divide(batch a, batch b) { return a / b; }
    static batch clamp(batch x, batch limit) { return xsimd::max(xsimd::min(x, limit), -limit); }
    static batch round_product(batch a, batch b, batch& power) {
        const batch nearest = xsimd::nearbyint(a * b);
        power = xsimd::ldexp(batch(1.0f), xsimd::to_int(nearest));
        return nearest;
    }
};

}  // namespace dlas
