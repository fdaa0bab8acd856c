// The vocabulary in which kernels speak of vectors. Hardware: each target header implements it.
#pragma once

namespace dlas {

/// One vector register of `Element`s on `Target`. A target's header specializes it with
///   lanes                        elements of a vector
///   batch                        the register type
///   load, store                  `lanes` elements, any alignment
///   load_first<N>, store_first<N>  the first N lanes; touches no memory beyond N elements; other lanes read as 0
///   broadcast, add, subtract, multiply, multiply_add, max, min
///   divide(a, b)                 within two roundings where 2^-126 <= b <= 2^126 and a / b is neither subnormal nor too large
///   clamp(x, limit)              the nearest of -limit to limit
///   rounded(x)                   x, which no compiler joins with what comes next, as a product with a sum
///   round_product(a, b, power)   the integer nearest to a * b, from -126 to 127; `power` becomes 2 to it
/// All of it carries the target in its type, so that units compiled with other flags never share its code.
/// simd<std::int8_t, Target> has the same number of lanes and speaks of integers:
///   byte                         how the target stores quantized elements (Target::quantized_element)
///   load_bytes<N>, store_bytes<N>(to, x, zero)  the first N of a vector of floats; stored is x, rounded to nearest even, plus zero
///   sums                         the register type of 32-bit integers; load_sums, add, to_float, to_sums (of floats that are integers)
///   pixel, weights               four bytes of input in every lane; four weights for each lane
///   load_pixel, load_weights<B>  weights have B bits each, 8, 4 or 2, the first in the lowest bits
///   dot(pixel, weights, sums)    sums + the four products of each lane; exact
/// simd<f16_value, Target> and simd<bf16_value, Target> load<N> and store<N> the first N of a vector of floats as 16 bits each.
/// The primary is empty: a unit that is not compiled for the target has none of its vectors.
template <class Element, class Target>
struct simd {};

/// Where constants are read each time: a compiler that loads them ahead of a kernel's loops takes the registers of its sums.
[[gnu::always_inline]] inline const float* kept_in_memory(const float* constants) {
    asm volatile("" : "+r"(constants));
    return constants;
}

/// Whether this translation unit is compiled with the flags that the target needs (its compile_flags).
template <class Target>
concept compiled_for = requires { typename simd<float, Target>::batch; };

}  // namespace dlas
