// Layers of integers that are scaled by fixed-point numbers, by their definition: exact sums, one number after another, none of the library's
// arithmetic. Freestanding, so that firmware can be compared with it too.
#pragma once

#include <bit>
#include <cstdint>

#include <dlas/algorithms/kernel.hpp>

namespace fixed_point_definition {

using dlas::activation;
using dlas::quantized_parameters;
using dlas::scaling;

/// mantissa * 2^(shift - 31), nearest to a positive real: the mantissa has 31 bits. Nothing where the real is below 2^-32.
struct multiplier {
    std::int64_t mantissa = 0;
    int shift = 0;

    constexpr explicit multiplier(double real) {
        const auto bits = std::bit_cast<std::uint64_t>(real);
        const std::uint64_t significand = (bits & 0xfffffffffffffu) | 0x10000000000000u;  // 53 bits
        shift = static_cast<int>(bits >> 52 & 0x7ffu) - 1022;
        mantissa = static_cast<std::int64_t>((significand + (1u << 21)) >> 22);
        if (mantissa == std::int64_t{1} << 31) {
            mantissa /= 2;
            ++shift;
        }
        if (shift < -31) mantissa = shift = 0;
    }
};

/// x / 2^bits to the nearest integer; halves go up, or away from zero.
constexpr std::int64_t divided_halves_up(std::int64_t x, int bits) { return bits == 0 ? x : ((x >> (bits - 1)) + 1) >> 1; }
constexpr std::int64_t divided_halves_away(std::int64_t x, int bits) { return x < 0 ? -divided_halves_up(-x, bits) : divided_halves_up(x, bits); }

/// x times a multiplier. What lies far beyond a byte may come out as anything that does.
constexpr std::int64_t scaled(std::int64_t x, const multiplier& m, scaling way) {
    constexpr std::int64_t most = std::int64_t{1} << 31;
    for (int i = 0; i < m.shift; ++i) x = 2 * x > most ? most : 2 * x < -most ? -most : 2 * x;
    const int right = m.shift < 0 ? -m.shift : 0;
    if (way != scaling::fixed_twice) return divided_halves_up(x * m.mantissa, 31 + right);
    return divided_halves_away(divided_halves_up(x * m.mantissa, 31), right);
}

constexpr std::int64_t clamped(std::int64_t x, std::int64_t low, std::int64_t high) { return x < low ? low : x > high ? high : x; }

/// Saturated, and cut off by an activation: 0 and 6 are found among the output's integers.
constexpr std::int8_t finished(std::int64_t x, const dlas::quantization& output, activation function) {
    std::int64_t low = -128, high = 127;
    if (function != activation::none) low = output.zero;
    if (function == activation::relu6) {
        const double six = 6.0 / double{output.scale};
        if (six < 1000) high = clamped(output.zero + static_cast<std::int64_t>(six + 0.5), -128, 127);
    }
    return static_cast<std::int8_t>(clamped(x, low, high));
}

/// What an operand of a sum is in the units in which both are added: where scaling is twice, 2^-20 of twice the larger scale; where it is once, 2^-6
/// of the output's; where it is by powers of two, the smallest of the scales.
constexpr std::int64_t operand(std::int32_t x, const dlas::quantization& of, double unit, scaling way) {
    if (way == scaling::power_of_two) return std::int64_t{x - of.zero} * static_cast<std::int64_t>(double{of.scale} / unit);
    return scaled(std::int64_t{x - of.zero} * (1 << 20), multiplier(double{of.scale} / unit), way);
}
constexpr double unit_of_sum(float first, float second, float output, scaling way) {
    const float larger = first > second ? first : second, smaller = first > second ? second : first;
    if (way == scaling::power_of_two) return double{smaller < output ? smaller : output};
    return way == scaling::fixed_twice ? 2 * double{larger} : double{output} * 16384;
}
constexpr std::int64_t sum_of(std::int64_t both, double unit, const dlas::quantization& output, scaling way) {
    if (way == scaling::fixed_once) return divided_halves_up(both, 6) + output.zero;
    if (way == scaling::power_of_two) return scaled(both, multiplier(unit / double{output.scale}), way) + output.zero;
    return scaled(both, multiplier(unit / (1048576.0 * double{output.scale})), way) + output.zero;
}

constexpr std::int8_t added(std::int32_t x, const dlas::quantization& first, std::int32_t y, const dlas::quantization& second,
                            const dlas::quantization& output, activation function, scaling way) {
    const double unit = unit_of_sum(first.scale, second.scale, output.scale, way);
    return finished(sum_of(operand(x, first, unit, way) + operand(y, second, unit, way), unit, output, way), output, function);
}

/// One output element of a convolution; filters are OIHW, maps dense.
constexpr std::int8_t convolved(const dlas::conv2d_layer& layer, const quantized_parameters& p, scaling way, const std::int8_t* input,
                                const std::int8_t* residual, int row, int column, int channel) {
    const int group = channel / layer.group_out();
    std::int64_t sum = p.bias[channel];
    for (int r = 0; r < layer.kernel.height; ++r)
        for (int c = 0; c < layer.kernel.width; ++c)
            for (int i = 0; i < layer.group_in(); ++i) {
                const int y = row * layer.stride.height + r * layer.dilation.height - layer.padding.top;
                const int x = column * layer.stride.width + c * layer.dilation.width - layer.padding.left;
                if (y < 0 || y >= layer.in.height || x < 0 || x >= layer.in.width) continue;  // the zero point
                const std::int64_t weight = p.filter[((channel * layer.group_in() + i) * layer.kernel.height + r) * layer.kernel.width + c];
                sum += weight * (input[(y * layer.in.width + x) * layer.in.channels + group * layer.group_in() + i] - p.input.zero);
            }
    const double products = p.scale_product > 0 ? double{p.scale_product} : double{p.input.scale} * double{p.filter_scales[channel]};
    if (residual == nullptr) return finished(scaled(sum, multiplier(products / double{p.output.scale}), way) + p.output.zero, p.output, layer.activation);
    const std::int8_t other = residual[(row * layer.out().width + column) * layer.channels + channel];
    if (way == scaling::power_of_two)
        return finished(sum_of(sum + operand(other, p.second, products, way), products, p.output, way), p.output, layer.activation);
    if (way == scaling::fixed_once) {
        const double unit = double{p.output.scale} * 16384;
        const std::int64_t result = scaled(sum, multiplier(products / (double{p.output.scale} / 64)), way);
        return finished(sum_of(result + operand(other, p.second, unit, way), unit, p.output, way), p.output, layer.activation);
    }
    const std::int8_t result = finished(scaled(sum, multiplier(products / double{p.sum.scale}), way) + p.sum.zero, p.sum, activation::none);
    return added(result, p.sum, other, p.second, p.output, layer.activation, way);
}

inline void conv2d(const dlas::conv2d_layer& layer, const quantized_parameters& p, scaling way, const std::int8_t* input, const std::int8_t* residual,
                   std::int8_t* output) {
    const dlas::shape out = layer.out();
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < out.channels; ++channel) *output++ = convolved(layer, p, way, input, residual, row, column, channel);
}

/// A maximum, or the mean of what is counted of the window, halves away from zero.
inline void pool2d(const dlas::pool2d_layer& layer, std::int32_t zero, const std::int8_t* input, std::int8_t* output) {
    const dlas::shape out = layer.out();
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < out.channels; ++channel) {
                std::int64_t sum = 0, counted = 0, largest = -128;
                for (int r = 0; r < layer.kernel.height; ++r)
                    for (int c = 0; c < layer.kernel.width; ++c) {
                        const int y = row * layer.stride.height + r - layer.padding.top, x = column * layer.stride.width + c - layer.padding.left;
                        const bool inside = y >= 0 && y < layer.in.height && x >= 0 && x < layer.in.width;
                        if (!inside && (layer.maximum || !layer.count_padding)) continue;
                        const std::int64_t value = inside ? input[(y * layer.in.width + x) * layer.in.channels + channel] : zero;
                        largest = value > largest ? value : largest;
                        sum += value;
                        ++counted;
                    }
                const std::int64_t mean = sum < 0 ? -((-2 * sum + counted) / (2 * counted)) : (2 * sum + counted) / (2 * counted);
                *output++ = static_cast<std::int8_t>(layer.maximum ? largest : mean);
            }
}

}  // namespace fixed_point_definition
