// The layers of a network by their numbers. Core: models state them, algorithms are asked whether they can run them.
#pragma once

#include <cstdint>
#include <string_view>

#include <dlas/core/shape.hpp>

namespace dlas {

/// Elementwise function at the end of a layer.
enum class activation : std::uint8_t {
    none,
    relu,
    relu6,
    silu,     // x * sigmoid(x), also called swish
    sigmoid,  // 1 / (1 + exp(-x))
};

constexpr std::string_view activation_name(activation function) {
    constexpr std::string_view names[] = {"none", "relu", "relu6", "silu", "sigmoid"};
    return names[static_cast<int>(function)];
}

/// One convolution: y = activation(conv(x) + bias [+ residual]). A linear layer is a convolution whose window is the whole input.
struct conv2d_layer {
    shape in;                ///< input feature map, NHWC, batch 1
    int channels = 1;        ///< output channels
    extent kernel = 1;       ///< window
    extent stride = 1;
    extent dilation = 1;
    border padding = 0;      ///< zeros around the input
    int groups = 1;          ///< groups of channels that do not see each other; in.channels for depthwise
    dlas::activation activation = activation::none;
    bool residual = false;   ///< adds a second feature map of the output's shape before the activation
    bool gated = false;      ///< input channels are scaled by those of a map of one pixel

    constexpr bool operator==(const conv2d_layer&) const = default;

    /// Rows and columns that one window covers: dilation * (kernel - 1) + 1.
    constexpr extent reach() const { return {dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1}; }
    constexpr shape out() const {
        return {(in.height + padding.top + padding.bottom - reach().height) / stride.height + 1,
                (in.width + padding.left + padding.right - reach().width) / stride.width + 1, channels};
    }
    constexpr int group_in() const { return in.channels / groups; }
    constexpr int group_out() const { return channels / groups; }
    constexpr bool depthwise() const { return groups > 1 && groups == in.channels && channels == in.channels; }
    /// Elements of the filter, OIHW.
    constexpr std::int64_t filter_elements() const { return std::int64_t{channels} * group_in() * kernel.area(); }
    /// Multiply-accumulates of one run.
    constexpr std::int64_t macs() const { return filter_elements() * out().pixels(); }
};

/// One pooling window sliding over a feature map; channels are independent.
struct pool2d_layer {
    shape in;
    extent kernel = 2;
    extent stride = 2;
    border padding = 0;
    bool maximum = true;             ///< else the average
    bool count_padding = true;       ///< average divides by the window's area, padding included (PyTorch's default)

    constexpr bool operator==(const pool2d_layer&) const = default;
    constexpr shape out() const {
        return {(in.height + padding.top + padding.bottom - kernel.height) / stride.height + 1,
                (in.width + padding.left + padding.right - kernel.width) / stride.width + 1, in.channels};
    }
};

/// TensorFlow's SAME padding: output = ceil(input / stride), the odd zero at the bottom and right.
constexpr border same_padding(shape in, extent kernel, extent stride, extent dilation = 1) {
    auto total = [](int input, int window, int step) {
        const int output = (input + step - 1) / step;
        const int missing = (output - 1) * step + window - input;
        return missing > 0 ? missing : 0;
    };
    const int rows = total(in.height, dilation.height * (kernel.height - 1) + 1, stride.height);
    const int columns = total(in.width, dilation.width * (kernel.width - 1) + 1, stride.width);
    return {rows / 2, rows - rows / 2, columns / 2, columns - columns / 2};
}

}  // namespace dlas
