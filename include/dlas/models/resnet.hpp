// ResNet (He et al., 2016). Models & Neural Architectures.
//   resnet20/32/44/56 <cifar10>     option-A shortcuts, parameter names of akamaster/pytorch_resnet_cifar10
//   resnet18/34/50    <imagenet>    torchvision's; on 32x32 problems with the usual 3x3 stem of stride 1 and no stem pooling
//   resnet8           <cifar10>     MLPerf Tiny's image classification, Keras' names and SAME padding
//   resnet8_a         <shapes10>    one option-A block per stage
#pragma once

#include <dlas/models/model.hpp>

namespace dlas {

namespace resnet {

/// Two 3x3 convolutions and a shortcut without parameters. The shortcut stands first, so that the second convolution finds it made
/// and adds it to its own result.
constexpr tensor option_a_block(tensor x, int channels, int stride, layer_name at) {
    const int added = channels - x.channels();
    const tensor shortcut = stride == 1 && added == 0 ? x : subsample(x, stride, added / 2, added - added / 2);
    tensor y = conv2d(x, {.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false}, at / "conv1");
    y = relu(batch_norm(y, at / "bn1"));
    y = conv2d(y, {.channels = channels, .kernel = 3, .padding = 1, .bias = false}, at / "conv2");
    return relu(batch_norm(y, at / "bn2") + shortcut);
}

constexpr tensor downsample(tensor x, int channels, int stride, layer_name at) {
    return batch_norm(conv2d(x, {.channels = channels, .stride = stride, .bias = false}, at / 0), at / 1);
}

/// Two 3x3 convolutions and a projection shortcut where the shape changes.
constexpr tensor basic_block(tensor x, int channels, int stride, layer_name at) {
    tensor y = conv2d(x, {.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false}, at / "conv1");
    y = relu(batch_norm(y, at / "bn1"));
    y = conv2d(y, {.channels = channels, .kernel = 3, .padding = 1, .bias = false}, at / "conv2");
    y = batch_norm(y, at / "bn2");
    if (x.shape() != y.shape()) x = downsample(x, channels, stride, at / "downsample");
    return relu(y + x);
}

/// 1x1 down, 3x3 (which carries the stride, as in torchvision), 1x1 up to four times the channels.
constexpr tensor bottleneck(tensor x, int channels, int stride, layer_name at) {
    tensor y = conv2d(x, {.channels = channels, .bias = false}, at / "conv1");
    y = relu(batch_norm(y, at / "bn1"));
    y = conv2d(y, {.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false}, at / "conv2");
    y = relu(batch_norm(y, at / "bn2"));
    y = conv2d(y, {.channels = 4 * channels, .bias = false}, at / "conv3");
    y = batch_norm(y, at / "bn3");
    if (x.shape() != y.shape()) x = downsample(x, 4 * channels, stride, at / "downsample");
    return relu(y + x);
}

constexpr tensor cifar_stages(tensor x, int blocks, int classes) {
    x = conv2d(x, {.channels = 16, .kernel = 3, .padding = 1, .bias = false}, "conv1");
    x = relu(batch_norm(x, "bn1"));
    for (int stage = 0; stage < 3; ++stage)
        for (int block = 0; block < blocks; ++block) {
            layer_name at("layer");
            at.append(stage + 1);
            x = option_a_block(x, 16 << stage, stage > 0 && block == 0 ? 2 : 1, at / block);
        }
    return linear(global_average_pool(x), classes, "linear");
}

using block_function = tensor (*)(tensor, int, int, layer_name);

constexpr tensor stages(tensor x, const int (&blocks)[4], block_function block, int classes) {
    if (x.shape().height > 64) {
        x = conv2d(x, {.channels = 64, .kernel = 7, .stride = 2, .padding = 3, .bias = false}, "conv1");
        x = relu(batch_norm(x, "bn1"));
        x = max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
    } else {
        x = conv2d(x, {.channels = 64, .kernel = 3, .padding = 1, .bias = false}, "conv1");
        x = relu(batch_norm(x, "bn1"));
    }
    for (int stage = 0; stage < 4; ++stage)
        for (int i = 0; i < blocks[stage]; ++i) {
            layer_name at("layer");
            at.append(stage + 1);
            x = block(x, 64 << stage, stage > 0 && i == 0 ? 2 : 1, at / i);
        }
    return linear(global_average_pool(x), classes, "fc");
}

}  // namespace resnet

/// What the option-A networks share: 6 * Blocks + 2 weighted layers.
template <class Problem, int Blocks>
struct resnet_cifar : model_on<Problem, imagenet_normalization> {
    static constexpr tensor forward(tensor x) { return resnet::cifar_stages(x, Blocks, Problem::classes); }
};
template <class Problem>
struct resnet8_a : resnet_cifar<Problem, 1> {
    static constexpr std::string_view name = "resnet8_a";
};
template <class Problem>
struct resnet20 : resnet_cifar<Problem, 3> {
    static constexpr std::string_view name = "resnet20";
};
template <class Problem>
struct resnet32 : resnet_cifar<Problem, 5> {
    static constexpr std::string_view name = "resnet32";
};
template <class Problem>
struct resnet44 : resnet_cifar<Problem, 7> {
    static constexpr std::string_view name = "resnet44";
};
template <class Problem>
struct resnet56 : resnet_cifar<Problem, 9> {
    static constexpr std::string_view name = "resnet56";
};

template <class Problem>
struct resnet18 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "resnet18";
    static constexpr tensor forward(tensor x) { return resnet::stages(x, {2, 2, 2, 2}, resnet::basic_block, Problem::classes); }
};
template <class Problem>
struct resnet34 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "resnet34";
    static constexpr tensor forward(tensor x) { return resnet::stages(x, {3, 4, 6, 3}, resnet::basic_block, Problem::classes); }
};
template <class Problem>
struct resnet50 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "resnet50";
    static constexpr tensor forward(tensor x) { return resnet::stages(x, {3, 4, 6, 3}, resnet::bottleneck, Problem::classes); }
};

