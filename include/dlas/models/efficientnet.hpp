// EfficientNet (Tan and Le, 2019). Models & Neural Architectures.
//   efficientnet_b0 <imagenet>    torchvision's names; on 32x32 problems a stem of stride 1
#pragma once

#include <dlas/models/model.hpp>

namespace dlas {

namespace efficientnet {

/// Convolution and batch normalization, which torchvision numbers 0 and 1.
constexpr tensor layer(tensor x, conv2d_options options, layer_name at) {
    options.bias = false;
    return batch_norm(conv2d(x, options, at / 0), at / 1);
}

/// Scales each channel by a number that two 1x1 convolutions make of all channels' means.
constexpr tensor squeeze_and_excite(tensor x, int squeezed, layer_name at) {
    const tensor y = silu(conv2d(global_average_pool(x), {.channels = squeezed}, at / "fc1"));
    return multiply(x, sigmoid(conv2d(y, {.channels = x.channels()}, at / "fc2")));
}

/// 1x1 up, depthwise, squeeze and excite, 1x1 down. What training drops at random always takes part.
constexpr tensor block(tensor x, int expansion, int kernel, int channels, int stride, layer_name at) {
    at = at / "block";
    int index = 0;
    tensor y = x;
    if (expansion > 1) y = silu(layer(y, {.channels = expansion * x.channels()}, at / index++));
    y = silu(layer(y, {.channels = y.channels(), .kernel = kernel, .stride = stride, .padding = kernel / 2, .groups = y.channels()}, at / index++));
    y = squeeze_and_excite(y, x.channels() / 4, at / index++);
    y = layer(y, {.channels = channels}, at / index);
    return x.shape() == y.shape() ? x + y : y;
}

}  // namespace efficientnet

template <class Problem>
struct efficientnet_b0 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "efficientnet_b0";

    static constexpr tensor forward(tensor x) {
        const bool small = x.shape().height <= 64;
        const layer_name features("features");
        x = silu(efficientnet::layer(x, {.channels = 32, .kernel = 3, .stride = small ? 1 : 2, .padding = 1}, features / 0));
        struct stage {
            int expansion, kernel, channels, blocks, stride;
        };
        int index = 1;
        for (const stage& s : {stage{1, 3, 16, 1, 1}, stage{6, 3, 24, 2, 2}, stage{6, 5, 40, 2, 2}, stage{6, 3, 80, 3, 2}, stage{6, 5, 112, 3, 1},
                               stage{6, 5, 192, 4, 2}, stage{6, 3, 320, 1, 1}}) {
            for (int i = 0; i < s.blocks; ++i)
                x = efficientnet::block(x, s.expansion, s.kernel, s.channels, i == 0 ? s.stride : 1, features / index / i);
            ++index;
        }
        x = silu(efficientnet::layer(x, {.channels = 1280}, features / index));
        return linear(global_average_pool(x), Problem::classes, "classifier.1");
    }
};

}  // namespace dlas
