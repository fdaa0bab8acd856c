// Sixteen-bit floats in plain C++, for targets without instructions of their own for them. Hardware.
#pragma once

#include <dlas/core/element.hpp>
#include <dlas/hardware/simd.hpp>

namespace dlas {

/// simd<f16_value, Target> or simd<bf16_value, Target> beside any simd<float, Target>.
template <class Stored, class Target>
struct plain_halves {
    using vector = simd<float, Target>;
    using batch = typename vector::batch;

    template <int N>
    static batch load(const Stored* from) {
        float lane[vector::lanes] = {};
        for (int i = 0; i < N; ++i) lane[i] = to_float(from[i]);
        return vector::load(lane);
    }
    template <int N>
    static void store(Stored* to, batch x) {
        float lane[vector::lanes];
        vector::store(lane, x);
        for (int i = 0; i < N; ++i) to[i] = rounded(lane[i], Stored{});
    }

private:
    static f16_value rounded(float x, f16_value) { return to_f16(x); }
    static bf16_value rounded(float x, bf16_value) { return to_bf16(x); }
};

}  // namespace dlas
