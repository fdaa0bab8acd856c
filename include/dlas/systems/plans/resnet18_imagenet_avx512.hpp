// resnet18/imagenet on avx512: 14.571 ms, 14.760 ms untuned (lower quartiles on Intel(R) Xeon(R) Processor).
// Written by `tune resnet18/imagenet --target avx512`; linear layers, which are read in streams now, by rule. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<resnet18<imagenet>, avx512> {
    static constexpr std::string_view name = "f32/dense/tuned/avx512";
    using target = avx512;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-64k7s2p3+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 2728}>, target>{};
        else if constexpr (layer == "56x56x64-64k3s1p1+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "56x56x64-64k3s1p1+add+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "56x56x64-128k3s2p1+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 784}>, target>{};
        else if constexpr (layer == "28x28x128-128k3s1p1") return stack<winograd<4>, schedule<{.pixels = 49}>, target>{};
        else if constexpr (layer == "56x56x64-128k1s2+add+relu") return stack<direct, schedule<{.tile = {4, 2, 3}}>, target>{};
        else if constexpr (layer == "28x28x128-128k3s1p1+relu") return stack<winograd<4>, schedule<{.pixels = 49}>, target>{};
        else if constexpr (layer == "28x28x128-128k3s1p1+add+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "28x28x128-256k3s2p1+relu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x256-256k3s1p1") return stack<winograd<2>, schedule<{.pixels = 49}>, target>{};
        else if constexpr (layer == "28x28x128-256k1s2+add+relu") return stack<direct, schedule<{.tile = {1, 14, 2}, .pixels = 64}>, target>{};
        else if constexpr (layer == "14x14x256-256k3s1p1+relu") return stack<winograd<2>, schedule<{.pixels = 49}>, target>{};
        else if constexpr (layer == "14x14x256-256k3s1p1+add+relu") return stack<winograd<2>, schedule<{.pixels = 49}>, target>{};
        else if constexpr (layer == "14x14x256-512k3s2p1+relu") return stack<direct, schedule<{.tile = {1, 7, 3}, .inputs = 64}>, target>{};
        else if constexpr (layer == "7x7x512-512k3s1p1") return stack<direct, target>{};
        else if constexpr (layer == "14x14x256-512k1s2+add+relu") return stack<direct, schedule<{.tile = {1, 7, 3}, .pixels = 49}>, target>{};
        else if constexpr (layer == "7x7x512-512k3s1p1+relu") return stack<direct, schedule<{.tile = {1, 7, 3}, .inputs = 128}>, target>{};
        else if constexpr (layer == "7x7x512-512k3s1p1+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x512-1000k1s1") return stack<direct, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
