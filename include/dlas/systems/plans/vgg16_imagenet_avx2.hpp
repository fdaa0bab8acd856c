// vgg16/imagenet on avx2: 156.754 ms, 173.285 ms untuned (lower quartiles on Intel(R) Xeon(R) Processor).
// Written by `tune vgg16/imagenet --target avx2`; linear layers, which are read in streams now, by rule. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/vgg.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<vgg16<imagenet>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-64k3s1p1+relu") return stack<direct, schedule<{.tile = {2, 3, 2}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "224x224x64-64k3s1p1+relu") return stack<winograd<6>, schedule<{.pixels = 8}>, target>{};
        else if constexpr (layer == "112x112x64-128k3s1p1+relu") return stack<winograd<6>, schedule<{.pixels = 20}>, target>{};
        else if constexpr (layer == "112x112x128-128k3s1p1+relu") return stack<winograd<6>, schedule<{.pixels = 361}>, target>{};
        else if constexpr (layer == "56x56x128-256k3s1p1+relu") return stack<winograd<6>, schedule<{.pixels = 100}>, target>{};
        else if constexpr (layer == "56x56x256-256k3s1p1+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "28x28x256-512k3s1p1+relu") return stack<winograd<6>, schedule<{.pixels = 25}>, target>{};
        else if constexpr (layer == "28x28x512-512k3s1p1+relu") return stack<winograd<6>, schedule<{.pixels = 25}>, target>{};
        else if constexpr (layer == "14x14x512-512k3s1p1+relu") return stack<winograd<4>, target>{};
        else if constexpr (layer == "7x7x512-4096k7s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x4096-4096k1s1+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x4096-1000k1s1") return stack<direct, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
