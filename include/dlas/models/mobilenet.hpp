// MobileNet (Howard et al., 2017) and MobileNetV2 (Sandler et al., 2018). Models & Neural Architectures.
//   mobilenet_v1 <imagenet>            Keras' names and SAME padding; on 32x32 problems a stem of stride 1
//   mobilenet_v1_quarter <imagenet>    width multiplier 0.25; on visual_wake_words MLPerf Tiny's, with ReLU for ReLU6 and pixels from 0 to 1
//   mobilenet_v2 <imagenet>            torchvision's names; on 32x32 problems the stem and the first two reductions keep the size
#pragma once

#include <dlas/datasets/problems.hpp>
#include <dlas/models/model.hpp>

namespace dlas {

namespace mobilenet {

/// What the networks of a problem were trained with.
template <class Problem>
struct v1_training {
    static constexpr preprocessing pixels = signed_unit_range;
    static constexpr activation function = activation::relu6;
};
template <>
struct v1_training<visual_wake_words> {
    static constexpr preprocessing pixels = unit_range;
    static constexpr activation function = activation::relu;
};

/// Convolution, batch normalization and activation with Keras' names.
constexpr tensor v1_layer(tensor x, const conv2d_options& options, layer_name name, activation function) {
    tensor y = conv2d(x, options, name);
    name.append("_bn");
    return activate(batch_norm(y, name, 1e-3f), function);
}

constexpr tensor v1(tensor x, int quarters, int classes, activation function) {
    const bool small = x.shape().height <= 64;
    auto width = [quarters](int channels) { return channels * quarters / 4; };
    const extent stem = small ? 1 : 2;
    x = v1_layer(x, {.channels = width(32), .kernel = 3, .stride = stem, .padding = same_padding(x.shape(), 3, stem), .bias = false}, "conv1", function);
    constexpr int channels[13] = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024};
    constexpr int strides[13] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
    for (int i = 0; i < 13; ++i) {
        layer_name depthwise_name("conv_dw_"), pointwise_name("conv_pw_");
        depthwise_name.append(i + 1);
        pointwise_name.append(i + 1);
        x = v1_layer(x, {.channels = x.channels(), .kernel = 3, .stride = strides[i], .padding = same_padding(x.shape(), 3, strides[i]),
                         .groups = x.channels(), .bias = false}, depthwise_name, function);
        x = v1_layer(x, {.channels = width(channels[i]), .bias = false}, pointwise_name, function);
    }
    return conv2d(global_average_pool(x), {.channels = classes}, "conv_preds");
}

/// Convolution and batch normalization as torchvision nests them: with an activation in a block of their own, else side by side.
constexpr tensor v2_layer(tensor x, conv2d_options options, layer_name at, int index, bool activated) {
    options.bias = false;
    if (!activated) return batch_norm(conv2d(x, options, at / index), at / (index + 1));
    return relu6(batch_norm(conv2d(x, options, at / index / 0), at / index / 1));
}

constexpr tensor inverted_residual(tensor x, int expansion, int channels, int stride, layer_name at) {
    at = at / "conv";
    int index = 0;
    tensor y = x;
    if (expansion > 1) y = v2_layer(y, {.channels = expansion * x.channels()}, at, index++, true);
    y = v2_layer(y, {.channels = y.channels(), .kernel = 3, .stride = stride, .padding = 1, .groups = y.channels()}, at, index++, true);
    y = v2_layer(y, {.channels = channels}, at, index, false);
    return x.shape() == y.shape() ? x + y : y;
}

constexpr tensor v2(tensor x, int classes) {
    const bool small = x.shape().height <= 64;
    const layer_name features("features");
    x = v2_layer(x, {.channels = 32, .kernel = 3, .stride = small ? 1 : 2, .padding = 1}, features, 0, true);
    struct stage {
        int expansion, channels, blocks, stride;
    };
    int index = 1;
    for (const stage& s : {stage{1, 16, 1, 1}, stage{6, 24, 2, small ? 1 : 2}, stage{6, 32, 3, 2}, stage{6, 64, 4, 2}, stage{6, 96, 3, 1},
                           stage{6, 160, 3, 2}, stage{6, 320, 1, 1}})
        for (int i = 0; i < s.blocks; ++i) x = inverted_residual(x, s.expansion, s.channels, i == 0 ? s.stride : 1, features / index++);
    x = v2_layer(x, {.channels = 1280}, features, 18, true);
    return linear(global_average_pool(x), classes, "classifier.1");
}

}  // namespace mobilenet

template <class Problem>
struct mobilenet_v1 : model_on<Problem, mobilenet::v1_training<Problem>::pixels> {
    static constexpr std::string_view name = "mobilenet_v1";
    static constexpr tensor forward(tensor x) { return mobilenet::v1(x, 4, Problem::classes, mobilenet::v1_training<Problem>::function); }
};
template <class Problem>
struct mobilenet_v1_quarter : model_on<Problem, mobilenet::v1_training<Problem>::pixels> {
    static constexpr std::string_view name = "mobilenet_v1_quarter";
    static constexpr tensor forward(tensor x) { return mobilenet::v1(x, 1, Problem::classes, mobilenet::v1_training<Problem>::function); }
};
template <class Problem>
struct mobilenet_v2 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "mobilenet_v2";
    static constexpr tensor forward(tensor x) { return mobilenet::v2(x, Problem::classes); }
};

}  // namespace dlas
