// mobilenet_v2/imagenet on avx512: 4.736 ms, 4.786 ms untuned (lower quartiles on Intel(R) Xeon(R) Processor).
// Written by `tune mobilenet_v2/imagenet --target avx512`. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<mobilenet_v2<imagenet>, avx512> {
    static constexpr std::string_view name = "f32/dense/tuned/avx512";
    using target = avx512;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-32k3s2p1+relu6") return stack<direct, schedule<{.tile = {2, 7, 2}}>, target>{};
        else if constexpr (layer == "112x112x32-32k3s1p1g32+relu6") return stack<depthwise, schedule<{.tile = {1, 13, 1}}>, target>{};
        else if constexpr (layer == "112x112x32-16k1s1") return stack<direct, schedule<{.tile = {1, 25, 1}}>, target>{};
        else if constexpr (layer == "56x56x96-24k1s1") return stack<direct, target>{};
        else if constexpr (layer == "56x56x144-24k1s1+add") return stack<direct, schedule<{.tile = {1, 12, 2}}>, target>{};
        else if constexpr (layer == "28x28x32-192k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "28x28x192-192k3s1p1g192+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "28x28x192-32k1s1+add") return stack<direct, schedule<{.tile = {1, 14, 2}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "28x28x192-192k3s2p1g192+relu6") return stack<depthwise, schedule<{.tile = {1, 4, 1}}>, target>{};
        else if constexpr (layer == "14x14x192-64k1s1") return stack<direct, target>{};
        else if constexpr (layer == "14x14x64-384k1s1+relu6") return stack<direct, schedule<{.tile = {2, 7, 2}}>, target>{};
        else if constexpr (layer == "14x14x384-384k3s1p1g384+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "14x14x384-64k1s1+add") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 20}>, target>{};
        else if constexpr (layer == "14x14x384-96k1s1") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 80}>, target>{};
        else if constexpr (layer == "14x14x96-576k1s1+relu6") return stack<direct, schedule<{.tile = {1, 7, 3}}>, target>{};
        else if constexpr (layer == "14x14x576-576k3s1p1g576+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "14x14x576-96k1s1+add") return stack<direct, schedule<{.tile = {1, 9, 3}}>, target>{};
        else if constexpr (layer == "14x14x576-576k3s2p1g576+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "7x7x576-160k1s1") return stack<direct, schedule<{.tile = {1, 10, 2}, .pixels = 49}>, target>{};
        else if constexpr (layer == "7x7x160-960k1s1+relu6") return stack<direct, schedule<{.tile = {1, 7, 2}}>, target>{};
        else if constexpr (layer == "7x7x960-960k3s1p1g960+relu6") return stack<depthwise, schedule<{.tile = {1, 7, 1}}>, target>{};
        else if constexpr (layer == "7x7x960-160k1s1+add") return stack<direct, schedule<{.tile = {1, 10, 2}, .pixels = 32}>, target>{};
        else if constexpr (layer == "7x7x960-320k1s1") return stack<direct, schedule<{.tile = {1, 7, 3}, .inputs = 128}>, target>{};
        else if constexpr (layer == "7x7x320-1280k1s1+relu6") return stack<direct, schedule<{.tile = {1, 7, 3}, .pixels = 49}>, target>{};
        else if constexpr (layer == "1x1x1280-1000k1s1") return stack<direct, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
