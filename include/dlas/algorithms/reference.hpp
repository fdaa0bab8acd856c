// The operations as their definitions say them, in double precision: what every kernel is compared with.
// Algorithms & Data Formats. Feature maps are NHWC without halo or gaps; filters OIHW. Slow on purpose.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <dlas/algorithms/kernel.hpp>
#include <dlas/core/layer.hpp>

namespace dlas::reference {

inline double activated(activation function, double x) {
    switch (function) {
    case activation::none: break;
    case activation::relu: return x < 0 ? 0 : x;
    case activation::relu6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case activation::silu: return x / (1 + std::exp(-x));
    case activation::sigmoid: return 1 / (1 + std::exp(-x));
    }
    return x;
}

/// y = activation(conv(x) + bias [+ residual]). `bias` and `residual` may be null.
inline void conv2d(const conv2d_layer& layer, const float* input, const float* filter, const float* bias, const float* residual, double* output) {
    const shape out = layer.out();
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < out.channels; ++channel) {
                const int group = channel / layer.group_out();
                double sum = bias != nullptr ? double{bias[channel]} : 0.0;
                for (int r = 0; r < layer.kernel.height; ++r)
                    for (int c = 0; c < layer.kernel.width; ++c) {
                        const int y = row * layer.stride.height + r * layer.dilation.height - layer.padding.top;
                        const int x = column * layer.stride.width + c * layer.dilation.width - layer.padding.left;
                        if (y < 0 || y >= layer.in.height || x < 0 || x >= layer.in.width) continue;
                        for (int i = 0; i < layer.group_in(); ++i) {
                            const float value = input[(std::int64_t{y} * layer.in.width + x) * layer.in.channels + group * layer.group_in() + i];
                            const float weight = filter[((std::int64_t{channel} * layer.group_in() + i) * layer.kernel.height + r) * layer.kernel.width + c];
                            sum += double{value} * double{weight};
                        }
                    }
                const std::int64_t at = (std::int64_t{row} * out.width + column) * out.channels + channel;
                if (residual != nullptr) sum += double{residual[at]};
                output[at] = activated(layer.activation, sum);
            }
}

/// The same of integers: the sum is exact; its product with the multiplier, that of the residual and their sum are floats, each rounded;
/// the result is rounded to the nearest integer, ties to even. A float output is that sum, in real units.
template <class Input, class Output>
void quantized_conv2d(const conv2d_layer& layer, const quantized_parameters& p, const Input* input, const Input* residual, Output* output) {
    constexpr element stored = std::is_same_v<Output, std::int16_t> ? element::s16 : element::s8;
    constexpr auto lowest = static_cast<float>(quantized_lowest(stored)), highest = static_cast<float>(quantized_highest(stored));
    constexpr bool real = std::is_same_v<Output, float>;
    const shape out = layer.out();
    const float scale = real ? 1.0f : p.output.scale;
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < out.channels; ++channel) {
                const int group = channel / layer.group_out();
                std::int64_t sum = p.bias[channel];
                for (int r = 0; r < layer.kernel.height; ++r)
                    for (int c = 0; c < layer.kernel.width; ++c) {
                        const int y = row * layer.stride.height + r * layer.dilation.height - layer.padding.top;
                        const int x = column * layer.stride.width + c * layer.dilation.width - layer.padding.left;
                        if (y < 0 || y >= layer.in.height || x < 0 || x >= layer.in.width) continue;
                        for (int i = 0; i < layer.group_in(); ++i)
                            sum += (input[(std::int64_t{y} * layer.in.width + x) * layer.in.channels + group * layer.group_in() + i] - p.input.zero) *
                                   p.filter[((std::int64_t{channel} * layer.group_in() + i) * layer.kernel.height + r) * layer.kernel.width + c];
                    }
                const std::int64_t at = (std::int64_t{row} * out.width + column) * out.channels + channel;
                volatile float y = static_cast<float>(sum) * (p.input.scale * p.filter_scales[channel] / scale);
                if (residual != nullptr) {
                    const volatile float added = static_cast<float>(residual[at] - p.second.zero) * (p.second.scale / scale);
                    y = y + added;
                }
                float z = y;
                if (layer.activation != activation::none && z < 0) z = 0;
                if (layer.activation == activation::relu6 && z > 6.0f / scale) z = 6.0f / scale;
                if constexpr (real) output[at] = z;
                else output[at] = static_cast<Output>(std::fmin(std::fmax(std::nearbyint(z) + static_cast<float>(p.output.zero), lowest), highest));
            }
}

inline void pool2d(const pool2d_layer& layer, const float* input, double* output) {
    const shape out = layer.out();
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < out.channels; ++channel) {
                bool any = false;
                double result = 0;
                int counted = 0;
                for (int r = 0; r < layer.kernel.height; ++r)
                    for (int c = 0; c < layer.kernel.width; ++c) {
                        const int y = row * layer.stride.height + r - layer.padding.top;
                        const int x = column * layer.stride.width + c - layer.padding.left;
                        if (y < 0 || y >= layer.in.height || x < 0 || x >= layer.in.width) continue;
                        const double value = double{input[(std::int64_t{y} * layer.in.width + x) * layer.in.channels + channel]};
                        if (layer.maximum) result = any && result > value ? result : value;
                        else result += value;
                        any = true;
                        ++counted;
                    }
                if (!layer.maximum) result /= layer.count_padding ? layer.kernel.area() : counted;
                output[(std::int64_t{row} * out.width + column) * out.channels + channel] = result;
            }
}

inline void global_average_pool(shape map, const float* input, double* output) {
    for (int channel = 0; channel < map.channels; ++channel) {
        double sum = 0;
        for (int pixel = 0; pixel < map.pixels(); ++pixel) sum += double{input[std::int64_t{pixel} * map.channels + channel]};
        output[channel] = sum / map.pixels();
    }
}

/// Every stride-th pixel, with channels of zeros before and after.
inline void subsample(shape in, shape out, int stride, int channels_before, const float* input, double* output) {
    for (int row = 0; row < out.height; ++row)
        for (int column = 0; column < out.width; ++column)
            for (int channel = 0; channel < out.channels; ++channel) {
                const int from = channel - channels_before;
                output[(std::int64_t{row} * out.width + column) * out.channels + channel] =
                    from < 0 || from >= in.channels ? 0.0
                                                    : double{input[(std::int64_t{row} * stride * in.width + std::int64_t{column} * stride) * in.channels + from]};
            }
}

}  // namespace dlas::reference
