// The vocabulary in which sums become bytes by fixed-point arithmetic. Hardware.
#pragma once

#include <cstdint>

#include <dlas/core/scaling.hpp>

namespace dlas {

/// What a sum is multiplied by: multiplier * 2^(shift - 31), as TensorFlow Lite states it.
struct fixed_scale {
    std::int32_t multiplier = 0;  ///< 0, or from 2^30 to 2^31 - 1
    std::int32_t shift = 0;       ///< from -31 to 29

    constexpr bool operator==(const fixed_scale&) const = default;
};

/// 32-bit integers, `lanes` of them, in plain C++. Targets with better instructions specialize it.
///   word, load, broadcast, add, shift_right<N>; from(array of lanes)
///   shifted_left(x, by), shifted_right(x, by)   each lane by its own number of bits, from 0 to 31
///   load_bytes<Whole>(from, count), store_bytes<Whole>(to, x, count)   the first `count` of `lanes` bytes; where Whole, all of them
///   saturated(x)        the nearest of -128 to 127
///   scaler<Scaling>(multipliers, shifts, zero)   ready to scale any number of words; each lane has its own scale
///   scaler.apply<AboveZero>(x)   scaled, plus `zero`, if |x| < 2^29, or 2^(29 - shift) where the scale's shift is above 0.
///                       Where AboveZero, what does not lie above `zero` may come out as anything else that does not.
///   factor<Scaling, Bits>(scale, from_zero, to_zero)   one scale for all lanes, less than 1 (and less than 1/2 where scaling rounds once)
///   factor.apply<AboveZero>(x)   (x - from_zero) * 2^Bits, scaled, plus to_zero
template <class Target>
struct plain_words {
    using word = std::int32_t;
    static constexpr int lanes = 1;

    [[gnu::always_inline]] static word load(const std::int32_t* from) { return *from; }
    [[gnu::always_inline]] static word from(const std::int32_t (&x)[lanes]) { return x[0]; }
    [[gnu::always_inline]] static word broadcast(std::int32_t x) { return x; }
    [[gnu::always_inline]] static word add(word a, word b) { return a + b; }
    template <int N>
    [[gnu::always_inline]] static word shift_right(word x) {
        return x >> N;
    }
    [[gnu::always_inline]] static word shifted_left(word x, word by) { return static_cast<word>(static_cast<std::uint32_t>(x) << by); }
    [[gnu::always_inline]] static word shifted_right(word x, word by) { return x >> by; }
    template <bool Whole>
    [[gnu::always_inline]] static word load_bytes(const std::int8_t* from, int) {
        return *from;
    }
    template <bool Whole>
    [[gnu::always_inline]] static void store_bytes(std::int8_t* to, word x, int) {
        *to = static_cast<std::int8_t>(x);
    }
    [[gnu::always_inline]] static word saturated(word x) { return x < -128 ? -128 : x > 127 ? 127 : x; }

    template <scaling Scaling>
    struct scaler {
        word multiplier, left, right, rounding, zero;  // the zero point is added last: before the shift it might not fit

        [[gnu::always_inline]] scaler(const std::int32_t* multipliers, const std::int32_t* shifts, std::int32_t to_zero) : zero(to_zero) {
            multiplier = *multipliers;
            left = (*shifts > 0 ? *shifts : 0) + 1;
            right = *shifts > 0 ? 0 : -*shifts;
            // The one rounding is of a right shift: by one at least.
            if (Scaling == scaling::fixed_once && right == 0) ++left, ++right;
            rounding = static_cast<word>((1u << right) >> 1);
        }
        template <bool AboveZero>
        [[gnu::always_inline]] word apply(word x) const {
            const auto shifted = static_cast<word>(static_cast<std::uint32_t>(x) << left);
            const std::int64_t product = static_cast<std::int64_t>(shifted) * multiplier;
            if constexpr (Scaling == scaling::fixed_once) return ((static_cast<word>(product >> 32) + rounding) >> right) + zero;
            auto high = static_cast<word>((product + (std::int64_t{1} << 31)) >> 32);
            if constexpr (!AboveZero) high -= high < 0 && right > 0 ? 1 : 0;  // halves go away from zero
            return ((high + rounding) >> right) + zero;
        }
    };

    template <scaling Scaling, int Bits>
    struct factor {
        word multiplier, right, rounding, start, zero;

        [[gnu::always_inline]] factor(const fixed_scale& scale, std::int32_t from_zero, std::int32_t to_zero)
            : multiplier(scale.multiplier),
              right(-scale.shift),
              rounding(static_cast<word>((1u << -scale.shift) >> 1)),
              start(static_cast<word>(static_cast<std::uint32_t>(from_zero) << (Bits + 1))),
              zero(to_zero) {}
        /// Twice the product.
        [[gnu::always_inline]] std::int64_t product(word x) const {
            return static_cast<std::int64_t>(static_cast<word>(static_cast<std::uint32_t>(x) << (Bits + 1)) - start) * multiplier;
        }
        template <bool AboveZero>
        [[gnu::always_inline]] word apply(word x) const {
            if constexpr (Scaling == scaling::fixed_once) return ((static_cast<word>(product(x) >> 32) + rounding) >> right) + zero;
            auto high = static_cast<word>((product(x) + (std::int64_t{1} << 31)) >> 32);
            if constexpr (!AboveZero) high -= high < 0 && right > 0 ? 1 : 0;
            return ((high + rounding) >> right) + zero;
        }
    };
};

template <class Target>
struct words : plain_words<Target> {};

}  // namespace dlas
