// Integers scaled without floats: parameters, sums of two maps, pooling. Algorithms & Data Formats.
// Arithmetic of TensorFlow Lite's reference kernels; Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference" (CVPR 2018).
#pragma once

#include <cstdint>

#include <dlas/algorithms/elementwise.hpp>
#include <dlas/algorithms/kernel.hpp>
#include <dlas/algorithms/pool.hpp>
#include <dlas/hardware/words.hpp>

namespace dlas {

/// The fixed-point number nearest to a positive real one; 0 below 2^-32, 2^29 beyond that.
[[gnu::always_inline]] constexpr fixed_scale fixed_scale_of(double real) {
    if (!(real > 0)) return {};
    fixed_scale scale;
    for (; real >= 1; real /= 2) ++scale.shift;
    for (; real < 0.5; real *= 2) --scale.shift;
    auto multiplier = static_cast<std::int64_t>(real * 2147483648.0 + 0.5);
    if (multiplier == std::int64_t{1} << 31) {
        multiplier /= 2;
        ++scale.shift;
    }
    if (scale.shift < -31) return {};
    if (scale.shift > 29) return {0x7fffffff, 29};
    scale.multiplier = static_cast<std::int32_t>(multiplier);
    return scale;
}

/// x times a fixed-point number by its definition, for any x: what kernels compute faster where they can (see words.hpp). Cut off near 2^30.
[[gnu::always_inline]] constexpr std::int32_t scaled_exactly(std::int32_t x, const fixed_scale& scale, scaling way) {
    constexpr std::int64_t most = 0x7fffffff;
    std::int64_t left = std::int64_t{x} * (std::int64_t{1} << (scale.shift > 0 ? scale.shift : 0));
    if (scale.shift > 0) left = left < -most ? -most : left > most ? most : left;
    const std::int64_t product = left * scale.multiplier;
    const int right = scale.shift > 0 ? 0 : -scale.shift;
    auto shifted = [](std::int64_t value, int by)
                       __attribute__((always_inline)) { return by == 0 ? value : (value + (std::int64_t{1} << (by - 1))) >> by; };
    if (way == scaling::fixed_once) return static_cast<std::int32_t>(shifted(product, 31 + right));
    const std::int64_t high = shifted(product, 31);
    return static_cast<std::int32_t>(high < 0 ? -shifted(-high, right) : shifted(high, right));
}

/// The n of a power of two, 2^n; of other positive numbers, that of the next less.
[[gnu::always_inline]] constexpr int exponent_of(double power) {
    int exponent = 0;
    for (; power >= 2; power /= 2) ++exponent;
    for (; power < 1; power *= 2) --exponent;
    return exponent;
}

/// What a channel's sum begins with and is scaled by.
struct channel_scale {
    std::int32_t bias = 0;
    fixed_scale scale;
};

/// What the result of a channel without weights is bounded by.
inline constexpr std::int32_t bias_bound = 1 << 20;

/// The sum of a channel without weights is its bias, which may be as large as it likes: a small one that gives the same result stands for it.
[[gnu::always_inline]] constexpr channel_scale channel_scale_of(std::int32_t bias, bool any_weights, double real, scaling way) {
    const fixed_scale scale = fixed_scale_of(real);
    if (any_weights) return {bias, scale};
    std::int32_t result = scaled_exactly(bias, scale, way);
    result = result < -bias_bound ? -bias_bound : result > bias_bound ? bias_bound : result;
    return {2 * result, {1 << 30, 0}};
}

/// What a factor of words.hpp can be: no more than nearly 1, or nearly 1/2 where scaling rounds once. Beyond that all but 0 is saturated.
[[gnu::always_inline]] constexpr fixed_scale factor_of(double real, scaling way) {
    fixed_scale scale = fixed_scale_of(real);
    const int most = way == scaling::fixed_once ? -1 : 0;
    if (scale.multiplier > 0 && scale.shift > most) scale = {0x7fffffff, most};
    return scale;
}

/// What the outputs of a step have in common; stands before its other parameters.
struct fixed_parameters {
    std::int32_t input_zero = 0;
    std::int32_t output_zero = 0;
    std::int32_t low = -128;  ///< bounds of the output
    std::int32_t high = 127;
    // Of a sum of two maps; of a convolution with a residual, the first is its own result.
    std::int32_t first_zero = 0;
    std::int32_t second_zero = 0;
    fixed_scale first, second, sum;  ///< powers of two are shifts alone: of both to the left, to the unit of their sum; of the sum to the right
};

inline constexpr int fixed_parameter_bytes = 64;

/// Bits that the operands of a sum are shifted by before they are scaled: what rounding loses is then far below one.
inline constexpr int sum_bits = 20;

/// Where scaling rounds once, operands are added in units of 2^-fraction_bits of the output's scale.
inline constexpr int fraction_bits = 6;

/// `first` is what the first operand of a sum stands for, where there is one.
[[gnu::always_inline]] constexpr fixed_parameters fixed_parameters_of(const quantized_parameters& p, const quantization& first, scaling way,
                                                                      bool adds, activation function) {
    fixed_parameters f;
    f.input_zero = p.input.zero;
    f.output_zero = p.output.zero;
    if (function != activation::none && p.output.zero > f.low) f.low = p.output.zero;
    if (function == activation::relu6) {
        const double six = double{6} / double{p.output.scale};  // rounded as TensorFlow Lite does
        if (six < 255) {
            const int high = p.output.zero + static_cast<int>(six + 0.5);
            if (high < f.high) f.high = high;
        }
    }
    if (adds) {
        f.first_zero = first.zero;
        f.second_zero = p.second.zero;
        if (way == scaling::power_of_two) {
            // The unit is the smallest of the scales, so that nothing is rounded before the sum.
            const float smaller = p.second.scale < p.output.scale ? p.second.scale : p.output.scale;
            const double unit = double{first.scale < smaller ? first.scale : smaller};
            f.first.shift = exponent_of(double{first.scale} / unit);
            f.second.shift = exponent_of(double{p.second.scale} / unit);
            f.sum.shift = exponent_of(double{p.output.scale} / unit);
            return f;
        }
        // To halves of the larger scale, as TensorFlow Lite does, or to fractions of the output's.
        const double larger = 2 * double{first.scale > p.second.scale ? first.scale : p.second.scale};
        const double unit = way == scaling::fixed_twice ? larger : double{p.output.scale} * (1 << (sum_bits - fraction_bits));
        f.first = factor_of(double{first.scale} / unit, way);
        f.second = factor_of(double{p.second.scale} / unit, way);
        f.sum = factor_of(larger / ((1 << sum_bits) * double{p.output.scale}), way);
    }
    return f;
}

template <class Target>
void pack_fixed_parameters(const fixed_parameters& f, void* packed) {
    __builtin_memcpy(packed, &f, sizeof f);
}

template <class Target>
[[gnu::always_inline]] inline fixed_parameters load_fixed_parameters(const void* packed) {
    fixed_parameters f;
    __builtin_memcpy(&f, packed, sizeof f);
    return f;
}

/// The sum of two integers that have scales of their own.
template <scaling Scaling, bool AboveZero, class Target>
struct fixed_addition {
    using vector = words<Target>;
    using word = typename vector::word;
    typename vector::template factor<Scaling, sum_bits> first, second;
    typename vector::template factor<Scaling, 0> sum;
    std::int32_t rounding;

