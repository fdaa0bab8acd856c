// resnet18/cifar10 on avx512: 4.360 ms, 4.625 ms untuned (medians on Intel(R) Xeon(R) Processor).
// Written by `tune resnet18/cifar10 --target avx512`. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<resnet18<cifar10>, avx512> {
    static constexpr std::string_view name = "f32/dense/tuned/avx512";
    using target = avx512;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "32x32x3-64k3s1p1+relu") return stack<direct, schedule<{.tile = {1, 8, 2}, .pixels = 1024}>, target>{};
        else if constexpr (layer == "32x32x64-64k3s1p1+relu") return stack<winograd<6>, target>{};
        else if constexpr (layer == "32x32x64-64k3s1p1+add+relu") return stack<winograd<6>, target>{};
        else if constexpr (layer == "32x32x64-128k3s2p1+relu") return stack<direct, schedule<{.tile = {1, 8, 3}, .pixels = 128}>, target>{};
        else if constexpr (layer == "16x16x128-128k3s1p1") return stack<winograd<4>, schedule<{.pixels = 14}>, target>{};
        else if constexpr (layer == "32x32x64-128k1s2+add+relu") return stack<direct, schedule<{.tile = {4, 2, 3}}>, target>{};
        else if constexpr (layer == "16x16x128-128k3s1p1+relu") return stack<winograd<4>, schedule<{.pixels = 14}>, target>{};
        else if constexpr (layer == "16x16x128-128k3s1p1+add+relu") return stack<winograd<4>, schedule<{.pixels = 14}>, target>{};
        else if constexpr (layer == "16x16x128-256k3s2p1+relu") return stack<direct, schedule<{.tile = {1, 8, 2}, .inputs = 64}>, target>{};
        else if constexpr (layer == "8x8x256-256k3s1p1") return stack<winograd<2>, target>{};
        else if constexpr (layer == "16x16x128-256k1s2+add+relu") return stack<direct, schedule<{.tile = {1, 8, 2}, .pixels = 64}>, target>{};
        else if constexpr (layer == "8x8x256-256k3s1p1+relu") return stack<winograd<2>, schedule<{.pixels = 16}>, target>{};
        else if constexpr (layer == "8x8x256-256k3s1p1+add+relu") return stack<winograd<2>, target>{};
        else if constexpr (layer == "8x8x256-512k3s2p1+relu") return stack<direct, schedule<{.tile = {2, 4, 3}, .inputs = 64}>, target>{};
        else if constexpr (layer == "4x4x512-512k3s1p1") return stack<direct, schedule<{.tile = {2, 4, 3}, .inputs = 64}>, target>{};
        else if constexpr (layer == "8x8x256-512k1s2+add+relu") return stack<direct, schedule<{.tile = {2, 4, 3}}>, target>{};
        else if constexpr (layer == "4x4x512-512k3s1p1+relu") return stack<direct, schedule<{.tile = {2, 4, 3}, .inputs = 128}>, target>{};
        else if constexpr (layer == "4x4x512-512k3s1p1+add+relu") return stack<direct, schedule<{.tile = {2, 4, 3}, .inputs = 64}>, target>{};
        else if constexpr (layer == "1x1x512-10k1s1") return stack<direct, schedule<{.tile = {1, 1, 1}}>, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
