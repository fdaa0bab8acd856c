// The vocabulary of kernels that count bits which two words have in common. Hardware.
#pragma once

#include <cstdint>

#include <dlas/hardware/simd.hpp>

namespace dlas {

/// One channel after the other, in plain C++: a popcount where the target has it. Targets with better instructions specialize it in their
/// headers, with
///   lanes              output channels at a time
///   most_sums          how many `sum`s of a tile fit the registers
///   most_words         how many words a sum can count
///   operand            what a word of input is kept as; prepare(word) makes it
///   weights            a word for each lane; load_weights
///   sum, zero(), count(operand, weights, sum)   sum + the bits set in both, of each lane
///   totals(sums)       of as many channels as a vector of floats has, as vectors of integers (simd<std::int8_t, Target>::sums)
///   position(channel)  where the channel's word stands among those
template <class Target>
struct plain_bit_products {
    static constexpr int lanes = 1;
    static constexpr int most_sums = 8;
    static constexpr int most_words = 1 << 24;
    using operand = std::uint64_t;
    using weights = std::uint64_t;
    using sum = std::int64_t;

    static constexpr int position(int channel) { return channel; }
    [[gnu::always_inline]] static operand prepare(std::uint64_t word) { return word; }
    [[gnu::always_inline]] static weights load_weights(const void* from) {
        std::uint64_t word;
        __builtin_memcpy(&word, from, sizeof word);
        return word;
    }
    [[gnu::always_inline]] static sum zero() { return 0; }
    [[gnu::always_inline]] static sum count(operand x, weights w, sum s) { return s + __builtin_popcountll(x & w); }
    template <int Channels>
    [[gnu::always_inline]] static auto totals(const sum (&sums)[Channels]) {
        std::int32_t of_channels[Channels];
        for (int i = 0; i < Channels; ++i) of_channels[i] = static_cast<std::int32_t>(sums[i]);
        return simd<std::int8_t, Target>::load_sums(of_channels);
    }
};

template <class Target>
struct bit_products : plain_bit_products<Target> {};

}  // namespace dlas