    [[gnu::always_inline]] explicit fixed_addition(const fixed_parameters& f)
        : first(f.first, f.first_zero, 0),
          second(f.second, f.second_zero, 0),
          sum(f.sum, 0, f.output_zero),
          rounding((1 << fraction_bits >> 1) + f.output_zero * (1 << fraction_bits)) {}

    [[gnu::always_inline]] word operator()(word x, word y) const { return finish(first.template apply<false>(x), y); }
    /// The same of what is scaled already.
    [[gnu::always_inline]] word finish(word scaled, word y) const {
        const word both = vector::add(scaled, second.template apply<false>(y));
        if constexpr (Scaling == scaling::fixed_twice)
            return sum.template apply<AboveZero>(both);
        else
            return vector::template shift_right<fraction_bits>(vector::add(both, vector::broadcast(rounding)));
    }
};

/// The same by shifts, rounded once.
template <bool AboveZero, class Target>
struct fixed_addition<scaling::power_of_two, AboveZero, Target> {
    using vector = words<Target>;
    using word = typename vector::word;
    word first, second, bias, sum;

    [[gnu::always_inline]] explicit fixed_addition(const fixed_parameters& f)
        : first(vector::broadcast(f.first.shift)),
          second(vector::broadcast(f.second.shift)),
          bias(vector::broadcast((1 << f.sum.shift >> 1) + f.output_zero * (1 << f.sum.shift) - f.first_zero * (1 << f.first.shift) -
                                 f.second_zero * (1 << f.second.shift))),
          sum(vector::broadcast(f.sum.shift)) {}

