// DenseNet (Huang et al., 2017). Models & Neural Architectures.
//   densenet161 <imagenet>    torchvision's names; on 32x32 problems a 3x3 stem of stride 1 and no stem pooling
#pragma once

#include <dlas/models/model.hpp>

namespace dlas {

namespace densenet {

constexpr layer_name numbered(std::string_view base, int number) {
    layer_name name(base);
    name.append(number);
    return name;
}

/// Each layer reads all channels that came before it and adds `growth` of its own: 1x1 to four times as many, then 3x3.
constexpr tensor block(tensor x, int layers, int growth, layer_name at) {
    for (int i = 1; i <= layers; ++i) {
        const layer_name layer = at / numbered("denselayer", i);
        tensor y = relu(batch_norm(x, layer / "norm1"));
        y = conv2d(y, {.channels = 4 * growth, .bias = false}, layer / "conv1");
        y = relu(batch_norm(y, layer / "norm2"));
        y = conv2d(y, {.channels = growth, .kernel = 3, .padding = 1, .bias = false}, layer / "conv2");
        x = concatenate(x, y);
    }
    return x;
}

/// Half the channels, a quarter of the pixels.
constexpr tensor transition(tensor x, layer_name at) {
    x = relu(batch_norm(x, at / "norm"));
    x = conv2d(x, {.channels = x.channels() / 2, .bias = false}, at / "conv");
    return average_pool2d(x, {.kernel = 2, .stride = 2});
}

}  // namespace densenet

template <class Problem>
struct densenet161 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "densenet161";

    static constexpr tensor forward(tensor x) {
        const bool small = x.shape().height <= 64;
        const layer_name features("features");
        const int kernel = small ? 3 : 7, stride = small ? 1 : 2;
        x = conv2d(x, {.channels = 96, .kernel = kernel, .stride = stride, .padding = kernel / 2, .bias = false}, features / "conv0");
        x = relu(batch_norm(x, features / "norm0"));
        if (!small) x = max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
        int index = 1;
        for (const int layers : {6, 12, 36, 24}) {
            if (index > 1) x = densenet::transition(x, features / densenet::numbered("transition", index - 1));
            x = densenet::block(x, layers, 48, features / densenet::numbered("denseblock", index++));
        }
        x = relu(batch_norm(x, features / "norm5"));
        return linear(global_average_pool(x), Problem::classes, "classifier");
    }
};

}  // namespace dlas
