// resnet50/imagenet on avx512: 44.524 ms, 45.092 ms untuned (lower quartiles on Intel(R) Xeon(R) Processor).
// Written by `tune resnet50/imagenet --target avx512`; linear layers, which are read in streams now, by rule. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<resnet50<imagenet>, avx512> {
    static constexpr std::string_view name = "f32/dense/tuned/avx512";
    using target = avx512;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-64k7s2p3+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 2728}>, target>{};
        else if constexpr (layer == "56x56x64-64k1s1+relu") return stack<direct, schedule<{.tile = {2, 7, 2}}>, target>{};
        else if constexpr (layer == "56x56x64-64k3s1p1+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "56x56x64-256k1s1") return stack<direct, target>{};
        else if constexpr (layer == "56x56x64-256k1s1+add+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "56x56x256-64k1s1+relu") return stack<direct, schedule<{.tile = {4, 3, 2}}>, target>{};
        else if constexpr (layer == "56x56x256-128k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "56x56x128-128k3s2p1+relu") return stack<direct, schedule<{.tile = {4, 2, 3}}>, target>{};
        else if constexpr (layer == "28x28x128-512k1s1") return stack<direct, schedule<{.tile = {1, 14, 2}}>, target>{};
        else if constexpr (layer == "56x56x256-512k1s2+add+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 32}>, target>{};
        else if constexpr (layer == "28x28x512-128k1s1+relu") return stack<direct, schedule<{.tile = {4, 2, 3}}>, target>{};
        else if constexpr (layer == "28x28x128-128k3s1p1+relu") return stack<winograd<4>, schedule<{.pixels = 49}>, target>{};
        else if constexpr (layer == "28x28x128-512k1s1+add+relu") return stack<direct, schedule<{.tile = {1, 14, 2}}>, target>{};
        else if constexpr (layer == "28x28x512-256k1s1+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .inputs = 256}>, target>{};
        else if constexpr (layer == "28x28x256-256k3s2p1+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .inputs = 128}>, target>{};
        else if constexpr (layer == "14x14x256-1024k1s1") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 196}>, target>{};
        else if constexpr (layer == "28x28x512-1024k1s2+add+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 196}>, target>{};
        else if constexpr (layer == "14x14x1024-256k1s1+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .inputs = 256}>, target>{};
        else if constexpr (layer == "14x14x256-256k3s1p1+relu") return stack<winograd<2>, schedule<{.pixels = 49}>, target>{};
        else if constexpr (layer == "14x14x256-1024k1s1+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x1024-512k1s1+relu") return stack<direct, schedule<{.tile = {1, 7, 3}}>, target>{};
        else if constexpr (layer == "14x14x512-512k3s2p1+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x512-2048k1s1") return stack<direct, schedule<{.tile = {1, 7, 3}, .inputs = 256}>, target>{};
        else if constexpr (layer == "14x14x1024-2048k1s2+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x2048-512k1s1+relu") return stack<direct, schedule<{.tile = {1, 7, 3}, .inputs = 256}>, target>{};
        else if constexpr (layer == "7x7x512-512k3s1p1+relu") return stack<direct, schedule<{.tile = {1, 7, 3}, .inputs = 128}>, target>{};
        else if constexpr (layer == "7x7x512-2048k1s1+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x2048-1000k1s1") return stack<direct, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
