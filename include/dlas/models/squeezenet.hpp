// SqueezeNet 1.1 (Iandola et al., 2016), torchvision's names. Models & Neural Architectures.
#pragma once

#include <dlas/models/model.hpp>

namespace dlas {

namespace squeezenet {

/// 1x1 down, then 1x1 and 3x3 side by side.
constexpr tensor fire(tensor x, int squeeze, int expand, layer_name at) {
    x = relu(conv2d(x, {.channels = squeeze}, at / "squeeze"));
    const tensor pointwise = relu(conv2d(x, {.channels = expand}, at / "expand1x1"));
    const tensor spatial = relu(conv2d(x, {.channels = expand, .kernel = 3, .padding = 1}, at / "expand3x3"));
    return concatenate(pointwise, spatial);
}

}  // namespace squeezenet

template <class Problem>
struct squeezenet1_1 : model_on<Problem, imagenet_normalization> {
    static constexpr std::string_view name = "squeezenet1_1";

    static constexpr tensor forward(tensor x) {
        const layer_name features("features");
        x = relu(conv2d(x, {.channels = 64, .kernel = 3, .stride = 2}, features / 0));
        x = max_pool2d(x, {.kernel = 3, .stride = 2});
        x = squeezenet::fire(x, 16, 64, features / 3);
        x = squeezenet::fire(x, 16, 64, features / 4);
        x = max_pool2d(x, {.kernel = 3, .stride = 2});
        x = squeezenet::fire(x, 32, 128, features / 6);
        x = squeezenet::fire(x, 32, 128, features / 7);
        x = max_pool2d(x, {.kernel = 3, .stride = 2});
        x = squeezenet::fire(x, 48, 192, features / 9);
        x = squeezenet::fire(x, 48, 192, features / 10);
        x = squeezenet::fire(x, 64, 256, features / 11);
        x = squeezenet::fire(x, 64, 256, features / 12);
        return global_average_pool(relu(conv2d(x, {.channels = Problem::classes}, "classifier.1")));
    }
};

}  // namespace dlas
