// mobilenet_v2/imagenet on avx2: 7.25 ms, 7.54 ms untuned (medians on AMD EPYC).
// Written by `tune mobilenet_v2/imagenet --target avx2`; layers whose kernels changed since are measured by hand. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/mobilenet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<mobilenet_v2<imagenet>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-32k3s2p1+relu6") return stack<direct, schedule<{.tile = {3, 2, 2}}>, target>{};
        else if constexpr (layer == "112x112x32-32k3s1p1g32+relu6") return stack<depthwise, schedule<{.tile = {1, 8, 1}}>, target>{};
        else if constexpr (layer == "112x112x32-16k1s1") return stack<direct, schedule<{.tile = {1, 4, 2}}>, target>{};
        else if constexpr (layer == "56x56x24-144k1s1+relu6") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "56x56x144-144k3s1p1g144+relu6") return stack<depthwise, schedule<{.tile = {1, 5, 1}}>, target>{};
        else if constexpr (layer == "56x56x144-24k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "56x56x144-144k3s2p1g144+relu6") return stack<depthwise, schedule<{.tile = {1, 4, 1}}>, target>{};
        else if constexpr (layer == "28x28x144-32k1s1") return stack<direct, schedule<{.tile = {1, 6, 2}, .pixels = 784}>, target>{};
        else if constexpr (layer == "28x28x32-192k1s1+relu6") return stack<direct, schedule<{.tile = {1, 4, 2}}>, target>{};
        else if constexpr (layer == "28x28x192-192k3s1p1g192+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "28x28x192-32k1s1+add") return stack<direct, schedule<{.tile = {1, 6, 2}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "28x28x192-192k3s2p1g192+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "14x14x192-64k1s1") return stack<direct, schedule<{.tile = {1, 6, 2}, .pixels = 196}>, target>{};
        else if constexpr (layer == "14x14x64-384k1s1+relu6") return stack<direct, schedule<{.tile = {2, 2, 3}, .pixels = 196}>, target>{};
        else if constexpr (layer == "14x14x384-384k3s1p1g384+relu6") return stack<depthwise, schedule<{.tile = {1, 7, 1}}>, target>{};
        else if constexpr (layer == "14x14x384-64k1s1+add") return stack<direct, schedule<{.tile = {1, 6, 2}, .pixels = 196}>, target>{};
        else if constexpr (layer == "14x14x384-96k1s1") return stack<direct, schedule<{.tile = {1, 4, 3}, .pixels = 80}>, target>{};
        else if constexpr (layer == "14x14x96-576k1s1+relu6") return stack<direct, schedule<{.tile = {2, 2, 3}, .pixels = 196}>, target>{};
        else if constexpr (layer == "14x14x576-576k3s1p1g576+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "14x14x576-96k1s1+add") return stack<direct, schedule<{.tile = {1, 4, 3}, .pixels = 56}>, target>{};
        else if constexpr (layer == "14x14x576-576k3s2p1g576+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "7x7x576-160k1s1") return stack<direct, schedule<{.tile = {1, 4, 3}}>, target>{};
        else if constexpr (layer == "7x7x160-960k1s1+relu6") return stack<direct, schedule<{.tile = {4, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x960-960k3s1p1g960+relu6") return stack<depthwise, target>{};
        else if constexpr (layer == "7x7x960-160k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "7x7x960-320k1s1") return stack<direct, target>{};
        else if constexpr (layer == "7x7x320-1280k1s1+relu6") return stack<direct, target>{};
        else if constexpr (layer == "1x1x1280-1000k1s1") return stack<direct, schedule<{.tile = {1, 1, 4}, .prefetch = 0}>, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