namespace resnet {

/// Keras numbers its layers: no suffix for the first.
constexpr layer_name numbered(std::string_view base, int index) {
    layer_name name(base);
    if (index > 0) {
        name.append("_");
        name.append(index);
    }
    return name;
}

}  // namespace resnet

/// ResNet-8 of MLPerf Tiny: pixels 0 to 255, TensorFlow's SAME padding, batch-norm epsilon 1e-3.
template <class Problem>
struct resnet8 : model_on<Problem, raw_pixels> {
    static constexpr std::string_view name = "resnet8";

    static constexpr tensor convolution(tensor x, int channels, int kernel, int stride, int index) {
        return conv2d(x, {.channels = channels, .kernel = kernel, .stride = stride, .padding = same_padding(x.shape(), kernel, stride)},
                      resnet::numbered("conv2d", index));
    }
    static constexpr tensor normalize(tensor x, int index) {
        return batch_norm(x, resnet::numbered("batch_normalization", index), 1e-3f);
    }
    static constexpr tensor forward(tensor x) {
        x = relu(normalize(convolution(x, 16, 3, 1, 0), 0));
        tensor y = relu(normalize(convolution(x, 16, 3, 1, 1), 1));
        x = relu(x + normalize(convolution(y, 16, 3, 1, 2), 2));
        y = relu(normalize(convolution(x, 32, 3, 2, 3), 3));
        y = normalize(convolution(y, 32, 3, 1, 4), 4);
        x = relu(convolution(x, 32, 1, 2, 5) + y);
        y = relu(normalize(convolution(x, 64, 3, 2, 6), 5));
        y = normalize(convolution(y, 64, 3, 1, 7), 6);
        x = relu(convolution(x, 64, 1, 2, 8) + y);
        return linear(global_average_pool(x), Problem::classes, "dense");
    }
};

}  // namespace dlas
