// efficientnet_b0/imagenet on avx2: 11.10 ms, 11.26 ms untuned (medians on AMD EPYC).
// Written by `tune efficientnet_b0/imagenet --target avx2`; layers whose kernels changed since are measured by hand. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/efficientnet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<efficientnet_b0<imagenet>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "224x224x3-32k3s2p1+silu") return stack<direct, schedule<{.tile = {1, 6, 2}, .pixels = 2728}>, target>{};
        else if constexpr (layer == "112x112x32-32k3s1p1g32+silu") return stack<depthwise, schedule<{.tile = {1, 8, 1}}>, target>{};
        else if constexpr (layer == "1x1x32-8k1s1+silu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x8-32k1s1+sigmoid") return stack<direct, schedule<{.tile = {1, 1, 3}}>, target>{};
        else if constexpr (layer == "112x112x32-16k1s1+gate") return stack<direct, target>{};
        else if constexpr (layer == "1x1x96-4k1s1+silu") return stack<direct, schedule<{.tile = {1, 1, 1}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "1x1x4-96k1s1+sigmoid") return stack<direct, schedule<{.tile = {1, 1, 4}}>, target>{};
        else if constexpr (layer == "56x56x96-24k1s1+gate") return stack<direct, schedule<{.tile = {1, 3, 3}}>, target>{};
        else if constexpr (layer == "56x56x24-144k1s1+silu") return stack<direct, target>{};
        else if constexpr (layer == "56x56x144-144k3s1p1g144+silu") return stack<depthwise, schedule<{.tile = {1, 8, 1}}>, target>{};
        else if constexpr (layer == "1x1x144-6k1s1+silu") return stack<direct, schedule<{.tile = {1, 1, 1}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "1x1x6-144k1s1+sigmoid") return stack<direct, schedule<{.tile = {1, 1, 6}}>, target>{};
        else if constexpr (layer == "56x56x144-24k1s1+gate+add") return stack<direct, target>{};
        else if constexpr (layer == "56x56x144-144k5s2p2g144+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "28x28x144-40k1s1+gate") return stack<direct, target>{};
        else if constexpr (layer == "28x28x40-240k1s1+silu") return stack<direct, target>{};
        else if constexpr (layer == "28x28x240-240k5s1p2g240+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "1x1x240-10k1s1+silu") return stack<direct, schedule<{.tile = {1, 1, 2}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "1x1x10-240k1s1+sigmoid") return stack<direct, schedule<{.tile = {1, 1, 6}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "28x28x240-40k1s1+gate+add") return stack<direct, target>{};
        else if constexpr (layer == "28x28x240-240k3s2p1g240+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "14x14x240-80k1s1+gate") return stack<direct, target>{};
        else if constexpr (layer == "14x14x80-480k1s1+silu") return stack<direct, schedule<{.tile = {2, 2, 3}, .pixels = 196}>, target>{};
        else if constexpr (layer == "14x14x480-480k3s1p1g480+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "1x1x480-20k1s1+silu") return stack<direct, schedule<{.tile = {1, 1, 3}}>, target>{};
        else if constexpr (layer == "1x1x20-480k1s1+sigmoid") return stack<direct, target>{};
        else if constexpr (layer == "14x14x480-80k1s1+gate+add") return stack<direct, schedule<{.tile = {1, 6, 2}}>, target>{};
        else if constexpr (layer == "14x14x480-480k5s1p2g480+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "14x14x480-112k1s1+gate") return stack<direct, target>{};
        else if constexpr (layer == "14x14x112-672k1s1+silu") return stack<direct, target>{};
        else if constexpr (layer == "14x14x672-672k5s1p2g672+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "1x1x672-28k1s1+silu") return stack<direct, schedule<{.tile = {1, 1, 3}}>, target>{};
        else if constexpr (layer == "1x1x28-672k1s1+sigmoid") return stack<direct, schedule<{.tile = {1, 1, 3}}>, target>{};
        else if constexpr (layer == "14x14x672-112k1s1+gate+add") return stack<direct, target>{};
        else if constexpr (layer == "14x14x672-672k5s2p2g672+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "7x7x672-192k1s1") return stack<direct, target>{};
        else if constexpr (layer == "7x7x192-1152k1s1+silu") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1152-1152k5s1p2g1152+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "1x1x1152-48k1s1+silu") return stack<direct, schedule<{.tile = {1, 1, 6}, .pixels = 1}>, target>{};
        else if constexpr (layer == "1x1x48-1152k1s1+sigmoid") return stack<direct, schedule<{.tile = {1, 1, 3}}>, target>{};
        else if constexpr (layer == "7x7x1152-192k1s1+add") return stack<direct, target>{};
        else if constexpr (layer == "7x7x1152-1152k3s1p1g1152+silu") return stack<depthwise, target>{};
        else if constexpr (layer == "7x7x1152-320k1s1") return stack<direct, schedule<{.tile = {1, 5, 2}, .pixels = 24}>, target>{};
        else if constexpr (layer == "7x7x320-1280k1s1+silu") return stack<direct, schedule<{.tile = {1, 5, 2}}>, target>{};
        else if constexpr (layer == "1x1x1280-1000k1s1") return stack<direct, schedule<{.tile = {1, 1, 4}, .prefetch = 0}>, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