    [[gnu::always_inline]] word operator()(word x, word y) const {
        return vector::shifted_right(vector::add(vector::add(vector::shifted_left(x, first), vector::shifted_left(y, second)), bias), sum);
    }
};

/// What the sums of a channel stand for.
[[gnu::always_inline]] constexpr double scale_of_products(const quantized_parameters& p, int channel) {
    return p.scale_product > 0 ? double{p.scale_product} : double{p.input.scale} * double{p.filter_scales[channel]};
}

/// What a convolution's sums are scaled to, and the zero point that is added then.
template <scaling Scaling>
[[gnu::always_inline]] constexpr double scale_of_result(const quantized_parameters& p, bool residual) {
    if (!residual || Scaling == scaling::power_of_two) return double{p.output.scale};
    return Scaling == scaling::fixed_twice ? double{p.sum.scale} : double{p.output.scale} / (1 << fraction_bits);
}
template <scaling Scaling>
[[gnu::always_inline]] inline std::int32_t zero_of_result(const fixed_parameters& f, bool residual) {
    return !residual ? f.output_zero : Scaling == scaling::fixed_twice ? f.first_zero : 0;
}

/// How a channel's sum ends where scales are powers of two: (sum + residual * 2^left) / 2^right, rounded down. All else that has to be added
/// stands in its bias: what rounds to nearest, and the zero points of the three maps.
struct shifted_channel {
    std::int64_t bias = 0;
    int left = 0;
    int right = 0;
};

/// By how many bits the scales of maps that are added, and of their sum, may differ.
inline constexpr int most_shift = 15;

[[gnu::always_inline]] constexpr shifted_channel shifted_channel_of(const quantized_parameters& p, int channel, std::int32_t total, bool any_weights,
                                                                    bool residual) {
    const double products = scale_of_products(p, channel);
    shifted_channel c = {std::int64_t{p.bias[channel]} - std::int64_t{p.input.zero} * total,
                         residual ? exponent_of(double{p.second.scale} / products) : 0, exponent_of(double{p.output.scale} / products)};
    c.bias += std::int64_t{1} << c.right >> 1;
    if (!any_weights) {
        // A bias alone may be as large as it likes: bits below those of the residual and the result make no difference, nor do the highest.
        const int unseen = residual && c.left < c.right ? c.left : c.right;
        constexpr std::int64_t most = std::int64_t{1} << (most_shift + 10);
        c.bias >>= unseen;
        c.bias = c.bias < -most ? -most : c.bias > most ? most : c.bias;
        c.left -= residual ? unseen : 0;
        c.right -= unseen;
    }
    c.bias += p.output.zero * (std::int64_t{1} << c.right);
    if (residual) c.bias -= p.second.zero * (std::int64_t{1} << c.left);
    return c;
}

/// What a convolution's kernel begins the sums of each channel with and scales them by, in its packed weights: arrays of biases, of multipliers
/// where these are no powers of two, and of shifts.
template <scaling Scaling>
struct packed_channels {
    static constexpr int arrays = Scaling == scaling::power_of_two ? 2 : 3;
    std::int32_t* biases;
    int count;  ///< of each array's elements

