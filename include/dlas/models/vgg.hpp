// VGG-16 (Simonyan and Zisserman, 2015), torchvision's names. Models & Neural Architectures.
//   vgg16 <imagenet>   three linear layers of 4096, 4096 and 1000
//   vgg16 <cifar10>    batch normalization and one linear layer, as is usual on 32x32 problems
#pragma once

#include <dlas/models/model.hpp>

namespace dlas {

template <class Problem>
struct vgg16 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "vgg16";

    static constexpr tensor forward(tensor x) {
        const bool small = x.shape().height <= 64;
        const layer_name features("features"), classifier("classifier");
        int index = 0;  // torchvision's: activations, normalizations and pools count
        for (const auto& [channels, convolutions] : {extent(64, 2), extent(128, 2), extent(256, 3), extent(512, 3), extent(512, 3)}) {
            for (int i = 0; i < convolutions; ++i) {
                x = conv2d(x, {.channels = channels, .kernel = 3, .padding = 1}, features / index++);
                if (small) x = batch_norm(x, features / index++);
                x = relu(x);
                ++index;
            }
            x = max_pool2d(x, {.kernel = 2, .stride = 2});
            ++index;
        }
        if (small) return linear(x, Problem::classes, classifier);
        x = relu(linear(x, 4096, classifier / 0));
        x = relu(linear(x, 4096, classifier / 3));
        return linear(x, Problem::classes, classifier / 6);
    }
};

}  // namespace dlas
