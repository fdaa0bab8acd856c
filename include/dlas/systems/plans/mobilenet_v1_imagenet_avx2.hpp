// mobilenet_v1/imagenet on avx2: 12.57 ms, 12.78 ms untuned (medians on AMD EPYC).
// Written by `tune mobilenet_v1/imagenet --target avx2`; layers whose kernels changed since are measured by hand. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<mobilenet_v1<imagenet>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-32k3s2p0.1.0.1+relu6") return stack<direct, schedule<{.tile = {2, 3, 2}}>, target>{};
        else if constexpr (layer == "112x112x32-32k3s1p1g32+relu6") return stack<depthwise, schedule<{.tile = {1, 8, 1}}>, target>{};
        else if constexpr (layer == "112x112x32-64k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "112x112x64-64k3s2p0.1.0.1g64+relu6") return stack<depthwise, schedule<{.tile = {1, 7, 1}, .fused_rows = 4}>, target>{};
        else if constexpr (layer == "56x56x64-128k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "56x56x128-128k3s1p1g128+relu6") return stack<depthwise, schedule<{.tile = {1, 7, 1}}>, target>{};
        else if constexpr (layer == "56x56x128-128k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "56x56x128-128k3s2p0.1.0.1g128+relu6") return stack<depthwise, schedule<{.tile = {1, 4, 1}}>, target>{};
        else if constexpr (layer == "28x28x128-256k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "28x28x256-256k3s1p1g256+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "28x28x256-256k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "28x28x256-256k3s2p0.1.0.1g256+relu6") return stack<depthwise, schedule<{.tile = {1, 7, 1}}>, target>{};
        else if constexpr (layer == "14x14x256-512k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "14x14x512-512k3s1p1g512+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "14x14x512-512k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "14x14x512-512k3s2p0.1.0.1g512+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "7x7x512-1024k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1024-1024k3s1p1g1024+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "7x7x1024-1024k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "1x1x1024-1000k1s1") return stack<direct, schedule<{.tile = {1, 1, 4}, .prefetch = 0}>, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