    /// Channels that only fill up a tile, and begin as zeros, are shifted too: by so many bits that their residual is shifted by none below 0.
    [[gnu::always_inline]] void fill() const {
        if constexpr (Scaling == scaling::power_of_two)
            for (int at = 0; at < count; ++at) biases[count + at] = most_shift;
    }
    /// Writes element `at` for a channel whose weights add up to `total`; the input's zero point goes into the bias.
    [[gnu::always_inline]] void pack(int at, const quantized_parameters& p, int channel, std::int32_t total, bool any_weights, bool residual) const {
        if constexpr (Scaling == scaling::power_of_two) {
            const shifted_channel c = shifted_channel_of(p, channel, total, any_weights, residual);
            biases[at] = static_cast<std::int32_t>(c.bias);
            biases[count + at] = c.right;
        } else {
            const channel_scale c = channel_scale_of(p.bias[channel] - p.input.zero * total, any_weights,
                                                     scale_of_products(p, channel) / scale_of_result<Scaling>(p, residual), Scaling);
            biases[at] = c.bias;
            biases[count + at] = c.scale.multiplier;
            biases[2 * count + at] = c.scale.shift;
        }
    }
};

/// Scales the sums of neighbouring channels, whose first has the bias that `biases` points to (packed_channels).
template <scaling Scaling, class Target>
struct channel_scaler {
    using vector = words<Target>;
    using word = typename vector::word;
    typename vector::template scaler<Scaling> scale;
    const fixed_parameters& parameters;

    [[gnu::always_inline]] channel_scaler(const std::int32_t* biases, int count, const fixed_parameters& f, std::int32_t zero)
        : scale(biases + count, biases + 2 * count, zero), parameters(f) {}

    template <bool AboveZero>
    [[gnu::always_inline]] word apply(word sum) const {
        return scale.template apply<AboveZero>(sum);
    }
    /// The same with a residual added, of which `exist` bytes are there; all of a word's where Whole.
    template <bool AboveZero, bool Whole>
    [[gnu::always_inline]] word add(word sum, const std::int8_t* residual, int exist) const {
        const word scaled = scale.template apply<false>(sum);
        return fixed_addition<Scaling, AboveZero, Target>(parameters).finish(scaled, vector::template load_bytes<Whole>(residual, exist));
    }
};

template <class Target>
struct channel_scaler<scaling::power_of_two, Target> {
    using vector = words<Target>;
    using word = typename vector::word;
    word left, right;

    /// A convolution's residual lies as far from the sums of a channel as from its output, and further by what these are shifted.
    [[gnu::always_inline]] channel_scaler(const std::int32_t* biases, int count, const fixed_parameters& f, std::int32_t)
        : right(vector::load(biases + count)) {
        left = vector::add(right, vector::broadcast(f.second.shift - f.sum.shift));
    }

    template <bool AboveZero>
    [[gnu::always_inline]] word apply(word sum) const {
        return vector::shifted_right(sum, right);
    }
    template <bool AboveZero, bool Whole>
    [[gnu::always_inline]] word add(word sum, const std::int8_t* residual, int exist) const {
        const word shifted = vector::shifted_left(vector::template load_bytes<Whole>(residual, exist), left);
        return vector::shifted_right(vector::add(sum, shifted), right);
    }
};

/// Bounds narrower than those of a byte: few layers have them, after what was computed saturated.
template <class Target>
void clamp_bytes(std::int8_t* bytes, int count, std::int32_t low, std::int32_t high) {
    for (int i = 0; i < count; ++i) {
        if (bytes[i] < low) bytes[i] = static_cast<std::int8_t>(low);
        if (bytes[i] > high) bytes[i] = static_cast<std::int8_t>(high);
    }
}

/// out = activation(x + y), each with its scale; `out` may be x or y.
template <scaling Scaling, bool AboveZero, class Target>
[[gnu::noinline]] void add_bytes(const fixed_parameters& f, const std::int8_t* x, const std::int8_t* y, std::int8_t* out, int count) {
    using vector = words<Target>;
    const fixed_addition<Scaling, AboveZero, Target> add(f);
    int i = 0;
    for (; i + vector::lanes <= count; i += vector::lanes)
        vector::template store_bytes<true>(
            out + i, vector::saturated(add(vector::template load_bytes<true>(x + i, 0), vector::template load_bytes<true>(y + i, 0))), 0);
    if constexpr (vector::lanes > 1)
        if (i < count)
            vector::template store_bytes<false>(
                out + i,
                vector::saturated(add(vector::template load_bytes<false>(x + i, count - i), vector::template load_bytes<false>(y + i, count - i))),
                count - i);
    if (f.low > -128 || f.high < 127) clamp_bytes<Target>(out, count, f.low, f.high);
}

/// out = activation(in + second), each with its scale.
template <elementwise_key Key, scaling Scaling, class Target>
struct fixed_add_kernel {
    static_assert(Key.function == elementwise::add && Key.in.type == element::s8 && Key.out.type == element::s8);
    /// Without gaps between its pixels a row is one long pixel.
    static constexpr bool gapless =
        Key.in.pixel_stride == Key.map.channels && Key.second.pixel_stride == Key.map.channels && Key.out.pixel_stride == Key.map.channels;
    static constexpr int columns = gapless ? 1 : Key.map.width;
    static constexpr int count = gapless ? Key.map.width * Key.map.channels : Key.map.channels;

