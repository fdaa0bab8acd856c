// resnet8/cifar10 on avx2: 0.245 ms, 0.270 ms untuned (medians on Intel(R) Xeon(R) Processor).
// Written by `tune resnet8/cifar10 --target avx2`. Systems Software.
#pragma once

#include <dlas/core/layer_text.hpp>
#include <dlas/datasets/problems.hpp>
#include <dlas/models/resnet.hpp>
#include <dlas/systems/stack.hpp>

namespace dlas {

template <>
struct tuned_plan<resnet8<cifar10>, avx2> {
    static constexpr std::string_view name = "f32/dense/tuned/avx2";
    using target = avx2;

    template <conv2d_layer Layer>
    static consteval auto select() {
        constexpr auto layer = layer_text(Layer);
        if constexpr (layer == "32x32x3-16k3s1p1+relu") return stack<direct, schedule<{.tile = {3, 2, 2}}>, target>{};
        else if constexpr (layer == "32x32x16-16k3s1p1+relu") return stack<winograd<4>, schedule<{.pixels = 56}>, target>{};
        else if constexpr (layer == "32x32x16-16k3s1p1+add+relu") return stack<winograd<4>, schedule<{.pixels = 56}>, target>{};
        else if constexpr (layer == "32x32x16-32k3s2p0.1.0.1+relu") return stack<direct, target>{};
        else if constexpr (layer == "16x16x32-32k3s1p1") return stack<winograd<6>, schedule<{.pixels = 9}>, target>{};
        else if constexpr (layer == "32x32x16-32k1s2+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "16x16x32-64k3s2p0.1.0.1+relu") return stack<direct, target>{};
        else if constexpr (layer == "8x8x64-64k3s1p1") return stack<winograd<4>, target>{};
        else if constexpr (layer == "16x16x32-64k1s2+add+relu") return stack<direct, target>{};
        else if constexpr (layer == "1x1x64-10k1s1") return stack<direct, schedule<{.tile = {1, 1, 2}}>, target>{};
        else return stack<target>{};
    }
};

}  // namespace dlas
