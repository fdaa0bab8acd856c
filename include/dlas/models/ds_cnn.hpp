// DS-CNN (Zhang et al., 2017): depthwise separable convolutions on spectral features. Models & Neural Architectures.
//   ds_cnn <speech_commands>    MLPerf Tiny's keyword spotting: four blocks of 64 channels, SAME padding
#pragma once

#include <dlas/models/model.hpp>

namespace dlas {

namespace ds {

/// Convolution with a bias, batch normalization and ReLU.
constexpr tensor layer(tensor x, conv2d_options options, layer_name name, layer_name normalization) {
    options.padding = same_padding(x.shape(), options.kernel, options.stride);
    return relu(batch_norm(conv2d(x, options, name), normalization, 1e-3f));
}

/// "dw1" and "dw1_bn".
constexpr tensor numbered_layer(tensor x, const conv2d_options& options, layer_name name, int index) {
    name.append(index);
    layer_name normalization = name;
    normalization.append("_bn");
    return layer(x, options, name, normalization);
}

}  // namespace ds

template <class Problem>
struct ds_cnn : model_on<Problem, quantized_features> {
    static constexpr std::string_view name = "ds_cnn";

    static constexpr tensor forward(tensor x) {
        x = ds::layer(x, {.channels = 64, .kernel = {10, 4}, .stride = 2}, "conv2d", "bn0");
        for (int block = 1; block <= 4; ++block) {
            x = ds::numbered_layer(x, {.channels = 64, .kernel = 3, .groups = 64}, "dw", block);
            x = ds::numbered_layer(x, {.channels = 64}, "pw", block);
        }
        return linear(global_average_pool(x), Problem::classes, "dense");
    }
};

}  // namespace dlas
