// The vocabulary in which kernels speak of vectors. Hardware: each target header implements it.
#pragma once

#include <cstdint>

namespace dlas {

/// One vector register of `Element`s on `Target`. A target's header specializes it with
///   lanes                        elements of a vector
///   batch                        the register type
///   load, store                  `lanes` elements, any alignment
///   load_first<N>, store_first<N>  the first N lanes; touches no memory beyond N elements; other lanes read as 0
///   broadcast, add, subtract, multiply, multiply_add, max, min
///   divide(a, b)                 within two roundings where 2^-126 <= b <= 2^126 and a / b is neither subnormal nor too large
///   above(x, limit)              a bit for each lane whose x is greater, the first lane's the lowest
///   clamp(x, limit)              the nearest of -limit to limit
///   rounded(x)                   x, which no compiler joins with what comes next, as a product with a sum
///   round_product(a, b, power)   the integer nearest to a * b, from -126 to 127; `power` becomes 2 to it
/// All of it carries the target in its type, so that units compiled with other flags never share its code.
/// simd<std::int8_t, Target> has the same number of lanes and speaks of integers:
///   byte                         how the target stores quantized elements (Target::quantized_element)
///   load_bytes<N>, store_bytes<N>(to, x, zero)  the first N of a vector of floats; stored is x, rounded to nearest even, plus zero
///   sums                         the register type of 32-bit integers; load_sums, store_sums, add, subtract, shift_right<N>, to_float,
///                                to_sums (of floats that are integers)
///   four_vectors                 where bytes of four vectors fit a register: its type (see narrows_four)
///   narrowed(x[4], zero, lowest)   four vectors of floats, none above 2^15, as bytes: each rounded to nearest even, plus `zero`, from `lowest` to 255
///   store_part<V, N>(to, four_vectors)  N bytes from vector V on: up to a vector's, or those of two where V is even, or all
///   pixel, weights               four bytes of input in every lane; four weights for each lane (where Target::adds_pairs see pair_products)
///   load_pixel, load_weights<B>  weights have B bits each, 8, 4 or 2, the first in the lowest bits
///   dot(pixel, weights, sums)    sums + the four products of each lane; exact
///   load_reals<B>(from, terms)   signed numbers of B bits, 8 or 4, a byte for each lane, the first in the lowest bits, as 8 / B vectors of floats
/// simd<std::int16_t, Target> speaks of integers of 16 bits with a sign:
///   lanes, batch                 twice as many as floats; load, store, add, subtract
///   load_bytes<N>                the first N of a vector of stored bytes; other lanes are 0
///   load_reals<N>, store_reals<N>  as floats, as many as there are of those; stored is the nearest, ties to even, from -2^15 to 2^15 - 1
///   pixel, weights, sums         as of bytes, with two numbers for each lane; load_pixel, load_weights<B>(bytes) of B = 16 or 8 bits, dot
///   interleave<N>(a, b)          a pixel whose lane i holds a[i] and b[i], for the first N lanes of sums
/// simd<f16_value, Target> and simd<bf16_value, Target> load<N> and store<N> the first N of a vector of floats as 16 bits each. Where
/// Target::bf16_dots the latter also speaks of dot products of two, with sums of floats:
///   sums, pixel, weights, load_sums(const float*), load_pixel, load_last (of one element, its neighbour is 0), load_weights<16>, dot
/// Where Target::f16_sums simd<f16_value, Target> speaks of them, too, but sums the products up as halves before it widens their sums:
///   pairs, multiply_add, widen   as of pair_products; each lane has two sums of halves, one for each number of a pair
/// The primary is empty: a unit that is not compiled for the target has none of its vectors.
template <class Element, class Target>
struct simd {};

/// Targets with instructions that make one vector of bytes of four of floats.
template <class Target>
concept narrows_four = requires { typename simd<std::int8_t, Target>::four_vectors; };

/// Products of bytes with weights of fewer than eight bits, of which two fit 16: where Target::adds_pairs a target's header specializes it with
///   pixel, weights, load_pixel, load_weights<B>   as of simd<std::int8_t, Target>, each in one register
///   pairs                                         the register type of 16-bit integers, all 0 as it is made
///   multiply(pixel, weights)                      two for each lane: the sums of its first and of its last two products
///   multiply_add(pixel, weights, pairs)           pairs + these
///   widen(pairs, sums)                            sums + both pairs of each lane
template <class Target>
struct pair_products {};

/// Registers of 16 rows of 64 bytes, where Target::dots_at_once is 16. A target's header specializes it with
///   configure(pixels), release()     before and after their use: sums 0 to 3 and pixels 4 and 5 have so many rows, weights 6 and 7 have 16
///   load<R>(from, stride), store<R>(to, stride)   rows lie `stride` bytes apart
///   copy<Bytes>(to, from)        the first bytes of a row of 64 in memory, an even number; its others become 0
///   dot_bytes<Sums, Pixels, Weights>, dot_bf16<...>        sums of 32 bits, 16 channels a row, += 16 dot products each
template <class Target>
struct matrix_tiles {};

/// Where constants are read each time: a compiler that loads them ahead of a kernel's loops takes the registers of its sums.
template <class Constants>
[[gnu::always_inline]] inline const Constants* kept_in_memory(const Constants* constants) {
    asm volatile("" : "+r"(constants));
    return constants;
}

/// Whether this translation unit is compiled with the flags that the target needs (its compile_flags).
template <class Target>
concept compiled_for = requires { typename simd<float, Target>::batch; };

}  // namespace dlas
