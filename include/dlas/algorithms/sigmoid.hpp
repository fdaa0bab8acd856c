// The sigmoid and what is made of it, from the vocabulary of simd.hpp alone: firmware needs no libm. Algorithms & Data Formats.
#pragma once

#include <dlas/hardware/simd.hpp>

namespace dlas {

/// exp(-x) + added. exp(-x) is within 2e-7 of it, relatively, for x of -87 to 87, and that of the nearest such x beyond.
template <class Simd>
[[gnu::always_inline]] inline typename Simd::batch negated_exp_plus(typename Simd::batch x, typename Simd::batch added) {
    using batch = typename Simd::batch;
    auto constant = [](float value) __attribute__((always_inline)) { return Simd::broadcast(value); };
    x = Simd::clamp(x, constant(87.0f));
    // -x = n log(2) - r. The first part of log(2) has 9 bits, so that its product with n is exact.
    batch power;
    const batch n = Simd::round_product(x, constant(-1.44269504f), power);
    const batch r = Simd::multiply_add(n, constant(-2.12194440e-4f), Simd::multiply_add(n, constant(0.693359375f), x));
    // Of least maximal error, 9.4e-8, for |r| <= log(2) / 2, among those that are 1 at 0.
    batch p = Simd::multiply_add(r, constant(-0.00829028059f), constant(0.0418980978f));
    p = Simd::multiply_add(r, p, constant(-0.166676372f));
    p = Simd::multiply_add(r, p, constant(0.499991477f));
    p = Simd::multiply_add(r, p, constant(-0.999999702f));
    p = Simd::multiply_add(r, p, constant(1.0f));
    return Simd::multiply_add(p, power, added);
}

/// 1 / (1 + exp(-x)), within 3e-7 of it, relatively, for x of -87 on; 1.6e-38 below.
template <class Simd>
[[gnu::always_inline]] inline typename Simd::batch sigmoid(typename Simd::batch x) {
    return Simd::divide(Simd::broadcast(1.0f), negated_exp_plus<Simd>(x, Simd::broadcast(1.0f)));
}

/// x sigmoid(x).
template <class Simd>
[[gnu::always_inline]] inline typename Simd::batch silu(typename Simd::batch x) {
    return Simd::divide(x, negated_exp_plus<Simd>(x, Simd::broadcast(1.0f)));
}

}  // namespace dlas
