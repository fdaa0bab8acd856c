// The vocabulary of simd.hpp in terms of xsimd. Hardware: back end of the host ISAs.
// Only target headers include it, and only where the unit's flags enable the target.
#pragma once

#include <xsimd/xsimd.hpp>

#include <dlas/hardware/plain_integers.hpp>

namespace dlas {

/// One of xsimd's architectures under a target's own name: units compiled with other flags share none of xsimd's functions.
template <class Target, class Base>
struct own_architecture : Base {};

}  // namespace dlas

namespace xsimd::types {

template <class T, class Target, class Base>
struct has_simd_register<T, dlas::own_architecture<Target, Base>> : has_simd_register<T, Base> {};

template <class T, class Target, class Base>
struct simd_register<T, dlas::own_architecture<Target, Base>> : simd_register<T, Base> {
    using register_type = typename simd_register<T, Base>::register_type;
    simd_register() = default;
    simd_register(register_type value) noexcept : simd_register<T, Base>{value} {}
};

template <class T, class Target, class Base>
struct get_bool_simd_register<T, dlas::own_architecture<Target, Base>> : get_bool_simd_register<T, Base> {};

}  // namespace xsimd::types

namespace dlas {

/// simd<float, Target> for an xsimd architecture.
template <class Architecture>
struct xsimd_float {
    using wrapped = xsimd::batch<float, Architecture>;
    using batch = typename wrapped::register_type;
    static constexpr int lanes = static_cast<int>(wrapped::size);

    static batch load(const float* from) { return wrapped::load_unaligned(from); }
    static void store(float* to, batch value) { wrapped(value).store_unaligned(to); }

    template <int N>
    static batch load_first(const float* from) {
        alignas(64) float lane[lanes] = {};
        __builtin_memcpy(lane, from, N * sizeof(float));
        return wrapped::load_aligned(lane);
    }
    template <int N>
    static void store_first(float* to, batch value) {
        alignas(64) float lane[lanes];
        wrapped(value).store_aligned(lane);
        __builtin_memcpy(to, lane, N * sizeof(float));
    }

    static batch broadcast(float value) { return wrapped(value); }
    static batch add(batch a, batch b) { return wrapped(a) + wrapped(b); }
    static batch subtract(batch a, batch b) { return wrapped(a) - wrapped(b); }
    static batch multiply(batch a, batch b) { return wrapped(a) * wrapped(b); }
    static batch multiply_add(batch a, batch b, batch c) { return xsimd::fma(wrapped(a), wrapped(b), wrapped(c)); }
    static batch rounded(batch x) { return kept_rounded(x); }
    static batch max(batch a, batch b) { return xsimd::max(wrapped(a), wrapped(b)); }
    static batch min(batch a, batch b) { return xsimd::min(wrapped(a), wrapped(b)); }
    static batch divide(batch a, batch b) { return wrapped(a) / wrapped(b); }
    static batch clamp(batch x, batch limit) { return xsimd::max(xsimd::min(wrapped(x), wrapped(limit)), -wrapped(limit)); }
    static batch round_product(batch a, batch b, batch& power) {
        const wrapped nearest = xsimd::nearbyint(wrapped(a) * wrapped(b));
        power = xsimd::ldexp(wrapped(1.0f), xsimd::to_int(nearest));
        return nearest;
    }
};

}  // namespace dlas
