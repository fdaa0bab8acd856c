// mobilenet_v2/cifar10 on avx2: 1.950 ms, 2.012 ms untuned (lower quartiles on AMD EPYC).
// Written by `tune mobilenet_v2/cifar10 --target avx2`. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<mobilenet_v2<cifar10>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "32x32x3-32k3s1p1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "32x32x32-32k3s1p1g32+relu6") return stack<depthwise, schedule<{.tile = {1, 8, 1}}>, target>{};
        else if constexpr (layer == "32x32x32-16k1s1") return stack<direct, target>{};
        else if constexpr (layer == "32x32x16-96k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "32x32x96-96k3s1p1g96+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "32x32x96-24k1s1") return stack<direct, target>{};
        else if constexpr (layer == "32x32x24-144k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "32x32x144-144k3s1p1g144+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "32x32x144-24k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "32x32x144-144k3s2p1g144+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "16x16x144-32k1s1") return stack<direct, target>{};
        else if constexpr (layer == "16x16x32-192k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "16x16x192-192k3s1p1g192+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "16x16x192-32k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "16x16x192-192k3s2p1g192+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "8x8x192-64k1s1") return stack<direct, target>{};
        else if constexpr (layer == "8x8x64-384k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "8x8x384-384k3s1p1g384+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "8x8x384-64k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "8x8x384-96k1s1") return stack<direct, target>{};
        else if constexpr (layer == "8x8x96-576k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "8x8x576-576k3s1p1g576+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "8x8x576-96k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "8x8x576-576k3s2p1g576+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "4x4x576-160k1s1") return stack<direct, target>{};
        else if constexpr (layer == "4x4x160-960k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "4x4x960-960k3s1p1g960+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "4x4x960-160k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "4x4x960-320k1s1") return stack<direct, target>{};
        else if constexpr (layer == "4x4x320-1280k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "1x1x1280-10k1s1") return stack<direct, schedule<{.tile = {1, 1, 2}, .inputs = 128}>, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