    static void run(const kernel_arguments& a) {
        const fixed_parameters f = load_fixed_parameters<Target>(a.weights);
        const range rows = share_of(Key.map.height, a.part, a.parts);
        for (int row = rows.begin; row < rows.end; ++row)
            for (int column = 0; column < columns; ++column)
                add_bytes<Scaling, Key.activation != activation::none, Target>(
                    f, static_cast<const std::int8_t*>(a.input) + row * Key.in.row_stride + column * Key.in.pixel_stride,
                    static_cast<const std::int8_t*>(a.second) + row * Key.second.row_stride + column * Key.second.pixel_stride,
                    static_cast<std::int8_t*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride, count);
    }
};

/// Maximum, or average rounded to nearest with halves away from zero; the output keeps the input's scale and zero point.
template <pool2d_key Key, class Target>
struct fixed_pool2d_kernel {
    static constexpr pool2d_layer layer = Key.layer;
    static constexpr shape out = layer.out();
    static_assert(Key.in.type == element::s8 && Key.out.type == element::s8);
    static_assert(layer.kernel.area() < 1 << 22, "[dlas] pool2d: the window is too large for 32-bit sums");
    static constexpr bool cut = !layer.padding.empty();

    static void run(const kernel_arguments& a) {
        [[maybe_unused]] const std::int32_t zero = load_fixed_parameters<Target>(a.weights).input_zero;
        const range rows = share_of(out.height, a.part, a.parts);
        for (int row = rows.begin; row < rows.end; ++row)
            for (int column = 0; column < out.width; ++column) {
                const int top = row * layer.stride.height - layer.padding.top, left = column * layer.stride.width - layer.padding.left;
                const range window_rows = inside(top, layer.kernel.height, layer.in.height),
                            window_columns = inside(left, layer.kernel.width, layer.in.width);
                const auto* in =
                    static_cast<const std::int8_t*>(a.input) + window_rows.begin * Key.in.row_stride + window_columns.begin * Key.in.pixel_stride;
                auto* to = static_cast<std::int8_t*>(a.output) + row * Key.out.row_stride + column * Key.out.pixel_stride;
                const int height = window_rows.end - window_rows.begin, width = window_columns.end - window_columns.begin;
                for (int channel = 0; channel < layer.in.channels; ++channel) {
                    std::int32_t result = layer.maximum ? -128 : 0;
                    for (int r = 0; r < height; ++r) {
                        const std::int8_t* from = in + r * Key.in.row_stride + channel;
                        for (int c = 0; c < width; ++c, from += Key.in.pixel_stride) {
                            if constexpr (layer.maximum)
                                result = *from > result ? *from : result;
                            else
                                result += *from;
                        }
                    }
                    if constexpr (!layer.maximum) {
                        int counted = layer.kernel.area();
                        if constexpr (cut) {
                            if (layer.count_padding)
                                result += (counted - height * width) * zero;
                            else
                                counted = height * width;
                        }
                        result = (result > 0 ? result + counted / 2 : result - counted / 2) / counted;
                    }
                    to[channel] = static_cast<std::int8_t>(result);
                }
            }
    }

private:
    static constexpr range inside(int begin, int count, int most) {
        if constexpr (!cut) return {begin, begin + count};
        return {begin < 0 ? 0 : begin, begin + count < most ? begin + count : most};
    }
};

}  // namespace dlas
