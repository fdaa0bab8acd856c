// The vocabulary of kernels that sum up products of bytes one pixel and channel at a time, as microcontrollers do best. Hardware.
#pragma once

#include <cstdint>
#include <cstring>

namespace dlas {

/// Products of a run of buffered input values and a run of weights of `Bits` bits, in plain C++. Targets with better instructions
/// specialize it in their headers, with
///   value                 what lines of input are buffered as; widen(from, to, count) fills them
///   terms                 products of one dot(); runs are padded to it with weights of zero
///   most_pixels, channels the register tile: sums of so many pixels (at most) and output channels at a time
///   position(k)           where the weight of term k stands among those of its dot
///   load_pixel<Aligned>(values, offset), load_weights   `terms` operands; where Aligned, values stand at multiples of `terms` values,
///                         weights always at multiples of terms * Bits / 8 bytes
///   sum, start(bias), dot(pixel, weights, sum), total(sum)
template <class Target, int Bits>
struct plain_byte_products {
    using value = std::int8_t;
    static constexpr int terms = 8 / Bits;
    static constexpr int most_pixels = 4;
    static constexpr int channels = 2;
    static constexpr int unroll = 4;  ///< dots of one turn of a loop, where their number allows

    static constexpr int position(int term) { return term; }
    struct pixel {
        const value* at;
    };
    struct weights {
        std::int32_t at[terms];
    };
    using sum = std::int32_t;

    [[gnu::always_inline]] static void widen(const std::int8_t* from, value* to, int count) {
        __builtin_memcpy(to, from, static_cast<unsigned>(count));
    }
    template <bool Aligned>
    [[gnu::always_inline]] static pixel load_pixel(const value* from, int offset) {
        return {from + offset};
    }
    [[gnu::always_inline]] static weights load_weights(const std::int8_t* from) {
        weights w;
        for (int k = 0; k < terms; ++k)
            w.at[k] = static_cast<std::int32_t>(static_cast<std::uint32_t>(*from) << (32 - Bits * (k + 1))) >> (32 - Bits);
        return w;
    }
    [[gnu::always_inline]] static sum start(std::int32_t bias) { return bias; }
    [[gnu::always_inline]] static sum dot(pixel x, const weights& w, sum s) {
        for (int k = 0; k < terms; ++k) s += x.at[k] * w.at[k];
        return s;
    }
    [[gnu::always_inline]] static std::int32_t total(sum s) { return s; }
};

template <class Target, int Bits>
struct byte_products : plain_byte_products<Target, Bits> {};

/// Products channel by channel, for depthwise layers, in plain C++. Targets with better instructions specialize it, with
///   value, widen          as above
///   lanes, most_pixels    channels at a time; pixels of a register tile
///   weight                what weights are packed as; load_values, load_weights: of `lanes` neighbouring channels
///   sums, start(biases), multiply_add(values, weights, sums), total<N>(sums)   the N-th of the words<Target> that they are
template <class Target>
struct plain_channel_products {
    using value = std::int8_t;
    using weight = std::int8_t;
    static constexpr int lanes = 1;
    static constexpr int most_pixels = 4;
    using values = std::int32_t;
    using weights = std::int32_t;
    using sums = std::int32_t;

    [[gnu::always_inline]] static void widen(const std::int8_t* from, value* to, int count) {
        __builtin_memcpy(to, from, static_cast<unsigned>(count));
    }
    [[gnu::always_inline]] static values load_values(const value* from) { return *from; }
    [[gnu::always_inline]] static weights load_weights(const weight* from) { return *from; }
    [[gnu::always_inline]] static sums start(const std::int32_t* biases) { return *biases; }
    [[gnu::always_inline]] static sums multiply_add(values x, weights w, sums s) { return s + x * w; }
    template <int N>
    [[gnu::always_inline]] static sums total(sums s) {
        return s;
    }
};

template <class Target>
struct channel_products : plain_channel_products<Target> {};

}  // namespace dlas
