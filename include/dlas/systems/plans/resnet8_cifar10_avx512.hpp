// resnet8/cifar10 on avx512: 0.135 ms, 0.140 ms untuned (medians on Intel(R) Xeon(R) Processor).
// Written by `tune resnet8/cifar10 --target avx512`. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<resnet8<cifar10>, avx512> {
    static constexpr std::string_view name = "f32/dense/tuned/avx512";
    using target = avx512;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "32x32x3-16k3s1p1+relu") return stack<direct, schedule<{.tile = {1, 16, 1}, .prefetch = 2048}>, target>{};
        else if constexpr (layer == "32x32x16-16k3s1p1+relu") return stack<winograd<6>, target>{};
        else if constexpr (layer == "32x32x16-16k3s1p1+add+relu") return stack<winograd<6>, schedule<{.pixels = 36}>, target>{};
        else if constexpr (layer == "32x32x16-32k3s2p0.1.0.1+relu") return stack<direct, target>{};
        else if constexpr (layer == "16x16x32-32k3s1p1") return stack<winograd<4>, target>{};
        else if constexpr (layer == "32x32x16-32k1s2+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "16x16x32-64k3s2p0.1.0.1+relu") return stack<direct, target>{};
        else if constexpr (layer == "8x8x64-64k3s1p1") return stack<winograd<4>, target>{};
        else if constexpr (layer == "16x16x32-64k1s2+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x64-10k1s1") return stack<direct, schedule<{.tile = {1, 1, 1}, .pixels = 1}>, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
