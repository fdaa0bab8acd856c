// The sigmoid and what is made of it, from the vocabulary of simd.hpp alone: firmware needs no libm. Algorithms & Data Formats.
#pragma once

#include <dlas/hardware/simd.hpp>

namespace dlas {

/// Whether a vector's multiply_add() rounds once.
template <class Simd>
inline constexpr bool rounds_once = false;
template <class Target>
inline constexpr bool rounds_once<simd<float, Target>> = Target::fused_multiply_add;

/// exp(-x) as `numerator * power / denominator`, the parts between 2 and 4 and a power of 2.
template <class Simd>
struct exponential {
    typename Simd::batch numerator, power, denominator;
};

/// Within 7e-7 + 1.4e-8 |x| of it, relatively, for x of -86 to 86, and that of the nearest such x beyond.
/// The sigmoid divides anyway: a quotient of two polynomials that differ in a sign takes two products less than a polynomial would.
template <class Simd>
[[gnu::always_inline]] inline exponential<Simd> negated_exp(typename Simd::batch x) {
    using batch = typename Simd::batch;
    auto constant = [](float value) __attribute__((always_inline)) { return Simd::broadcast(value); };
    x = Simd::clamp(x, constant(86.0f));
    // exp(-x) = 2^(n - r).
    batch power, r;
    const batch n = Simd::round_product(x, constant(-1.44269504f), power);
    if constexpr (rounds_once<Simd>) {
        r = Simd::multiply_add(x, constant(1.44269504f), n);
    } else {
        // The first part of log(2) has 9 bits, so that its product with n is exact.
        r = Simd::multiply_add(n, constant(-2.12194440e-4f), Simd::multiply_add(n, constant(0.693359375f), x));
        r = Simd::multiply(r, constant(1.44269504f));
    }
    // 2^-r = (even - r) / (even + r) where even = r / tanh(r log(2) / 2): of least maximal error in the quotient, 4.4e-7, for |r| <= 1/2.
    const batch even = Simd::multiply_add(Simd::multiply(r, r), constant(0.115236066f), constant(2.88540812f));
    return {Simd::subtract(even, r), power, Simd::add(even, r)};
}

/// 1 / (1 + exp(-x)), within 8e-7 + 1.4e-8 |x| of it, relatively, for x of -86 on; 4.5e-38 below.
template <class Simd>
[[gnu::always_inline]] inline typename Simd::batch sigmoid(typename Simd::batch x) {
    const exponential<Simd> e = negated_exp<Simd>(x);
    return Simd::divide(e.denominator, Simd::multiply_add(e.numerator, e.power, e.denominator));
}

/// x sigmoid(x), for x below 2^126.
template <class Simd>
[[gnu::always_inline]] inline typename Simd::batch silu(typename Simd::batch x) {
    const exponential<Simd> e = negated_exp<Simd>(x);
    return Simd::divide(Simd::multiply(x, e.denominator), Simd::multiply_add(e.numerator, e.power, e.denominator));
}

}  // namespace dlas
